//! Accounts, sessions and one-use setup links. Secrets arrive hashed: a store never sees one.

use api::{Role, TimeMs};
use async_trait::async_trait;

use crate::{Result, Signature};

/// The SHA-256 of a random token, which only its holder knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    async fn has_accounts(&self) -> Result<bool>;

    /// Returns false, and changes nothing, if the name is taken, ignoring ASCII case. Revokes an open setup link, which
    /// is only for a database without accounts.
    async fn create_account(&self, account: NewAccount, by: &Signature) -> Result<bool>;

    /// All accounts, in no order.
    async fn accounts(&self) -> Result<Vec<StoredAccount>>;

    /// Adds a link that can create one administrator until `expires`. It replaces older links. Without a
    /// signature, the server itself makes it.
    async fn add_setup_link(&self, token: TokenHash, expires: TimeMs, by: Option<&Signature>) -> Result<()>;

    /// Whether the link can still be used at `now`.
    async fn setup_link_is_valid(&self, token: TokenHash, now: TimeMs) -> Result<bool>;

    /// Uses up the link and creates the account atomically.
    async fn use_setup_link(
        &self,
        token: TokenHash,
        account: NewAccount,
        now: TimeMs,
        by: &Signature,
    ) -> Result<SetUpOutcome>;

    async fn add_session(&self, session: StoredSession) -> Result<()>;

    /// The session and its account, unless the session has ended by `now`.
    async fn session(&self, token: TokenHash, now: TimeMs) -> Result<Option<(StoredSession, StoredAccount)>>;

    /// Sets the end of the session's idle time.
    async fn touch_session(&self, token: TokenHash, idle_until: TimeMs) -> Result<()>;

    async fn end_session(&self, token: TokenHash) -> Result<()>;

    /// Deletes sessions and setup links that have ended by `now`. Returns how many.
    async fn prune_sessions(&self, now: TimeMs) -> Result<u64>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    pub name: String,
    pub role: Role,
    /// An argon2id hash in PHC string format.
    pub password_hash: String,
    pub created_at: TimeMs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// As typed when the account was created.
    pub name: String,
    pub role: Role,
    pub password_hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    pub token: TokenHash,
    pub account_name: String,
    pub created_at: TimeMs,
    /// When the session ends unless it is used before.
    pub idle_until: TimeMs,
    /// When the session ends in any case.
    pub ends_at: TimeMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUpOutcome {
    Created,
    /// Used, expired or unknown.
    LinkIsInvalid,
    /// The link stays valid, so that another name can be tried.
    NameIsTaken,
}
