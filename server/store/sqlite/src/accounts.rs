//! Accounts, sessions and the setup link for the first administrator.

use api::{AuditAction, TimeMs};
use async_trait::async_trait;
use store::codec::{role, token_hash};
use store::{
    Accounts, NewAccount, Result, SetUpOutcome, Signature, StoreError, StoredAccount, StoredSession, TokenHash,
};

use crate::SqliteStore;
use crate::audit::Act;
use crate::transaction::Transaction;
use crate::writer::Write;

#[async_trait]
impl Accounts for SqliteStore {
    async fn has_accounts(&self) -> Result<bool> {
        let first = sqlx::query_scalar!("select id from account limit 1");
        Ok(self.connections.fetch_optional(first).await?.is_some())
    }

    async fn create_account(&self, account: NewAccount, by: &Signature) -> Result<bool> {
        self.writer.write(CreateAccount { account, by: by.clone() }).await
    }

    async fn accounts(&self) -> Result<Vec<StoredAccount>> {
        let rows = self.connections.fetch_all(sqlx::query!("select name, role, password_hash from account")).await?;
        let account = |name, text: String, password_hash| Ok(StoredAccount { name, role: role(&text)?, password_hash });
        rows.into_iter().map(|row| account(row.name, row.role, row.password_hash)).collect()
    }

    async fn add_setup_link(&self, token: TokenHash, expires: TimeMs, by: Option<&Signature>) -> Result<()> {
        self.writer.write(AddSetupLink { token, expires, by: by.cloned() }).await
    }

    async fn setup_link_is_valid(&self, token: TokenHash, now: TimeMs) -> Result<bool> {
        let token = &token.0[..];
        let link = sqlx::query_scalar!(
            "select expires_at_ms from setup_link where token_hash = ?1 and expires_at_ms > ?2",
            token,
            now.0
        );
        Ok(self.connections.fetch_optional(link).await?.is_some())
    }

    async fn use_setup_link(
        &self,
        token: TokenHash,
        account: NewAccount,
        now: TimeMs,
        by: &Signature,
    ) -> Result<SetUpOutcome> {
        self.writer.write(UseSetupLink { token, account, now, by: by.clone() }).await
    }

    async fn add_session(&self, session: StoredSession) -> Result<()> {
        self.writer.write(AddSession(session)).await
    }

    async fn session(&self, token: TokenHash, now: TimeMs) -> Result<Option<(StoredSession, StoredAccount)>> {
        let token = &token.0[..];
        let row = sqlx::query!(
            "select session.token_hash, session.created_at_ms, session.idle_until_ms, session.ends_at_ms,
                    account.name, account.role, account.password_hash
             from session
             join account on account.id = session.account_id
             where session.token_hash = ?1 and session.idle_until_ms > ?2 and session.ends_at_ms > ?2",
            token,
            now.0
        );
        let Some(row) = self.connections.fetch_optional(row).await? else { return Ok(None) };
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

    async fn touch_session(&self, token: TokenHash, idle_until: TimeMs) -> Result<()> {
        self.writer.write(TouchSession { token, idle_until }).await
    }

    async fn end_session(&self, token: TokenHash) -> Result<()> {
        self.writer.write(EndSession(token)).await
    }

    async fn prune_sessions(&self, now: TimeMs) -> Result<u64> {
        self.writer.write(PruneSessions { now }).await
    }
}

struct CreateAccount {
    account: NewAccount,
    by: Signature,
}

#[async_trait]
impl Write for CreateAccount {
    type Answer = bool;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        let is_created = create(&self.account, &self.by, tx).await?;
        if is_created {
            delete_setup_links(tx).await?;
        }
        Ok(is_created)
    }
}

/// Returns false, and changes nothing, if the name is taken.
async fn create(account: &NewAccount, by: &Signature, tx: &mut Transaction<'_>) -> Result<bool> {
    let role = account.role.as_str();
    let created = sqlx::query_scalar!(
        "insert into account (name, role, password_hash, created_at_ms) values (?1, ?2, ?3, ?4)
         on conflict (name) do nothing
         returning id",
        account.name,
        role,
        account.password_hash,
        account.created_at.0
    );
    if tx.fetch_optional(created).await?.is_none() {
        return Ok(false);
    }
    let detail = Some(role.to_owned());
    tx.sign(by, Act { action: AuditAction::CreateAccount, job: None, target: &account.name, detail }).await?;
    Ok(true)
}

struct AddSetupLink {
    token: TokenHash,
    expires: TimeMs,
    by: Option<Signature>,
}

#[async_trait]
impl Write for AddSetupLink {
    type Answer = ();

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<()> {
        let token = &self.token.0[..];
        delete_setup_links(tx).await?;
        let added =
            sqlx::query!("insert into setup_link (token_hash, expires_at_ms) values (?1, ?2)", token, self.expires.0);
        tx.execute(added).await?;
        if let Some(by) = &self.by {
            tx.sign(by, Act { action: AuditAction::CreateSetupLink, job: None, target: "", detail: None }).await?;
        }
        Ok(())
    }
}

struct UseSetupLink {
    token: TokenHash,
    account: NewAccount,
    now: TimeMs,
    by: Signature,
}

#[async_trait]
impl Write for UseSetupLink {
    type Answer = SetUpOutcome;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<SetUpOutcome> {
        let token = &self.token.0[..];
        let link = sqlx::query_scalar!(
            "select expires_at_ms from setup_link where token_hash = ?1 and expires_at_ms > ?2",
            token,
            self.now.0
        );
        if tx.fetch_optional(link).await?.is_none() {
            return Ok(SetUpOutcome::LinkIsInvalid);
        }
        if !create(&self.account, &self.by, tx).await? {
            return Ok(SetUpOutcome::NameIsTaken);
        }
        delete_setup_links(tx).await?;
        Ok(SetUpOutcome::Created)
    }
}

/// There is at most one link. A new link replaces it, and a used one is deleted.
async fn delete_setup_links(tx: &mut Transaction<'_>) -> Result<()> {
    tx.execute(sqlx::query!("delete from setup_link")).await.map(drop)
}

struct AddSession(StoredSession);

#[async_trait]
impl Write for AddSession {
    type Answer = ();

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<()> {
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
        );
        let added = tx.fetch_optional(added).await?;
        added
            .map(drop)
            .ok_or_else(|| StoreError::Sql("a session needs an account, and there is none of its name".into()))
    }
}

struct TouchSession {
    token: TokenHash,
    idle_until: TimeMs,
}

#[async_trait]
impl Write for TouchSession {
    type Answer = ();

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<()> {
        let token = &self.token.0[..];
        let touched =
            sqlx::query!("update session set idle_until_ms = ?1 where token_hash = ?2", self.idle_until.0, token);
        tx.execute(touched).await.map(drop)
    }
}

struct EndSession(TokenHash);

#[async_trait]
impl Write for EndSession {
    type Answer = ();

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<()> {
        let token = &self.0.0[..];
        tx.execute(sqlx::query!("delete from session where token_hash = ?1", token)).await.map(drop)
    }
}

struct PruneSessions {
    now: TimeMs,
}

#[async_trait]
impl Write for PruneSessions {
    type Answer = u64;

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<u64> {
        let sessions = sqlx::query_scalar!(
            "delete from session where idle_until_ms <= ?1 or ends_at_ms <= ?1 returning account_id",
            self.now.0
        );
        let sessions = tx.fetch_all(sessions).await?;
        let links =
            sqlx::query_scalar!("delete from setup_link where expires_at_ms <= ?1 returning expires_at_ms", self.now.0);
        let links = tx.fetch_all(links).await?;
        Ok((sessions.len() + links.len()) as u64)
    }
}
