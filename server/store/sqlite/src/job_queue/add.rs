//! Adds a batch of jobs with one statement.

use std::collections::HashMap;

use api::{JobId, JobState, LogRow, SearchId};
use async_trait::async_trait;
use store::codec::corrupt;
use store::{NewJob, Result};

use crate::bulk::{Inserted, Texts, json_rows};
use crate::log_rows::row_of_search;
use crate::transaction::{Numbered, Transaction};
use crate::writer::WriteMany;

/// A job to add. With `search`, it is only added if that search has no log row.
pub(crate) struct Add {
    pub(crate) job: NewJob,
    pub(crate) search: Option<SearchId>,
}

pub(crate) enum Added {
    New(JobId),
    Queued { job: JobId, payload: String },
    Recorded(Box<LogRow>),
}

#[async_trait]
impl WriteMany for Add {
    type Answer = Added;

    async fn apply_all(writes: &[Self], tx: &mut Transaction<'_>) -> Result<Vec<Added>> {
        let first = tx.next_number(Numbered::Job).await?;
        let inserted = insert(writes, first, tx).await?;
        let candidates: Vec<(i64, &Self)> = (first..).zip(writes).collect();
        let refused = candidates.iter().filter(|(id, _)| !inserted.contains(*id));
        let mut queued = find_queued(refused, tx).await?;
        let mut answers = Vec::with_capacity(writes.len());
        for (id, add) in candidates {
            if inserted.contains(id) {
                tx.changes.added(&add.job.kind, first_state(&add.job));
                tx.changes.ledger.accepted += i64::from(add.search.is_some());
                answers.push(Added::New(JobId(id)));
            } else if let Some(queued) = queued.remove(&id) {
                answers.push(queued);
            } else {
                answers.push(find_recorded(add, tx).await?);
            }
        }
        Ok(answers)
    }
}

fn first_state(job: &NewJob) -> JobState {
    if job.run_at > job.now { JobState::Scheduled } else { JobState::Waiting }
}

/// Inserts the jobs that conflict with nothing, with ids from `first` on.
async fn insert(writes: &[Add], first: i64, tx: &mut Transaction<'_>) -> Result<Inserted> {
    let mut texts = Texts::default();
    let rows: Vec<_> = writes
        .iter()
        .map(|Add { job, search }| {
            let (kind_start, kind_length) = texts.add(&job.kind);
            let (key_start, key_length) = texts.add_option(job.key.as_deref());
            let (payload_start, payload_length) = texts.add(&job.payload);
            (
                kind_start,
                kind_length,
                key_start,
                key_length,
                payload_start,
                payload_length,
                first_state(job).as_str(),
                job.priority,
                job.max_attempts,
                job.run_at.0,
                job.created_at.0,
                u8::from(search.is_some()),
            )
        })
        .collect();
    let (rows, texts) = (json_rows(&rows), texts.into_blob());
    // "Or fail", because a rollback of the savepoint or the transaction follows anyway. With "or abort", SQLite would
    // copy every page that the statement touches, to undo the statement alone.
    let inserted = sqlx::query!(
        "insert or fail into job (id, kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
         select ?1 + new.key,
                cast(substr(?3, new.value ->> 0, new.value ->> 1) as text),
                cast(substr(?3, new.value ->> 2, new.value ->> 3) as text),
                cast(substr(?3, new.value ->> 4, new.value ->> 5) as text),
                new.value ->> 6, new.value ->> 7, new.value ->> 8, new.value ->> 9, new.value ->> 10
         from jsonb_each(?2) as new
         where new.value ->> 11 = 0
            or not exists (
                select 1 from log
                where log.search_id = cast(substr(?3, new.value ->> 2, new.value ->> 3) as text)
            )
         on conflict (kind, key) do nothing",
        first,
        rows,
        texts
    );
    if tx.execute(inserted).await? == writes.len() as u64 {
        return Ok(Inserted::All);
    }
    let ids = tx.fetch_all(sqlx::query_scalar!("select id from job where id >= ?1", first)).await?;
    Ok(Inserted::Some(ids.into_iter().collect()))
}

/// The jobs that `refused` conflict with, by the id that the new job would have got.
async fn find_queued<'a>(
    refused: impl Iterator<Item = &'a (i64, &'a Add)> + Send,
    tx: &mut Transaction<'_>,
) -> Result<HashMap<i64, Added>> {
    let mut texts = Texts::default();
    let rows: Vec<_> = refused
        .map(|(id, Add { job, .. })| (*id, texts.add(&job.kind), texts.add_option(job.key.as_deref())))
        .map(|(id, kind, key)| (id, kind.0, kind.1, key.0, key.1))
        .collect();
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let (rows, texts) = (json_rows(&rows), texts.into_blob());
    let found = sqlx::query!(
        r#"select cast(refused.value ->> 0 as integer) as "refused!: i64", job.id as "id!: i64", job.payload
           from jsonb_each(?1) as refused
           cross join job
           where job.kind = cast(substr(?2, refused.value ->> 1, refused.value ->> 2) as text)
             and job.key = cast(substr(?2, refused.value ->> 3, refused.value ->> 4) as text)"#,
        rows,
        texts
    );
    let found = tx.fetch_all(found).await?.into_iter();
    Ok(found.map(|row| (row.refused, Added::Queued { job: JobId(row.id), payload: row.payload })).collect())
}

/// The log row that `add` conflicts with. Rare: only if a search is sent again after its job was pruned.
async fn find_recorded(add: &Add, tx: &mut Transaction<'_>) -> Result<Added> {
    let row = match add.search {
        Some(search) => row_of_search(tx.connection, search).await?,
        None => None,
    };
    let row = row.ok_or_else(|| corrupt("job that conflicts with none", &add.job.key))?;
    Ok(Added::Recorded(Box::new(row)))
}
