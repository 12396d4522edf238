//! `admin create` and `admin link`. Both work while a server is running.

use std::io::BufRead;
use std::net::SocketAddr;

use anyhow::{Context, anyhow, ensure};
use api::{ApiError, Role};
use store::{Accounts, Clock, NewAccount};

use super::config::HttpSection;
use crate::accounts::{Passwords, check_new_name, check_new_password, new_setup_link};
use crate::platform::random::Random;

/// Creates an administrator. The password is the first line of standard input.
pub async fn create_admin(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    random: Random,
    name: &str,
) -> anyhow::Result<()> {
    let mut password = String::new();
    let read = std::io::stdin().lock().read_line(&mut password);
    read.context("the password cannot be read from standard input")?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let refused = |error: ApiError| anyhow!(error.message);
    check_new_name(name).and_then(|()| check_new_password(&password)).map_err(refused)?;
    let password_hash = Passwords::new(random).hash(password).await.map_err(refused)?;
    let account = NewAccount { name: name.to_owned(), role: Role::Admin, password_hash, created_at: clock.wall() };
    let is_new = accounts.create_account(account).await?;
    ensure!(is_new, "there is an account named {name} already; choose another name");
    println!("The administrator {name} can log in now.");
    Ok(())
}

/// Prints a one-use link that creates an administrator.
pub async fn print_link(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    random: &Random,
    http: &HttpSection,
) -> anyhow::Result<()> {
    let token = new_setup_link(accounts, clock, random).await?;
    println!("{}", link(http.listen, token.reveal()));
    Ok(())
}

/// A link that works on this machine, even if the server listens on all addresses.
pub(super) fn link(listen: SocketAddr, token: &str) -> String {
    let port = listen.port();
    let server = if listen.ip().is_unspecified() { format!("localhost:{port}") } else { listen.to_string() };
    format!("http://{server}/setup?token={token}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_work_on_this_machine() {
        for (listen, start) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000/setup?token=t"),
            ("0.0.0.0:80", "http://localhost:80/setup?token=t"),
            ("[::1]:3000", "http://[::1]:3000/setup?token=t"),
        ] {
            assert_eq!(link(listen.parse().expect("an address"), "t"), start);
        }
    }
}
