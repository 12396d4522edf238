//! Accounts, sessions and setup links.

mod account;
mod session;
mod setup_link;

use api::TimeMs;
use async_trait::async_trait;
use store::{Accounts, NewAccount, Result, SetUpOutcome, StoredAccount, StoredSession, TokenHash};

use crate::PostgresStore;

#[async_trait]
impl Accounts for PostgresStore {
    async fn has_accounts(&self) -> Result<bool> {
        account::any(&self.connections).await
    }

    async fn create_account(&self, account: NewAccount) -> Result<bool> {
        account::create(&self.connections, &account).await
    }

    async fn account(&self, name: &str) -> Result<Option<StoredAccount>> {
        account::find(&self.connections, name).await
    }

    async fn add_setup_link(&self, token: TokenHash, expires: TimeMs) -> Result<()> {
        setup_link::add(&self.connections, token, expires).await
    }

    async fn setup_link_is_valid(&self, token: TokenHash, now: TimeMs) -> Result<bool> {
        setup_link::is_valid(&self.connections, token, now).await
    }

    async fn use_setup_link(&self, token: TokenHash, account: NewAccount, now: TimeMs) -> Result<SetUpOutcome> {
        setup_link::use_up(&self.connections, token, &account, now).await
    }

    async fn add_session(&self, session: StoredSession) -> Result<()> {
        session::add(&self.connections, &session).await
    }

    async fn session(&self, token: TokenHash, now: TimeMs) -> Result<Option<(StoredSession, StoredAccount)>> {
        session::find(&self.connections, token, now).await
    }

    async fn touch_session(&self, token: TokenHash, idle_until: TimeMs) -> Result<()> {
        session::touch(&self.connections, token, idle_until).await
    }

    async fn end_session(&self, token: TokenHash) -> Result<()> {
        session::end(&self.connections, token).await
    }

    async fn prune_sessions(&self, now: TimeMs) -> Result<u64> {
        session::prune(&self.connections, now).await
    }
}
