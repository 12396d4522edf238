//! Sessions, kept in the store and identified by a cookie, and the one-use setup links that create administrators.

use std::time::Duration;

use api::{Account, ApiError, ErrorCode};
use async_trait::async_trait;
use store::{Accounts, Clock, Signature, StoredAccount, StoredSession};

use super::name::find_account;
use super::{AccountService, Entitlement, create_administrator, free_name};
use crate::platform::caller::{Caller, Sessions};
use crate::platform::error::Result;
use crate::platform::random::{Random, Token};

/// Idle timeout of a session.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// Maximum lifetime of a session, however much it is used.
const ABSOLUTE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Minimum interval between updates of a session's idle timeout: not every page view should cost a write.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// Lifetime of a setup link.
const LINK_LIVES: Duration = Duration::from_secs(30 * 60);

/// Creates a setup link and returns its token. Earlier links become invalid. Without a signature, the server
/// itself makes it.
pub async fn new_setup_link(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    random: &Random,
    by: Option<&Signature>,
) -> store::Result<Token> {
    let token = Token::new(random);
    accounts.add_setup_link(token.hash(), clock.steady().after(LINK_LIVES), by).await?;
    Ok(token)
}

impl AccountService {
    /// Checks name and password, and opens a session. It is always a new one, which prevents session fixation.
    pub(super) async fn log_in(&self, caller: &Caller, name: &str, password: String) -> Result<(Account, Token)> {
        let attempt = self.login_limit.attempt(name, caller.ip)?;
        let checked = self.check(name, password).await.inspect_err(|_| self.login_limit.take_back(&attempt))?;
        let Some(account) = checked else {
            tracing::warn!(name = ?name, ip = caller.ip_text(), "a login failed");
            return Err(ApiError::new(ErrorCode::WrongCredentials, "Name or password is wrong.").into());
        };
        self.login_limit.succeeded(attempt);
        self.log_out(caller).await?;
        let token = self.open_session(&account.name).await?;
        tracing::info!(name = ?account.name, ip = caller.ip_text(), "logged in");
        Ok((to_view(account), token))
    }

    /// The account, if this is its password. Takes as long for an unknown name.
    async fn check(&self, name: &str, password: String) -> Result<Option<StoredAccount>> {
        let account = find_account(&*self.store, name).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let is_right = self.passwords.verify(password, hash).await?;
        Ok(account.filter(|_| is_right))
    }

    /// Opens a session without checking anything.
    pub async fn open_session(&self, account_name: &str) -> Result<Token> {
        let token = Token::new(&self.random);
        let now = self.clock.steady();
        let session = StoredSession {
            token: token.hash(),
            account_name: account_name.to_owned(),
            created_at: self.clock.wall(),
            idle_until: now.after(IDLE),
            ends_at: now.after(ABSOLUTE),
        };
        self.store.add_session(session).await?;
        Ok(token)
    }

    /// Ends the caller's session, if there is one.
    pub(super) async fn log_out(&self, caller: &Caller) -> Result<()> {
        match &caller.session {
            Some(token) => Ok(self.store.end_session(token.hash()).await?),
            None => Ok(()),
        }
    }

    pub(super) async fn has_accounts(&self) -> Result<bool> {
        Ok(self.store.has_accounts().await?)
    }

    /// Fails if the setup link was used already or has expired.
    pub(super) async fn check_setup_link(&self, link: &Token) -> Result<()> {
        match self.store.setup_link_is_valid(link.hash(), self.clock.steady()).await? {
            true => Ok(()),
            false => Err(link_expired().into()),
        }
    }

    /// Consumes the link, creates the administrator, and opens a session.
    pub(super) async fn set_up(
        &self,
        caller: &Caller,
        link: &Token,
        name: &str,
        password: &str,
    ) -> Result<(Account, Token)> {
        // Checked before hashing, which is expensive: only the holder of a link may cause it.
        self.check_setup_link(link).await?;
        let name = free_name(&*self.store, name).await?;
        let link = Entitlement::SetupLink { link, caller };
        let account = create_administrator(&*self.store, &*self.clock, &self.passwords, name, password, link).await?;
        tracing::info!(name = ?account.name, "an administrator was created");
        let session = self.open_session(&account.name).await?;
        Ok((account, session))
    }
}

#[async_trait]
impl Sessions for AccountService {
    async fn account(&self, caller: &Caller) -> Result<Option<Account>> {
        let Some(token) = &caller.session else { return Ok(None) };
        let now = self.clock.steady();
        let Some((session, account)) = self.store.session(token.hash(), now).await? else { return Ok(None) };
        let idle_until = now.after(IDLE).min(session.ends_at);
        if idle_until.since(session.idle_until) >= i64::try_from(TOUCH_EVERY.as_millis()).unwrap_or(i64::MAX) {
            // The request does not wait for this write, and a failed write does not end the session.
            let (store, token) = (self.store.clone(), token.hash());
            tokio::spawn(async move {
                if let Err(error) = store.touch_session(token, idle_until).await {
                    tracing::warn!(%error, "a session's idle timeout could not be extended");
                }
            });
        }
        Ok(Some(to_view(account)))
    }

    async fn lasts(&self, caller: &Caller) -> Result<bool> {
        let Some(token) = &caller.session else { return Ok(false) };
        Ok(self.store.session(token.hash(), self.clock.steady()).await?.is_some())
    }
}

pub(super) fn link_expired() -> ApiError {
    let message =
        "This link was used already, or its 30 minutes are over. `search4letters admin link` prints a new one.";
    ApiError::new(ErrorCode::Expired, message)
}

fn to_view(StoredAccount { name, role, .. }: StoredAccount) -> Account {
    Account { name, role }
}
