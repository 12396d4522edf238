//! New administrators: by a setup link, or by the command line.

use api::{Account, ApiError, ErrorCode, Role};
use store::{Accounts, Clock, NewAccount, SetUpOutcome, Signature};

use super::name::find_account;
use super::session::link_expired;
use super::{NewName, NewPassword, Passwords};
use crate::platform::caller::Caller;
use crate::platform::error::Result;
use crate::platform::random::Token;

/// What entitles somebody to create an administrator.
#[derive(Clone, Copy, Debug)]
pub enum Entitlement<'a> {
    /// A one-use link, which is used up.
    SetupLink { link: &'a Token, caller: &'a Caller },
    /// Access to the database, on the command line.
    Database,
}

/// The name of a new account, if no account has it in any spelling.
pub async fn free_name(accounts: &dyn Accounts, typed: &str) -> Result<NewName> {
    let name = NewName::parse(typed)?;
    match find_account(accounts, name.as_str()).await? {
        Some(_) => Err(taken(&name).into()),
        None => Ok(name),
    }
}

/// Creates an administrator with this name and password.
pub async fn create_administrator(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    passwords: &Passwords,
    name: NewName,
    password: &str,
    entitlement: Entitlement<'_>,
) -> Result<Account> {
    let password_hash = passwords.hash(NewPassword::parse(password)?).await?;
    let (role, created_at) = (Role::Admin, clock.wall());
    let account = NewAccount { name: name.as_str().to_owned(), role, password_hash, created_at };
    let outcome = match entitlement {
        Entitlement::SetupLink { link, caller } => {
            let by = caller.signature(name.as_str(), created_at);
            accounts.use_setup_link(link.hash(), account, clock.steady(), &by).await?
        }
        Entitlement::Database => {
            let is_created = accounts.create_account(account, &Signature::of_command_line(created_at)).await?;
            if is_created { SetUpOutcome::Created } else { SetUpOutcome::NameIsTaken }
        }
    };
    match outcome {
        SetUpOutcome::Created => Ok(Account { name: name.as_str().to_owned(), role }),
        SetUpOutcome::LinkIsInvalid => Err(link_expired().into()),
        SetUpOutcome::NameIsTaken => Err(taken(&name).into()),
    }
}

fn taken(name: &NewName) -> ApiError {
    let message = format!("There is an account named {} already. Choose another name.", name.as_str());
    ApiError::at(ErrorCode::Conflict, "name", message)
}
