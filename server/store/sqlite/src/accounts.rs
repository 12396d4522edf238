//! Accounts, sessions and setup links.

mod account;
mod session;
mod setup_link;

use api::TimeMs;
use async_trait::async_trait;
use store::{Accounts, NewAccount, Result, SetUpOutcome, StoredAccount, StoredSession, TokenHash};

use crate::SqliteStore;
use crate::accounts::account::CreateAccount;
use crate::accounts::session::{AddSession, EndSession, PruneSessions, TouchSession};
use crate::accounts::setup_link::{AddSetupLink, UseSetupLink};

#[async_trait]
impl Accounts for SqliteStore {
    async fn has_accounts(&self) -> Result<bool> {
        account::any(&self.readers).await
    }

    async fn create_account(&self, account: NewAccount) -> Result<bool> {
        self.writer.ask(CreateAccount(account)).await
    }

    async fn account(&self, name: &str) -> Result<Option<StoredAccount>> {
        account::find(&self.readers, name).await
    }

    async fn add_setup_link(&self, token: TokenHash, expires: TimeMs) -> Result<()> {
        self.writer.ask(AddSetupLink { token, expires }).await
    }

    async fn setup_link_is_valid(&self, token: TokenHash, now: TimeMs) -> Result<bool> {
        setup_link::is_valid(&self.readers, token, now).await
    }

    async fn use_setup_link(&self, token: TokenHash, account: NewAccount, now: TimeMs) -> Result<SetUpOutcome> {
        self.writer.ask(UseSetupLink { token, account, now }).await
    }

    async fn add_session(&self, session: StoredSession) -> Result<()> {
        self.writer.ask(AddSession(session)).await
    }

    async fn session(&self, token: TokenHash, now: TimeMs) -> Result<Option<(StoredSession, StoredAccount)>> {
        session::find(&self.readers, token, now).await
    }

    async fn touch_session(&self, token: TokenHash, idle_until: TimeMs) -> Result<()> {
        self.writer.ask(TouchSession { token, idle_until }).await
    }

    async fn end_session(&self, token: TokenHash) -> Result<()> {
        self.writer.ask(EndSession(token)).await
    }

    async fn prune_sessions(&self, now: TimeMs) -> Result<u64> {
        self.writer.ask(PruneSessions { now }).await
    }
}
