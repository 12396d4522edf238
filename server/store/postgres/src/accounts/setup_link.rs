//! The link that makes an administrator, once.

use api::TimeMs;
use store::{NewAccount, Result, SetUpOutcome, TokenHash};

use crate::connections::{Connections, in_time};

pub(super) async fn is_valid(connections: &Connections, token: TokenHash, now: TimeMs) -> Result<bool> {
    let statement = sqlx::query_scalar!(
        r#"select exists (select 1 from setup_link where token_hash = $1 and expires_at_ms > $2) as "is_valid!""#,
        &token.0[..],
        now.0
    );
    let mut connection = connections.get().await?;
    let is_valid = in_time(statement.fetch_one(&mut *connection)).await;
    connection.settle(is_valid).await
}

/// There is at most one link: a new one replaces it, and a used one is gone.
pub(super) async fn add(connections: &Connections, token: TokenHash, expires: TimeMs) -> Result<()> {
    let statement = sqlx::query!(
        "with replaced as (delete from setup_link)
         insert into setup_link (token_hash, expires_at_ms) values ($1, $2)",
        &token.0[..],
        expires.0
    );
    let mut connection = connections.get().await?;
    let added = in_time(statement.execute(&mut *connection)).await;
    connection.settle(added).await.map(drop)
}

pub(super) async fn use_up(
    connections: &Connections,
    token: TokenHash,
    account: &NewAccount,
    now: TimeMs,
) -> Result<SetUpOutcome> {
    // Of two who use it at the same time, the second finds it deleted.
    let statement = sqlx::query!(
        r#"with taken as materialized (
               select 1 from account where lower(name collate "C") = lower($3::text collate "C")
           ),
           valid as materialized (select 1 from setup_link where token_hash = $1 and expires_at_ms > $2),
           used as (
               delete from setup_link
               where token_hash = $1 and expires_at_ms > $2 and not exists (select 1 from taken)
               returning token_hash
           ),
           created as (
               insert into account (name, role, password_hash, created_at_ms)
               select $3::text, $4, $5, $6 where exists (select 1 from used)
               on conflict (lower(name collate "C")) do nothing
               returning id
           )
           select exists (select 1 from created) as "is_created!",
                  exists (select 1 from valid) and exists (select 1 from taken) as "is_taken!""#,
        &token.0[..],
        now.0,
        account.name,
        account.role.as_str(),
        account.password_hash,
        account.created_at.0
    );
    let mut connection = connections.get().await?;
    let used = in_time(statement.fetch_one(&mut *connection)).await;
    let used = connection.settle(used).await?;
    Ok(match (used.is_created, used.is_taken) {
        (true, _) => SetUpOutcome::Created,
        (false, true) => SetUpOutcome::NameIsTaken,
        (false, false) => SetUpOutcome::LinkIsInvalid,
    })
}
