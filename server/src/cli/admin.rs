//! `admin create` and `admin link`. Both work while a server is running.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, stdin};
use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use store::{Accounts, Clock, Signature};
use tokio::task::spawn_blocking;

use super::config::HttpSection;
use super::running_server::{LinkOwner, owner_of_link};
use crate::accounts::{Entitlement, Passwords, create_administrator, free_name, new_setup_link};
use crate::platform::output::{Stdout, print, say};
use crate::platform::random::Random;

/// Where the password of a new account comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// It is asked for twice on the terminal, which does not show it.
    Terminal,
    /// It is the first line of standard input.
    StandardInput,
}

/// Creates an administrator.
pub async fn create_admin(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    random: Random,
    name: &str,
    source: PasswordSource,
) -> anyhow::Result<()> {
    // Before the password is asked for.
    let name = free_name(accounts, name).await?;
    let (password, passwords) = (read_password(source).await?, Passwords::new(random));
    let made = create_administrator(accounts, clock, &passwords, name, &password, Entitlement::Database).await?;
    Ok(print(&format!("The administrator {} can log in now.\n", made.name))?)
}

async fn read_password(source: PasswordSource) -> anyhow::Result<String> {
    match source {
        PasswordSource::StandardInput if !stdin().is_terminal() => {
            let mut line = String::new();
            stdin().lock().read_line(&mut line).context("the password cannot be read from standard input")?;
            Ok(line)
        }
        PasswordSource::Terminal if !stdin().is_terminal() => {
            bail!("there is no terminal to ask for the password; use --password-stdin and write it to standard input")
        }
        PasswordSource::StandardInput | PasswordSource::Terminal => {
            let password = ask("Password, at least 12 characters: ").await?;
            ensure!(password == ask("The same again: ").await?, "the two passwords differ; nothing was changed");
            Ok(password)
        }
    }
}

/// Asks on a thread of its own: a signal ends the command while the thread waits for the answer.
async fn ask(prompt: &'static str) -> anyhow::Result<String> {
    let _settings = TerminalSettings::keep().context("the terminal cannot be used")?;
    spawn_blocking(move || rpassword::prompt_password(prompt)).await?.context("the password cannot be read")
}

/// Restores the terminal's settings when it is dropped: while a password is typed, the terminal shows nothing.
struct TerminalSettings {
    terminal: File,
    settings: Termios,
}

impl TerminalSettings {
    fn keep() -> io::Result<Self> {
        let terminal = File::open("/dev/tty")?;
        let settings = tcgetattr(&terminal)?;
        Ok(Self { terminal, settings })
    }
}

impl Drop for TerminalSettings {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(&self.terminal, OptionalActions::Now, &self.settings) {
            tracing::warn!(%error, "the terminal's settings were not restored: run `stty sane`");
        }
    }
}

/// Prints a one-use link that creates an administrator.
pub async fn print_link(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    random: &Random,
    http: &HttpSection,
) -> anyhow::Result<()> {
    Stdout::check_is_open()?;
    let by = Signature::of_command_line(clock.wall());
    let token = new_setup_link(accounts, clock, random, Some(&by)).await?;
    let listen = http.listen;
    print(&format!("{}\n", link(listen, token.reveal())))?;
    // Another server may have been started with another address.
    let remedy = "give the server's own --listen, or put its address into the link";
    match owner_of_link(listen, token.reveal()).await {
        LinkOwner::ServerThere => {}
        LinkOwner::AnotherServer => say(&format!("the server at {listen} uses another database: {remedy}")),
        LinkOwner::NobodyThere => say(&format!("no server of ours answers at {listen}: start it there, {remedy}")),
    }
    Ok(())
}

/// A link that works on this machine, even if the server listens on all addresses. Browsers keep a fragment to
/// themselves: the token reaches no proxy's log.
pub(super) fn link(listen: SocketAddr, token: &str) -> String {
    let port = listen.port();
    let server = if listen.ip().is_unspecified() { format!("localhost:{port}") } else { listen.to_string() };
    format!("http://{server}/setup#token={token}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_work_on_this_machine() {
        for (listen, start) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000/setup#token=t"),
            ("0.0.0.0:80", "http://localhost:80/setup#token=t"),
            ("[::1]:3000", "http://[::1]:3000/setup#token=t"),
        ] {
            assert_eq!(link(listen.parse().expect("an address"), "t"), start);
        }
    }
}
