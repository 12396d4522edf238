//! Accounts, sessions and one-use setup links. Secrets arrive hashed: a store never sees one.

use api::{Role, TimeMs};
use async_trait::async_trait;

use crate::Result;

/// The SHA-256 of a random token, which only its holder knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    async fn has_accounts(&self) -> Result<bool>;

    /// Returns false, and changes nothing, if the name is taken. Names are compared without
    /// regard to the case of ASCII letters. A setup link that is still open ends: it was for
    /// a database without accounts.
    async fn create_account(&self, account: NewAccount) -> Result<bool>;

    async fn account(&self, name: &str) -> Result<Option<StoredAccount>>;

    /// Adds a link that makes one administrator, once, until `expires`. It replaces older links:
    /// only the newest can be used.
    async fn add_setup_link(&self, token: TokenHash, expires: TimeMs) -> Result<()>;

    /// Whether the link can still be used at `now`.
    async fn setup_link_is_valid(&self, token: TokenHash, now: TimeMs) -> Result<bool>;

    /// Uses up the link and makes the account, both or neither.
    async fn use_setup_link(&self, token: TokenHash, account: NewAccount, now: TimeMs) -> Result<SetUpOutcome>;

    async fn add_session(&self, session: StoredSession) -> Result<()>;

    /// The session and its account, unless it has ended by `now`.
    async fn session(&self, token: TokenHash, now: TimeMs) -> Result<Option<(StoredSession, StoredAccount)>>;

    /// Moves the end of the session's idle time.
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
    /// As it was written when the account was made.
    pub name: String,
    pub role: Role,
    pub password_hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    pub token: TokenHash,
    pub account_name: String,
    pub created_at: TimeMs,
    /// Ends then, unless it is used before.
    pub idle_until: TimeMs,
    /// Ends then, however much it is used.
    pub ends_at: TimeMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUpOutcome {
    Created,
    /// Used, expired, or never made.
    LinkIsInvalid,
    /// The link stays valid, for another name.
    NameIsTaken,
}
