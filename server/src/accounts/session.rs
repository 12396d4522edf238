//! Sessions: opened by a login, kept in the store, named by a cookie.

use std::time::Duration;

use api::{Account, ApiError, ErrorCode};
use store::{StoredAccount, StoredSession};

use crate::app_state::Environment;
use crate::platform::caller::Caller;
use crate::platform::error::from_store;
use crate::platform::token::Token;

/// A session that is not used for this long ends.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// A session ends then, however much it is used.
const ABSOLUTE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The idle time is moved no more often than this: reading a page must not cost a write each time.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// Checks name and password and opens a session. Always a new one: a session that somebody
/// planted before the login is worth nothing after it.
pub async fn log_in(
    env: &Environment,
    caller: &Caller,
    name: &str,
    password: String,
) -> Result<(Account, Token), ApiError> {
    let attempt = env.login_limit.attempt(name, caller.ip)?;
    let checked = check(env, name, password).await.inspect_err(|_| env.login_limit.came_to_nothing(&attempt))?;
    let Some(account) = checked else {
        tracing::warn!(name = ?name, ip = %caller.ip, "a login failed");
        return Err(ApiError::new(ErrorCode::WrongCredentials, "Name or password is wrong."));
    };
    env.login_limit.succeeded(attempt);
    log_out(env, caller).await?;
    let token = open_session(env, &account.name).await?;
    tracing::info!(name = ?account.name, ip = %caller.ip, "logged in");
    Ok((public(account), token))
}

/// The account, if this is its password. Takes as long where there is no such account.
async fn check(env: &Environment, name: &str, password: String) -> Result<Option<StoredAccount>, ApiError> {
    let account = env.store.account(name).await.map_err(from_store)?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let is_right = env.passwords.verify(password, hash).await?;
    Ok(account.filter(|_| is_right))
}

/// Opens a session without asking anything.
pub async fn open_session(env: &Environment, account_name: &str) -> Result<Token, ApiError> {
    let token = Token::new(&env.random);
    let now = env.clock.wall();
    let session = StoredSession {
        token: token.hash(),
        account_name: account_name.to_owned(),
        created_at: now,
        idle_until: now.after(IDLE),
        ends_at: now.after(ABSOLUTE),
    };
    env.store.add_session(session).await.map_err(from_store)?;
    Ok(token)
}

/// Ends the caller's session, if there is one.
pub async fn log_out(env: &Environment, caller: &Caller) -> Result<(), ApiError> {
    match &caller.session {
        Some(token) => env.store.end_session(token.hash()).await.map_err(from_store),
        None => Ok(()),
    }
}

/// Whose session it is that the caller names; none where it names none, or one that has ended.
pub async fn who(env: &Environment, caller: &Caller) -> Result<Option<Account>, ApiError> {
    let Some(token) = &caller.session else { return Ok(None) };
    let now = env.clock.wall();
    let Some((session, account)) = env.store.session(token.hash(), now).await.map_err(from_store)? else {
        return Ok(None);
    };
    let idle_until = now.after(IDLE).min(session.ends_at);
    if idle_until.since(session.idle_until) >= i64::try_from(TOUCH_EVERY.as_millis()).unwrap_or(i64::MAX) {
        // Nobody waits for this write, and a store that cannot take it does not end the session.
        let (store, token) = (env.store.clone(), token.hash());
        tokio::spawn(async move {
            if let Err(error) = store.touch_session(token, idle_until).await {
                tracing::warn!(%error, "a session's idle time could not be moved");
            }
        });
    }
    Ok(Some(public(account)))
}

/// Whether the caller's session lasts still. Unlike [`who`] it does not prolong it: a page that
/// was left open is nobody who uses it.
pub async fn is_logged_in(env: &Environment, caller: &Caller) -> Result<bool, ApiError> {
    let Some(token) = &caller.session else { return Ok(false) };
    Ok(env.store.session(token.hash(), env.clock.wall()).await.map_err(from_store)?.is_some())
}

fn public(StoredAccount { name, role, .. }: StoredAccount) -> Account {
    Account { name, role }
}
