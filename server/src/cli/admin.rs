//! `admin create` and `admin link`. Both work while a server is running.

use std::io::{BufRead, IsTerminal, stdin};
use std::net::SocketAddr;

use anyhow::{Context, anyhow, bail, ensure};
use api::{ApiError, Role};
use store::{Accounts, Clock, NewAccount};

use super::config::HttpSection;
use crate::accounts::{NewName, NewPassword, Passwords, find_account, new_setup_link};
use crate::platform::output::print;
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
    let refused = |error: ApiError| anyhow!(error.message);
    let name = NewName::parse(name).map_err(refused)?;
    let taken = || anyhow!("there is an account named {} already; choose another name", name.as_str());
    if find_account(accounts, name.as_str()).await?.is_some() {
        return Err(taken());
    }
    let password = NewPassword::parse(&read_password(source)?).map_err(refused)?;
    let password_hash = Passwords::new(random).hash(password).await.map_err(refused)?;
    let (role, created_at) = (Role::Admin, clock.wall());
    let account = NewAccount { name: name.as_str().to_owned(), role, password_hash, created_at };
    if !accounts.create_account(account).await? {
        return Err(taken());
    }
    Ok(print(&format!("The administrator {} can log in now.\n", name.as_str()))?)
}

fn read_password(source: PasswordSource) -> anyhow::Result<String> {
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
            let ask = |prompt| rpassword::prompt_password(prompt).context("the password cannot be read");
            let password = ask("Password, at least 12 characters: ")?;
            ensure!(password == ask("The same again: ")?, "the two passwords differ; nothing was changed");
            Ok(password)
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
    let token = new_setup_link(accounts, clock, random).await?;
    Ok(print(&format!("{}\n", link(http.listen, token.reveal())))?)
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
