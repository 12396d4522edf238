//! Accounts, sessions and the setup link for the first administrator.

use api::{AuditAction, TimeMs};
use async_trait::async_trait;
use store::codec::{count, role, token_hash};
use store::{
    Accounts, NewAccount, Result, SetUpOutcome, Signature, StoreError, StoredAccount, StoredSession, TokenHash,
};

use crate::PostgresStore;

#[async_trait]
impl Accounts for PostgresStore {
    async fn has_accounts(&self) -> Result<bool> {
        let any = sqlx::query_scalar!(r#"select exists (select 1 from account) as "any!""#);
        self.connections.fetch_one(any).await
    }

    async fn create_account(&self, account: NewAccount, by: &Signature) -> Result<bool> {
        let is_created = sqlx::query_scalar!(
            r#"with created as (
                   insert into account (name, role, password_hash, created_at_ms) values ($1, $2, $3, $4)
                   on conflict (lower(name collate "C")) do nothing
                   returning id
               ),
               ended as (delete from setup_link where exists (select 1 from created)),
               signed as (
                   insert into audit (at_ms, by_name, ip, action, target, detail)
                   select $5, $6, $7, $8, $1, $2 from created
               )
               select exists (select 1 from created) as "is_created!""#,
            account.name,
            account.role.as_str(),
            account.password_hash,
            account.created_at.0,
            by.at.0,
            by.by,
            by.ip,
            AuditAction::CreateAccount.as_str()
        );
        self.connections.fetch_one(is_created).await
    }

    async fn accounts(&self) -> Result<Vec<StoredAccount>> {
        let rows = self.connections.fetch_all(sqlx::query!("select name, role, password_hash from account")).await?;
        let account = |name, text: String, password_hash| Ok(StoredAccount { name, role: role(&text)?, password_hash });
        rows.into_iter().map(|row| account(row.name, row.role, row.password_hash)).collect()
    }

    /// A new link replaces the old one, and a used one is deleted.
    async fn add_setup_link(&self, token: TokenHash, expires: TimeMs, by: Option<&Signature>) -> Result<()> {
        let added = sqlx::query!(
            "with replaced as (delete from setup_link),
             signed as (
                 insert into audit (at_ms, by_name, ip, action, target)
                 select $3, $4, $5, $6, '' where $3::bigint is not null
             )
             insert into setup_link (token_hash, expires_at_ms) values ($1, $2)",
            &token.0[..],
            expires.0,
            by.map(|by| by.at.0),
            by.and_then(|by| by.by.as_deref()),
            by.map(|by| by.ip.as_str()),
            AuditAction::CreateSetupLink.as_str()
        );
        self.connections.execute(added).await.map(drop)
    }

    async fn setup_link_is_valid(&self, token: TokenHash, now: TimeMs) -> Result<bool> {
        let is_valid = sqlx::query_scalar!(
            r#"select exists (select 1 from setup_link where token_hash = $1 and expires_at_ms > $2) as "is_valid!""#,
            &token.0[..],
            now.0
        );
        self.connections.fetch_one(is_valid).await
    }

    async fn use_setup_link(
        &self,
        token: TokenHash,
        account: NewAccount,
        now: TimeMs,
        by: &Signature,
    ) -> Result<SetUpOutcome> {
        // Of two concurrent uses, the second finds the link deleted.
        let used = sqlx::query!(
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
               ),
               signed as (
                   insert into audit (at_ms, by_name, ip, action, target, detail)
                   select $7, $8, $9, $10, $3, $4 from created
               )
               select exists (select 1 from created) as "is_created!",
                      exists (select 1 from valid) and exists (select 1 from taken) as "is_taken!""#,
            &token.0[..],
            now.0,
            account.name,
            account.role.as_str(),
            account.password_hash,
            account.created_at.0,
            by.at.0,
            by.by,
            by.ip,
            AuditAction::CreateAccount.as_str()
        );
        let used = self.connections.fetch_one(used).await?;
        Ok(match (used.is_created, used.is_taken) {
            (true, _) => SetUpOutcome::Created,
            (false, true) => SetUpOutcome::NameIsTaken,
            (false, false) => SetUpOutcome::LinkIsInvalid,
        })
    }

    async fn add_session(&self, session: StoredSession) -> Result<()> {
        let added = sqlx::query!(
            r#"insert into session (token_hash, account_id, created_at_ms, idle_until_ms, ends_at_ms)
               select $1, id, $3, $4, $5 from account where lower(name collate "C") = lower($2::text collate "C")"#,
            &session.token.0[..],
            session.account_name,
            session.created_at.0,
            session.idle_until.0,
            session.ends_at.0
        );
        match self.connections.execute(added).await? {
            0 => Err(StoreError::Sql("a session needs an account, and there is none of its name".to_owned())),
            _ => Ok(()),
        }
    }

    async fn session(&self, token: TokenHash, now: TimeMs) -> Result<Option<(StoredSession, StoredAccount)>> {
        let row = sqlx::query!(
            "select session.token_hash, session.created_at_ms, session.idle_until_ms, session.ends_at_ms,
                    account.name, account.role, account.password_hash
             from session
             join account on account.id = session.account_id
             where session.token_hash = $1 and session.idle_until_ms > $2 and session.ends_at_ms > $2",
            &token.0[..],
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
        let touched =
            sqlx::query!("update session set idle_until_ms = $1 where token_hash = $2", idle_until.0, &token.0[..]);
        self.connections.execute(touched).await.map(drop)
    }

    async fn end_session(&self, token: TokenHash) -> Result<()> {
        let ended = sqlx::query!("delete from session where token_hash = $1", &token.0[..]);
        self.connections.execute(ended).await.map(drop)
    }

    async fn prune_sessions(&self, now: TimeMs) -> Result<u64> {
        let ended = sqlx::query_scalar!(
            r#"with sessions as (delete from session where idle_until_ms <= $1 or ends_at_ms <= $1 returning 1),
                    links as (delete from setup_link where expires_at_ms <= $1 returning 1)
               select (select count(*) from sessions) + (select count(*) from links) as "ended!""#,
            now.0
        );
        self.connections.fetch_one(ended).await.map(count)
    }
}
