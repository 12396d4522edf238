//! Who may enter.

use store::codec::role;
use store::{NewAccount, Result, StoredAccount};

use crate::connections::{Connections, in_time};

pub(super) async fn any(connections: &Connections) -> Result<bool> {
    let statement = sqlx::query_scalar!(r#"select exists (select 1 from account) as "any!""#);
    let mut connection = connections.get().await?;
    let any = in_time(statement.fetch_one(&mut *connection)).await;
    connection.settle(any).await
}

pub(super) async fn find(connections: &Connections, name: &str) -> Result<Option<StoredAccount>> {
    // No account has it: PostgreSQL refuses the character, where the answer is simply that there is none.
    if name.contains('\0') {
        return Ok(None);
    }
    let statement = sqlx::query!(
        r#"select name, role, password_hash from account where lower(name collate "C") = lower($1::text collate "C")"#,
        name
    );
    let mut connection = connections.get().await?;
    let row = in_time(statement.fetch_optional(&mut *connection)).await;
    let Some(row) = connection.settle(row).await? else { return Ok(None) };
    Ok(Some(StoredAccount { name: row.name, role: role(&row.role)?, password_hash: row.password_hash }))
}

/// Returns false, and changes nothing, if the name is taken.
pub(super) async fn create(connections: &Connections, account: &NewAccount) -> Result<bool> {
    let statement = sqlx::query_scalar!(
        r#"with created as (
               insert into account (name, role, password_hash, created_at_ms) values ($1, $2, $3, $4)
               on conflict (lower(name collate "C")) do nothing
               returning id
           ),
           ended as (delete from setup_link where exists (select 1 from created))
           select exists (select 1 from created) as "is_created!""#,
        account.name,
        account.role.as_str(),
        account.password_hash,
        account.created_at.0
    );
    let mut connection = connections.get().await?;
    let is_created = in_time(statement.fetch_one(&mut *connection)).await;
    connection.settle(is_created).await
}
