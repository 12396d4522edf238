//! Reads the records to copy, ordered by key.

use std::collections::HashMap;

use api::{AuditEntry, JobId, JobState, TimeMs};
use sqlx::SqliteConnection;
use store::codec::{attempt_outcome, corrupt, count as at_least_zero, job_state, role};
use store::copy::{AccountRecord, AttemptRecord, JobRecord, KindRecord, Lease, Metadata, MissingRecord, Table};
use store::{AuditRow, Result};

use crate::bulk::json_rows;
use crate::error::store_error;

pub(super) async fn metadata(connection: &mut SqliteConnection) -> Result<Metadata> {
    let row = sqlx::query!(
        r#"select (select key from secret where id = 1) as "secret: Vec<u8>",
                  accepted as "accepted!: i64", cancelled as "pruned!: i64",
                  (select max(seq) from sqlite_sequence where name = 'log') as "last_log: i64",
                  (select max(seq) from sqlite_sequence where name = 'job') as "last_job: i64"
           from ledger where id = 1"#
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    let kinds = sqlx::query_as!(
        KindRecord,
        r#"select kind as "kind!: String", paused as "paused!: bool", concurrency as "limit: u32"
           from job_kind order by kind"#
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let secret = row.secret.unwrap_or_default();
    Ok(Metadata {
        secret: secret.try_into().map_err(|secret: Vec<u8>| corrupt("secret of this many bytes", secret.len()))?,
        accepted: row.accepted,
        pruned: row.pruned,
        last_log: row.last_log.unwrap_or(0),
        last_job: row.last_job.unwrap_or(0),
        kinds,
    })
}

pub(super) async fn count(connection: &mut SqliteConnection, table: Table) -> Result<u64> {
    macro_rules! count {
        ($from:literal) => {
            sqlx::query_scalar!(r#"select count(*) as "records!: i64" from "# + $from).fetch_one(connection).await
        };
    }
    let records = match table {
        Table::Accounts => count!("account"),
        Table::Audit => count!("audit"),
        Table::Log => count!("log"),
        // Lists the states so that the index entries of done jobs are not read.
        Table::Jobs => count!(
            r#"job
                   where state in ('scheduled', 'waiting', 'running', 'retrying', 'dead', 'cancelled')"#
        ),
        Table::Missing => count!("missing_search"),
    };
    Ok(at_least_zero(records.map_err(store_error)?))
}

pub(super) async fn accounts(connection: &mut SqliteConnection, after: i64, limit: u32) -> Result<Vec<AccountRecord>> {
    let rows = sqlx::query!(
        r#"select id as "id!: i64", name, role, password_hash, created_at_ms
           from account where id > ?1 order by id limit ?2"#,
        after,
        limit
    );
    let rows = rows.fetch_all(connection).await.map_err(store_error)?;
    let records = rows.into_iter().map(|row| {
        Ok(AccountRecord {
            id: row.id,
            name: row.name,
            role: role(&row.role)?,
            password_hash: row.password_hash,
            created_at: TimeMs(row.created_at_ms),
        })
    });
    records.collect()
}

pub(super) async fn audit(connection: &mut SqliteConnection, after: i64, limit: u32) -> Result<Vec<AuditEntry>> {
    let rows = sqlx::query_as!(
        AuditRow,
        r#"select id as "id!: i64", at_ms, by_name, ip, action, job_id, target, detail
           from audit where id > ?1 order by id limit ?2"#,
        after,
        limit
    );
    rows.fetch_all(connection).await.map_err(store_error)?.into_iter().map(AuditRow::entry).collect()
}

pub(super) async fn jobs(connection: &mut SqliteConnection, after: i64, limit: u32) -> Result<Vec<JobRecord>> {
    // By id alone: with the index of states, each batch would have to be sorted.
    let rows = sqlx::query!(
        r#"select id as "id!: i64", kind, key, payload, state, priority as "priority: i16", attempt as "attempt: u32",
                  max_attempts as "max_attempts: u32", worker, lease_until_ms,
                  cancel_requested as "cancel_requested: bool", created_at_ms, run_at_ms, started_at_ms,
                  finished_at_ms, error
           from job not indexed where id > ?1 and state <> 'done' order by id limit ?2"#,
        after,
        limit
    );
    let rows = rows.fetch_all(&mut *connection).await.map_err(store_error)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut attempts = attempts(connection, &ids).await?;
    let records = rows.into_iter().map(|row| {
        let record = JobRecord {
            id: JobId(row.id),
            kind: row.kind,
            key: row.key,
            payload: row.payload,
            state: job_state(&row.state)?,
            priority: row.priority,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            run_at: TimeMs(row.run_at_ms),
            created_at: TimeMs(row.created_at_ms),
            started_at: row.started_at_ms.map(TimeMs),
            finished_at: row.finished_at_ms.map(TimeMs),
            error: row.error,
            attempts: attempts.remove(&row.id).unwrap_or_default(),
        };
        Ok(match (record.state, row.worker, row.lease_until_ms) {
            (JobState::Running, Some(worker), Some(lease_until)) => {
                record.at_rest(Lease { worker, until: TimeMs(lease_until), cancel_requested: row.cancel_requested })
            }
            _ => record,
        })
    });
    records.collect()
}

/// The ended attempts of these jobs, oldest first. None of the jobs is done, so that each of them has a row.
async fn attempts(connection: &mut SqliteConnection, jobs: &[i64]) -> Result<HashMap<i64, Vec<AttemptRecord>>> {
    let jobs = json_rows(&jobs);
    let rows = sqlx::query!(
        r#"select job_id as "job_id!: i64", ordinal as "ordinal!: i64", number as "number!: u32",
                  worker as "worker!: String", started_at_ms as "started_at_ms!: i64",
                  finished_at_ms as "finished_at_ms!: i64", outcome as "outcome!: String", error as "error: String"
           from jsonb_each(?1) as copied
           cross join attempt
           where attempt.job_id = copied.value"#,
        jobs
    );
    let mut rows = rows.fetch_all(connection).await.map_err(store_error)?;
    rows.sort_by_key(|row| (row.job_id, row.ordinal));
    let mut attempts: HashMap<i64, Vec<AttemptRecord>> = HashMap::new();
    for row in rows {
        attempts.entry(row.job_id).or_default().push(AttemptRecord {
            number: row.number,
            worker: row.worker,
            started_at: TimeMs(row.started_at_ms),
            finished_at: TimeMs(row.finished_at_ms),
            outcome: attempt_outcome(&row.outcome)?,
            error: row.error,
        });
    }
    Ok(attempts)
}

/// The table's rows, and the searches whose job is done without a log row, because such a job is not copied.
pub(super) async fn missing(connection: &mut SqliteConnection, after: &str, limit: u32) -> Result<Vec<MissingRecord>> {
    let rows = sqlx::query!(
        r#"select search_id as "search_id!: String", job_id as "job_id!: i64", what as "what!: String" from (
               select search_id, job_id, what from missing_search
               where search_id > ?1
                 and not exists (select 1 from log where log.search_id = missing_search.search_id)
                 and not exists (
                     select 1 from job
                     where kind = 'log_request' and key = missing_search.search_id and state <> 'done'
                 )
               union all
               select key, id, 'Its job is done, and there is no row.' from job
               where kind = 'log_request' and key > ?1 and state = 'done'
                 and not exists (select 1 from log where search_id = job.key)
                 and not exists (select 1 from missing_search where search_id = job.key)
           )
           order by search_id limit ?2"#,
        after,
        limit
    );
    let rows = rows.fetch_all(connection).await.map_err(store_error)?;
    let record = rows.into_iter().map(|row| MissingRecord {
        search_id: row.search_id,
        job_id: JobId(row.job_id),
        what: row.what,
    });
    Ok(record.collect())
}
