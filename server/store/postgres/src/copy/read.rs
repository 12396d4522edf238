//! Reads the records to copy, ordered by key.

use std::collections::HashMap;

use api::{AuditEntry, JobId, JobState, TimeMs};
use sqlx::PgConnection;
use store::AuditRow;
use store::codec::{attempt_outcome, corrupt, count as at_least_zero, job_state, role};
use store::copy::{AccountRecord, AttemptRecord, JobRecord, KindRecord, Lease, Metadata, MissingRecord, Table};

use crate::error::Error;
use crate::escape::restored;

pub(super) async fn metadata(connection: &mut PgConnection) -> Result<Metadata, Error> {
    let row = sqlx::query!(
        r#"with counter as (
               select what, count from total where what in ('accepted', 'pruned')
               union all
               select what, by from tally
               where what in ('accepted', 'pruned') and xid >= (select up_to from folded)
           )
           select (select key from secret where id = 1) as "secret?",
                  (select coalesce(sum(count), 0)::bigint from counter where what = 'accepted') as "accepted!",
                  (select coalesce(sum(count), 0)::bigint from counter where what = 'pruned') as "pruned!",
                  coalesce(pg_sequence_last_value(pg_get_serial_sequence('log', 'id')), 0) as "last_log!",
                  coalesce(pg_sequence_last_value(pg_get_serial_sequence('job', 'id')), 0) as "last_job!""#
    )
    .fetch_one(&mut *connection)
    .await?;
    let kinds = sqlx::query!(r#"select kind, paused, concurrency from job_kind order by kind collate "C""#)
        .fetch_all(&mut *connection)
        .await?;
    let secret = row.secret.unwrap_or_default();
    Ok(Metadata {
        secret: secret.try_into().map_err(|secret: Vec<u8>| corrupt("secret of so many bytes", secret.len()))?,
        accepted: row.accepted,
        pruned: row.pruned,
        last_log: row.last_log,
        last_job: row.last_job,
        kinds: kinds
            .into_iter()
            .map(|kind| KindRecord {
                kind: kind.kind,
                paused: kind.paused,
                limit: kind.concurrency.and_then(|limit| u32::try_from(limit).ok()),
            })
            .collect(),
    })
}

pub(super) async fn count(connection: &mut PgConnection, table: Table) -> Result<u64, Error> {
    macro_rules! count {
        ($from:literal) => {
            sqlx::query_scalar!(r#"select count(*) as "records!" from "# + $from).fetch_one(connection).await
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
    Ok(at_least_zero(records?))
}

pub(super) async fn accounts(
    connection: &mut PgConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<AccountRecord>, Error> {
    let rows = sqlx::query!(
        "select id, name, role, password_hash, created_at_ms from account where id > $1 order by id limit $2",
        after,
        i64::from(limit)
    );
    let rows = rows.fetch_all(connection).await?;
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

pub(super) async fn audit(connection: &mut PgConnection, after: i64, limit: u32) -> Result<Vec<AuditEntry>, Error> {
    let rows = sqlx::query_as!(
        AuditRow,
        "select id, at_ms, by_name, ip, action, job_id, target, detail from audit where id > $1 order by id limit $2",
        after,
        i64::from(limit)
    );
    let entries: store::Result<Vec<_>> = rows.fetch_all(connection).await?.into_iter().map(AuditRow::entry).collect();
    Ok(entries?)
}

pub(super) async fn jobs(connection: &mut PgConnection, after: i64, limit: u32) -> Result<Vec<JobRecord>, Error> {
    let rows = sqlx::query!(
        "select id, kind, key, payload, state, priority, attempt, max_attempts, worker, lease_until_ms,
                cancel_requested, created_at_ms, run_at_ms, started_at_ms, finished_at_ms, error
         from job where id > $1 and state <> 'done' order by id limit $2",
        after,
        i64::from(limit)
    );
    let rows = rows.fetch_all(&mut *connection).await?;
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
            attempt: row.attempt.unsigned_abs(),
            max_attempts: row.max_attempts.unsigned_abs(),
            run_at: TimeMs(row.run_at_ms),
            created_at: TimeMs(row.created_at_ms),
            started_at: row.started_at_ms.map(TimeMs),
            finished_at: row.finished_at_ms.map(TimeMs),
            error: row.error.map(restored),
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

/// The ended attempts of these jobs, oldest first.
async fn attempts(connection: &mut PgConnection, jobs: &[i64]) -> Result<HashMap<i64, Vec<AttemptRecord>>, Error> {
    let rows = sqlx::query!(
        "select job_id, number, worker, started_at_ms, finished_at_ms, outcome, error
         from attempt where job_id = any ((select $1::bigint[])::bigint[]) order by job_id, ordinal",
        jobs
    );
    let rows = rows.fetch_all(connection).await?;
    let mut attempts: HashMap<i64, Vec<AttemptRecord>> = HashMap::new();
    for row in rows {
        attempts.entry(row.job_id).or_default().push(AttemptRecord {
            number: row.number.unsigned_abs(),
            worker: row.worker,
            started_at: TimeMs(row.started_at_ms),
            finished_at: TimeMs(row.finished_at_ms),
            outcome: attempt_outcome(&row.outcome)?,
            error: row.error.map(restored),
        });
    }
    Ok(attempts)
}

/// The table's rows, and the searches whose job is done without a log row, because such a job is not copied.
pub(super) async fn missing(
    connection: &mut PgConnection,
    after: &str,
    limit: u32,
) -> Result<Vec<MissingRecord>, Error> {
    // In byte order, which does not depend on the database's locale.
    let rows = sqlx::query!(
        r#"select search_id as "search_id!", job_id as "job_id!", what as "what!" from (
               select search_id, job_id, what from missing_search
               where not exists (select 1 from log where log.search_id = missing_search.search_id)
                 and not exists (
                     select 1 from job
                     where kind = 'log_request' and key = missing_search.search_id and state <> 'done'
                 )
               union all
               select key, id, 'Its job is done, and there is no row.' from job
               where kind = 'log_request' and state = 'done' and key is not null
                 and not exists (select 1 from log where search_id = job.key)
                 and not exists (select 1 from missing_search where search_id = job.key)
           ) as missing
           where search_id > $1 collate "C"
           order by search_id collate "C" limit $2"#,
        after,
        i64::from(limit)
    );
    let rows = rows.fetch_all(connection).await?;
    let records = rows.into_iter().map(|row| MissingRecord {
        search_id: row.search_id,
        job_id: JobId(row.job_id),
        what: row.what,
    });
    Ok(records.collect())
}
