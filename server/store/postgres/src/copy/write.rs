//! Writes a batch of records together with the copy's progress.

use api::{AuditEntry, LogRow};
use sqlx::PgConnection;
use store::copy::{AccountRecord, JobRecord, MissingRecord, Progress, Records};
use store::{LOG_JOB, LogEntry};

use crate::error::Error;
use crate::escape::storable;
use crate::job_queue::clamped;
use crate::log_rows::LogColumns;

pub(super) async fn write(records: Records, progress: &Progress, connection: &mut PgConnection) -> Result<(), Error> {
    // First, so that its row lock is held to the end: a restarted copy waits for the outcome of this batch.
    sqlx::query!(
        "update copy set part = $1, up_to = $2, done = $3 where id = 1",
        progress.table.as_str(),
        progress.after.0,
        i64::try_from(progress.done).unwrap_or(0)
    )
    .execute(&mut *connection)
    .await?;
    match records {
        Records::Accounts(records) => write_accounts(&records, connection).await,
        Records::Audit(entries) => write_audit(&entries, connection).await,
        Records::Log(rows) => write_log(rows, connection).await,
        Records::Jobs(records) => {
            write_jobs(&records, connection).await?;
            write_attempts(&records, connection).await
        }
        Records::Missing(records) => write_missing(&records, connection).await,
    }
}

async fn write_accounts(records: &[AccountRecord], connection: &mut PgConnection) -> Result<(), Error> {
    for record in records {
        sqlx::query!(
            "insert into account (id, name, role, password_hash, created_at_ms) values ($1, $2, $3, $4, $5)",
            record.id,
            record.name,
            record.role.as_str(),
            record.password_hash,
            record.created_at.0
        )
        .execute(&mut *connection)
        .await?;
    }
    // The next account gets a higher id.
    if let Some(last) = records.last() {
        sqlx::query!("select setval(pg_get_serial_sequence('account', 'id'), $1)", last.id)
            .fetch_one(connection)
            .await?;
    }
    Ok(())
}

async fn write_audit(entries: &[AuditEntry], connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!(
        "insert into audit (id, at_ms, by_name, ip, action, job_id, target, detail)
         select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                              $8::text[])",
        &column(entries, |entry| entry.id.0),
        &column(entries, |entry| entry.at.0),
        &column(entries, |entry| entry.by.as_deref()) as _,
        &column(entries, |entry| entry.ip.as_str()) as _,
        &column(entries, |entry| entry.action.as_str()) as _,
        &column(entries, |entry| entry.job.map(|job| job.0)) as _,
        &column(entries, |entry| entry.target.as_str()) as _,
        &column(entries, |entry| entry.detail.as_deref()) as _
    )
    .execute(&mut *connection)
    .await?;
    // The next entry gets a higher id.
    if let Some(last) = entries.last() {
        sqlx::query!("select setval(pg_get_serial_sequence('audit', 'id'), $1)", last.id.0)
            .fetch_one(connection)
            .await?;
    }
    Ok(())
}

async fn write_log(log: Vec<LogRow>, connection: &mut PgConnection) -> Result<(), Error> {
    let numbers: Vec<i64> = log.iter().map(|row| row.seq.0).collect();
    let entries: Vec<LogEntry> = log.into_iter().map(LogEntry::from).collect();
    let rows = LogColumns::of(entries.iter());
    sqlx::query!(
        "insert into log (id, phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                          searched_at_ms, recorded_at_ms)
         select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                              $8::boolean[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[])",
        &numbers,
        &rows.phrases,
        &rows.letters,
        &rows.ips,
        &rows.browsers,
        &rows.results,
        &rows.agents,
        &rows.escaped,
        &rows.searches,
        &rows.jobs,
        &rows.searched_at,
        &rows.recorded_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_jobs(records: &[JobRecord], connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!(
        "insert into job (id, kind, key, payload, state, priority, attempt, max_attempts, run_at_ms, created_at_ms,
                          started_at_ms, finished_at_ms, error, recorded)
         select copied.*,
                kind = 'log_request' and exists (select 1 from log where log.search_id = copied.key)
         from unnest((select $1::bigint[]), (select $2::text[]), (select $3::text[]), (select $4::text[]),
                     (select $5::text[]), (select $6::smallint[]), (select $7::integer[]), (select $8::integer[]),
                     (select $9::bigint[]), (select $10::bigint[]), (select $11::bigint[]), (select $12::bigint[]),
                     (select $13::text[]))
              as copied (id, kind, key, payload, state, priority, attempt, max_attempts, run_at, created_at,
                         started_at, finished_at, error)",
        &column(records, |job| job.id.0),
        &column(records, |job| job.kind.as_str()) as _,
        &column(records, |job| job.key.as_deref()) as _,
        &column(records, |job| job.payload.as_str()) as _,
        &column(records, |job| job.state.as_str()) as _,
        &column(records, |job| job.priority),
        &column(records, |job| clamped(job.attempt)),
        &column(records, |job| clamped(job.max_attempts)),
        &column(records, |job| job.run_at.0),
        &column(records, |job| job.created_at.0),
        &column(records, |job| job.started_at.map(|time| time.0)) as _,
        &column(records, |job| job.finished_at.map(|time| time.0)) as _,
        &column(records, |job| job.error.as_deref().map(storable)) as _
    )
    .execute(&mut *connection)
    .await?;
    // The metadata already counts all accepted searches, and the triggers have just counted these again.
    let counted_again = records.iter().filter(|job| job.kind == LOG_JOB).count();
    sqlx::query!("insert into tally (what, by) values ('accepted', -$1::bigint)", counted_again as i64)
        .execute(connection)
        .await?;
    Ok(())
}

async fn write_attempts(records: &[JobRecord], connection: &mut PgConnection) -> Result<(), Error> {
    let mut all = Vec::new();
    for job in records {
        all.extend((1_i32..).zip(&job.attempts).map(|(ordinal, attempt)| (job.id.0, ordinal, attempt)));
    }
    sqlx::query!(
        "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
         select * from unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[],
                              $7::text[], $8::text[])",
        &column(&all, |&(job, ..)| job),
        &column(&all, |&(_, ordinal, _)| ordinal),
        &column(&all, |(_, _, attempt)| clamped(attempt.number)),
        &column(&all, |(_, _, attempt)| attempt.worker.as_str()) as _,
        &column(&all, |(_, _, attempt)| attempt.started_at.0),
        &column(&all, |(_, _, attempt)| attempt.finished_at.0),
        &column(&all, |(_, _, attempt)| attempt.outcome.as_str()) as _,
        &column(&all, |(_, _, attempt)| attempt.error.as_deref().map(storable)) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_missing(records: &[MissingRecord], connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!(
        "insert into missing_search (search_id, job_id, what)
         select * from unnest($1::text[], $2::bigint[], $3::text[])",
        &column(records, |record| record.search_id.as_str()) as _,
        &column(records, |record| record.job_id.0),
        &column(records, |record| record.what.as_str()) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One field of all records.
fn column<'a, R, T>(records: &'a [R], field: impl Fn(&'a R) -> T) -> Vec<T> {
    records.iter().map(field).collect()
}
