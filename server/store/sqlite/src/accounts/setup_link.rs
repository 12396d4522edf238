//! The link that makes an administrator, once.

use api::TimeMs;
use async_trait::async_trait;
use store::{NewAccount, Result, SetUpOutcome, TokenHash};

use crate::accounts::account;
use crate::error::store_error;
use crate::reader::Readers;
use crate::writer::{Write, WriteTx};

pub(super) async fn is_valid(readers: &Readers, token: TokenHash, now: TimeMs) -> Result<bool> {
    let token = &token.0[..];
    let link = sqlx::query_scalar!(
        "select expires_at_ms from setup_link where token_hash = ?1 and expires_at_ms > ?2",
        token,
        now.0
    );
    Ok(link.fetch_optional(&mut *readers.get().await?).await.map_err(store_error)?.is_some())
}

pub(super) struct AddSetupLink {
    pub(super) token: TokenHash,
    pub(super) expires: TimeMs,
}

#[async_trait]
impl Write for AddSetupLink {
    type Answer = ();

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let token = &self.token.0[..];
        delete_all(tx).await?;
        sqlx::query!("insert into setup_link (token_hash, expires_at_ms) values (?1, ?2)", token, self.expires.0)
            .execute(&mut *tx.connection)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

pub(super) struct UseSetupLink {
    pub(super) token: TokenHash,
    pub(super) account: NewAccount,
    pub(super) now: TimeMs,
}

#[async_trait]
impl Write for UseSetupLink {
    type Answer = SetUpOutcome;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<SetUpOutcome> {
        let token = &self.token.0[..];
        let link = sqlx::query_scalar!(
            "select expires_at_ms from setup_link where token_hash = ?1 and expires_at_ms > ?2",
            token,
            self.now.0
        )
        .fetch_optional(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        if link.is_none() {
            return Ok(SetUpOutcome::LinkIsInvalid);
        }
        if !account::create(&self.account, tx).await? {
            return Ok(SetUpOutcome::NameIsTaken);
        }
        delete_all(tx).await?;
        Ok(SetUpOutcome::Created)
    }
}

/// There is at most one link: a new one replaces it, and a used one is gone.
pub(super) async fn delete_all(tx: &mut WriteTx<'_>) -> Result<()> {
    sqlx::query!("delete from setup_link").execute(&mut *tx.connection).await.map_err(store_error)?;
    Ok(())
}
