//! Kinds of jobs: which there are, and what an administrator has decided for them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use store::codec::{count, job_state};
use store::{Result, StoredKind, Topic};

use crate::error::store_error;
use crate::reader::Readers;
use crate::texts::json_rows;
use crate::writer::{Write, WriteTx};

pub(super) async fn kinds(readers: &Readers) -> Result<Vec<StoredKind>> {
    let rows = sqlx::query!(
        r#"select job_kind.kind, paused as "paused!: bool", concurrency as "limit: u32",
                  state as "state?", count as "count?: i64"
           from job_kind left join job_count on job_count.kind = job_kind.kind
           order by job_kind.kind"#
    )
    .fetch_all(&mut *readers.get().await?)
    .await
    .map_err(store_error)?;
    let mut kinds: Vec<StoredKind> = Vec::new();
    for row in rows {
        if kinds.last().is_none_or(|last| last.kind != row.kind) {
            let counts = api::JobCounts::default();
            kinds.push(StoredKind { kind: row.kind, paused: row.paused, limit: row.limit, counts });
        }
        if let (Some(kind), Some(state), Some(jobs)) = (kinds.last_mut(), row.state, row.count) {
            kind.counts.set(job_state(&state)?, count(jobs));
        }
    }
    Ok(kinds)
}

/// Makes rows for kinds that are new.
pub(crate) async fn know(kinds: &BTreeSet<String>, tx: &mut WriteTx<'_>) -> Result<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    // Kinds are our own words, which hold nothing that JSON would change.
    let kinds = json_rows(kinds);
    sqlx::query!(
        "insert into job_kind (kind) select value from jsonb_each(?1) as new where true on conflict (kind) do nothing",
        kinds
    )
    .execute(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// The kinds of which jobs wait and may begin, each with how many.
///
/// Which kinds wait is read from the index, from one kind's first job to the next kind's: so it costs the same
/// however many jobs wait, and finds also those that nobody has enqueued but put into the table. What runs is
/// counted itself, and not taken from `job_count`, which this transaction has not yet brought up to date; few run.
pub(super) async fn open(tx: &mut WriteTx<'_>) -> Result<Vec<(String, u32)>> {
    let kinds = sqlx::query!(
        r#"with recursive waiting (kind) as (
               select (select kind from job indexed by job_waiting where state = 'waiting' order by kind limit 1)
               union all
               select (
                   select job.kind from job indexed by job_waiting
                   where state = 'waiting' and job.kind > waiting.kind order by job.kind limit 1
               )
               from waiting where waiting.kind is not null
           )
           select waiting.kind as "kind!: String",
                  case when concurrency is null then 4294967295
                       else max(0, concurrency - (
                           select count(*) from job indexed by job_state
                           where state = 'running' and job.kind = waiting.kind
                       ))
                  end as "room!: u32"
           from waiting left join job_kind on job_kind.kind = waiting.kind
           where waiting.kind is not null and coalesce(paused, 0) = 0"#
    )
    .fetch_all(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    Ok(kinds.into_iter().filter(|kind| kind.room > 0).map(|kind| (kind.kind, kind.room)).collect())
}

pub(crate) struct PauseKind {
    pub(crate) kind: String,
    pub(crate) paused: bool,
}

#[async_trait]
impl Write for PauseKind {
    type Answer = bool;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<bool> {
        let updated = sqlx::query!("update job_kind set paused = ?1 where kind = ?2", self.paused, self.kind)
            .execute(&mut *tx.connection)
            .await
            .map_err(store_error)?;
        let exists = updated.rows_affected() > 0;
        if exists {
            tx.changes.touched(Topic::Jobs);
            if !self.paused {
                tx.changes.touched(Topic::Work);
            }
        }
        Ok(exists)
    }
}

pub(crate) struct IntroduceKind {
    pub(crate) kind: String,
    pub(crate) limit: Option<u32>,
}

#[async_trait]
impl Write for IntroduceKind {
    type Answer = ();

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let introduced = sqlx::query!(
            "insert into job_kind (kind, concurrency) values (?1, ?2) on conflict (kind) do nothing",
            self.kind,
            self.limit
        )
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        if introduced.rows_affected() > 0 {
            tx.changes.touched(Topic::Jobs);
        }
        Ok(())
    }
}

pub(crate) struct LimitKind {
    pub(crate) kind: String,
    pub(crate) limit: Option<u32>,
}

#[async_trait]
impl Write for LimitKind {
    type Answer = bool;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<bool> {
        let updated = sqlx::query!("update job_kind set concurrency = ?1 where kind = ?2", self.limit, self.kind)
            .execute(&mut *tx.connection)
            .await
            .map_err(store_error)?;
        let exists = updated.rows_affected() > 0;
        if exists {
            tx.changes.touched(Topic::Jobs);
            // Unless the limit was lowered there may be room now; who is woken for nothing goes to sleep again.
            tx.changes.touched(Topic::Work);
        }
        Ok(exists)
    }
}
