//! Who may enter.

use async_trait::async_trait;
use store::codec::role;
use store::{NewAccount, Result, StoredAccount};

use crate::accounts::setup_link;
use crate::error::store_error;
use crate::reader::Readers;
use crate::writer::{Write, WriteTx};

pub(super) async fn any(readers: &Readers) -> Result<bool> {
    let first = sqlx::query_scalar!("select id from account limit 1").fetch_optional(&mut *readers.get().await?).await;
    Ok(first.map_err(store_error)?.is_some())
}

pub(super) async fn find(readers: &Readers, name: &str) -> Result<Option<StoredAccount>> {
    let row = sqlx::query!("select name, role, password_hash from account where name = ?1", name)
        .fetch_optional(&mut *readers.get().await?)
        .await
        .map_err(store_error)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredAccount { name: row.name, role: role(&row.role)?, password_hash: row.password_hash }))
}

pub(super) struct CreateAccount(pub(super) NewAccount);

#[async_trait]
impl Write for CreateAccount {
    type Answer = bool;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<bool> {
        let is_created = create(&self.0, tx).await?;
        if is_created {
            setup_link::delete_all(tx).await?;
        }
        Ok(is_created)
    }
}

/// Returns false, and changes nothing, if the name is taken.
pub(super) async fn create(account: &NewAccount, tx: &mut WriteTx<'_>) -> Result<bool> {
    let role = account.role.as_str();
    let created = sqlx::query_scalar!(
        "insert into account (name, role, password_hash, created_at_ms) values (?1, ?2, ?3, ?4)
         on conflict (name) do nothing
         returning id",
        account.name,
        role,
        account.password_hash,
        account.created_at.0
    )
    .fetch_optional(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    Ok(created.is_some())
}
