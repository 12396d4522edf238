//! `admin create` and `admin link`: both work beside a running server.

use std::io::BufRead;

use api::Role;
use store::{Accounts, Clock, NewAccount};

use super::CommandError;
use crate::accounts::{Passwords, check_new_name, check_new_password, new_setup_link};
use crate::cli::config::HttpSection;
use crate::platform::random::Random;

/// Makes an administrator whose password stands on the first line of standard input.
pub async fn create_admin(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    random: Random,
    name: &str,
) -> Result<(), CommandError> {
    let mut password = String::new();
    let read = std::io::stdin().lock().read_line(&mut password);
    read.map_err(|error| CommandError(format!("the password cannot be read from standard input: {error}")))?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let refused = |error: api::ApiError| CommandError(error.message);
    check_new_name(name).and_then(|()| check_new_password(&password)).map_err(refused)?;
    let password_hash = Passwords::new(random).hash(password).await.map_err(refused)?;
    let account = NewAccount { name: name.to_owned(), role: Role::Admin, password_hash, created_at: clock.wall() };
    if !accounts.create_account(account).await? {
        return Err(CommandError(format!("there is an account named {name} already; choose another name")));
    }
    println!("The administrator {name} can log in now.");
    Ok(())
}

/// Prints a link that makes one administrator.
pub async fn print_link(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    random: &Random,
    http: &HttpSection,
) -> Result<(), CommandError> {
    let token = new_setup_link(accounts, clock, random).await?;
    println!("{}", link(http.listen, token.reveal()));
    Ok(())
}

/// The link as it works on this machine, whatever addresses the server listens on.
pub fn link(listen: std::net::SocketAddr, token: &str) -> String {
    let host = if listen.ip().is_unspecified() { "localhost".to_owned() } else { bracketed(listen.ip()) };
    format!("http://{host}:{}/setup?token={token}", listen.port())
}

fn bracketed(ip: std::net::IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
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
