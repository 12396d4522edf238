//! One-use links with which the first administrator makes an account.

use std::time::Duration;

use api::{Account, ApiError, ErrorCode, Role};
use store::{Accounts, Clock, NewAccount, SetUpOutcome};

use crate::accounts::{check_new_name, check_new_password, open_session};
use crate::app_state::Environment;
use crate::platform::error::from_store;
use crate::platform::random::Random;
use crate::platform::token::Token;

/// How long a link can be used.
pub const LINK_LIVES: Duration = Duration::from_secs(30 * 60);

/// A new link's token. It replaces the links made before it.
pub async fn new_setup_link(accounts: &dyn Accounts, clock: &dyn Clock, random: &Random) -> store::Result<Token> {
    let token = Token::new(random);
    accounts.add_setup_link(token.hash(), clock.wall().after(LINK_LIVES)).await?;
    Ok(token)
}

/// Uses up the link, makes the administrator, and opens a session.
pub async fn set_up(
    env: &Environment,
    link: &Token,
    name: String,
    password: String,
) -> Result<(Account, Token), ApiError> {
    let expired = || {
        let message = "This link was used already, or its 30 minutes are over. \
                       `search4letters admin link` prints a new one.";
        ApiError::new(ErrorCode::Expired, message)
    };
    // Before anything is hashed: only who holds a link may make us work.
    if !env.store.setup_link_is_valid(link.hash(), env.clock.wall()).await.map_err(from_store)? {
        return Err(expired());
    }
    check_new_name(&name)?;
    check_new_password(&password)?;
    let password_hash = env.passwords.hash(password).await?;
    let now = env.clock.wall();
    let account = NewAccount { name: name.clone(), role: Role::Admin, password_hash, created_at: now };
    match env.store.use_setup_link(link.hash(), account, now).await.map_err(from_store)? {
        SetUpOutcome::Created => {
            tracing::info!(name = ?name, "an administrator was made");
            let session = open_session(env, &name).await?;
            Ok((Account { name, role: Role::Admin }, session))
        }
        SetUpOutcome::LinkIsInvalid => Err(expired()),
        SetUpOutcome::NameIsTaken => Err(ApiError::at(ErrorCode::Conflict, "name", "This name is taken.")),
    }
}
