//! Who has entered.

use api::TimeMs;
use async_trait::async_trait;
use store::codec::{role, token_hash};
use store::{Result, StoreError, StoredAccount, StoredSession, TokenHash};

use crate::error::store_error;
use crate::reader::Readers;
use crate::writer::{Write, WriteTx};

pub(super) async fn find(
    readers: &Readers,
    token: TokenHash,
    now: TimeMs,
) -> Result<Option<(StoredSession, StoredAccount)>> {
    let token = &token.0[..];
    let row = sqlx::query!(
        "select session.token_hash, session.created_at_ms, session.idle_until_ms, session.ends_at_ms,
                account.name, account.role, account.password_hash
         from session
         join account on account.id = session.account_id
         where session.token_hash = ?1 and session.idle_until_ms > ?2 and session.ends_at_ms > ?2",
        token,
        now.0
    )
    .fetch_optional(&mut *readers.get().await?)
    .await
    .map_err(store_error)?;
    let Some(row) = row else { return Ok(None) };
    let session = StoredSession {
        token: token_hash(&row.token_hash)?,
        account_name: row.name.clone(),
        created_at: TimeMs(row.created_at_ms),
        idle_until: TimeMs(row.idle_until_ms),
        ends_at: TimeMs(row.ends_at_ms),
    };
    let account = StoredAccount { name: row.name, role: role(&row.role)?, password_hash: row.password_hash };
    Ok(Some((session, account)))
}

pub(super) struct AddSession(pub(super) StoredSession);

#[async_trait]
impl Write for AddSession {
    type Answer = ();

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let session = &self.0;
        let token = &session.token.0[..];
        let added = sqlx::query_scalar!(
            r#"insert into session (token_hash, account_id, created_at_ms, idle_until_ms, ends_at_ms)
               select ?1, id, ?3, ?4, ?5 from account where name = ?2
               returning account_id as "account_id!: i64""#,
            token,
            session.account_name,
            session.created_at.0,
            session.idle_until.0,
            session.ends_at.0
        )
        .fetch_optional(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        added
            .map(drop)
            .ok_or_else(|| StoreError::Sql("a session needs an account, and there is none of its name".into()))
    }
}

pub(super) struct TouchSession {
    pub(super) token: TokenHash,
    pub(super) idle_until: TimeMs,
}

#[async_trait]
impl Write for TouchSession {
    type Answer = ();

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let token = &self.token.0[..];
        sqlx::query!("update session set idle_until_ms = ?1 where token_hash = ?2", self.idle_until.0, token)
            .execute(&mut *tx.connection)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

pub(super) struct EndSession(pub(super) TokenHash);

#[async_trait]
impl Write for EndSession {
    type Answer = ();

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let token = &self.0.0[..];
        sqlx::query!("delete from session where token_hash = ?1", token)
            .execute(&mut *tx.connection)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

pub(super) struct PruneSessions {
    pub(super) now: TimeMs,
}

#[async_trait]
impl Write for PruneSessions {
    type Answer = u64;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<u64> {
        let sessions = sqlx::query_scalar!(
            "delete from session where idle_until_ms <= ?1 or ends_at_ms <= ?1 returning account_id",
            self.now.0
        )
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        let links =
            sqlx::query_scalar!("delete from setup_link where expires_at_ms <= ?1 returning expires_at_ms", self.now.0)
                .fetch_all(&mut *tx.connection)
                .await
                .map_err(store_error)?;
        Ok((sessions.len() + links.len()) as u64)
    }
}
