//! Writes a batch of records together with the copy's progress.

use std::borrow::Cow;

use api::LogRow;
use sqlx::PgConnection;
use store::copy::{AccountRecord, AttemptRecord, JobRecord, MissingRecord, Progress, Records};
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
    let ids: Vec<i64> = records.iter().map(|job| job.id.0).collect();
    let kinds: Vec<&str> = records.iter().map(|job| job.kind.as_str()).collect();
    let keys: Vec<Option<&str>> = records.iter().map(|job| job.key.as_deref()).collect();
    let payloads: Vec<&str> = records.iter().map(|job| job.payload.as_str()).collect();
    let states: Vec<&str> = records.iter().map(|job| job.state.as_str()).collect();
    let priorities: Vec<i16> = records.iter().map(|job| job.priority).collect();
    let attempts: Vec<i32> = records.iter().map(|job| clamped(job.attempt)).collect();
    let max_attempts: Vec<i32> = records.iter().map(|job| clamped(job.max_attempts)).collect();
    let run_at: Vec<i64> = records.iter().map(|job| job.run_at.0).collect();
    let created_at: Vec<i64> = records.iter().map(|job| job.created_at.0).collect();
    let started_at: Vec<Option<i64>> = records.iter().map(|job| job.started_at.map(|time| time.0)).collect();
    let finished_at: Vec<Option<i64>> = records.iter().map(|job| job.finished_at.map(|time| time.0)).collect();
    let errors: Vec<Option<Cow<'_, str>>> = records.iter().map(|job| job.error.as_deref().map(storable)).collect();
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
        &ids,
        &kinds as _,
        &keys as _,
        &payloads as _,
        &states as _,
        &priorities,
        &attempts,
        &max_attempts,
        &run_at,
        &created_at,
        &started_at as _,
        &finished_at as _,
        &errors as _
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
    let all = || {
        records
            .iter()
            .flat_map(|job| (1_i32..).zip(&job.attempts).map(|(ordinal, attempt)| (job.id.0, ordinal, attempt)))
    };
    let of = |field: fn(&AttemptRecord) -> i64| -> Vec<i64> { all().map(|(_, _, attempt)| field(attempt)).collect() };
    let jobs: Vec<i64> = all().map(|(job, _, _)| job).collect();
    let ordinals: Vec<i32> = all().map(|(_, ordinal, _)| ordinal).collect();
    let numbers: Vec<i32> = all().map(|(_, _, attempt)| clamped(attempt.number)).collect();
    let workers: Vec<&str> = all().map(|(_, _, attempt)| attempt.worker.as_str()).collect();
    let outcomes: Vec<&str> = all().map(|(_, _, attempt)| attempt.outcome.as_str()).collect();
    let errors: Vec<Option<Cow<'_, str>>> =
        all().map(|(_, _, attempt)| attempt.error.as_deref().map(storable)).collect();
    sqlx::query!(
        "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
         select * from unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[],
                              $7::text[], $8::text[])",
        &jobs,
        &ordinals,
        &numbers,
        &workers as _,
        &of(|attempt| attempt.started_at.0),
        &of(|attempt| attempt.finished_at.0),
        &outcomes as _,
        &errors as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_missing(records: &[MissingRecord], connection: &mut PgConnection) -> Result<(), Error> {
    let searches: Vec<&str> = records.iter().map(|record| record.search_id.as_str()).collect();
    let jobs: Vec<i64> = records.iter().map(|record| record.job_id.0).collect();
    let whats: Vec<&str> = records.iter().map(|record| record.what.as_str()).collect();
    sqlx::query!(
        "insert into missing_search (search_id, job_id, what)
         select * from unnest($1::text[], $2::bigint[], $3::text[])",
        &searches as _,
        &jobs,
        &whats as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
