//! Who has entered.

use api::TimeMs;
use store::codec::{count, role, token_hash};
use store::{Result, StoreError, StoredAccount, StoredSession, TokenHash};

use crate::connections::{Connections, in_time};

pub(super) async fn find(
    connections: &Connections,
    token: TokenHash,
    now: TimeMs,
) -> Result<Option<(StoredSession, StoredAccount)>> {
    let statement = sqlx::query!(
        "select session.token_hash, session.created_at_ms, session.idle_until_ms, session.ends_at_ms,
                account.name, account.role, account.password_hash
         from session
         join account on account.id = session.account_id
         where session.token_hash = $1 and session.idle_until_ms > $2 and session.ends_at_ms > $2",
        &token.0[..],
        now.0
    );
    let mut connection = connections.get().await?;
    let row = in_time(statement.fetch_optional(&mut *connection)).await;
    let Some(row) = connection.settle(row).await? else { return Ok(None) };
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

pub(super) async fn add(connections: &Connections, session: &StoredSession) -> Result<()> {
    let statement = sqlx::query!(
        r#"insert into session (token_hash, account_id, created_at_ms, idle_until_ms, ends_at_ms)
           select $1, id, $3, $4, $5 from account where lower(name collate "C") = lower($2::text collate "C")"#,
        &session.token.0[..],
        session.account_name,
        session.created_at.0,
        session.idle_until.0,
        session.ends_at.0
    );
    let mut connection = connections.get().await?;
    let added = in_time(statement.execute(&mut *connection)).await;
    match connection.settle(added).await?.rows_affected() {
        0 => Err(StoreError::Sql("a session needs an account, and there is none of its name".to_owned())),
        _ => Ok(()),
    }
}

pub(super) async fn touch(connections: &Connections, token: TokenHash, idle_until: TimeMs) -> Result<()> {
    let statement =
        sqlx::query!("update session set idle_until_ms = $1 where token_hash = $2", idle_until.0, &token.0[..]);
    let mut connection = connections.get().await?;
    let touched = in_time(statement.execute(&mut *connection)).await;
    connection.settle(touched).await.map(drop)
}

pub(super) async fn end(connections: &Connections, token: TokenHash) -> Result<()> {
    let statement = sqlx::query!("delete from session where token_hash = $1", &token.0[..]);
    let mut connection = connections.get().await?;
    let ended = in_time(statement.execute(&mut *connection)).await;
    connection.settle(ended).await.map(drop)
}

pub(super) async fn prune(connections: &Connections, now: TimeMs) -> Result<u64> {
    let statement = sqlx::query_scalar!(
        r#"with sessions as (delete from session where idle_until_ms <= $1 or ends_at_ms <= $1 returning 1),
                links as (delete from setup_link where expires_at_ms <= $1 returning 1)
           select (select count(*) from sessions) + (select count(*) from links) as "ended!""#,
        now.0
    );
    let mut connection = connections.get().await?;
    let ended = in_time(statement.fetch_one(&mut *connection)).await;
    connection.settle(ended).await.map(count)
}
