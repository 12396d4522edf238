//! A batch of records, and how far the copy has come with it.

use api::{JobId, LogRow};
use sqlx::SqliteConnection;
use store::{AccountRecord, Batch, JobRecord, LOG_JOB, MissingRecord, Progress, Result};

use crate::error::store_error;
use crate::queue::count_recorded;
use crate::texts::{Texts, json_rows};
use crate::writer::WriteTx;

pub(super) async fn put(batch: Batch, progress: &Progress, connection: &mut SqliteConnection) -> Result<()> {
    let mut tx = WriteTx::new(connection);
    match batch {
        Batch::Accounts(records) => put_accounts(&records, &mut tx).await?,
        Batch::Log(rows) => put_log(&rows, &mut tx).await?,
        Batch::Jobs(records) => put_jobs(&records, &mut tx).await?,
        Batch::Missing(records) => put_missing(&records, &mut tx).await?,
    }
    let (part, up_to, done) = (progress.part.as_str(), &progress.after.0, i64::try_from(progress.done).unwrap_or(0));
    sqlx::query!("update copy set part = ?1, up_to = ?2, done = ?3 where id = 1", part, up_to, done)
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
    tx.write_counts().await.map(drop)
}

async fn put_accounts(records: &[AccountRecord], tx: &mut WriteTx<'_>) -> Result<()> {
    for record in records {
        let role = record.role.as_str();
        sqlx::query!(
            "insert into account (id, name, role, password_hash, created_at_ms) values (?1, ?2, ?3, ?4, ?5)",
            record.id,
            record.name,
            role,
            record.password_hash,
            record.created_at.0
        )
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
    }
    Ok(())
}

async fn put_log(rows: &[LogRow], tx: &mut WriteTx<'_>) -> Result<()> {
    insert_rows(rows, tx.connection).await?;
    tx.changes.ledger.recorded += rows.len() as i64;
    Ok(())
}

/// In one statement: there may be millions.
pub(crate) async fn insert_rows(rows: &[LogRow], connection: &mut SqliteConnection) -> Result<()> {
    let mut texts = Texts::default();
    let places: Vec<_> = rows
        .iter()
        .map(|row| {
            let texts = [&row.phrase, &row.letters, &row.ip, &row.browser_string, &row.results, &row.user_agent]
                .map(|text| texts.add(text));
            (texts, row.seq, row.search_id, row.job_id, row.searched_at, row.recorded_at)
        })
        .collect();
    let (places, texts) = (json_rows(&places), texts.into_blob());
    sqlx::query!(
        "insert into log (id, phrase, letters, ip, browser_string, results, user_agent,
                          search_id, job_id, searched_at_ms, recorded_at_ms)
         select new.value ->> 1,
                cast(substr(?2, new.value ->> '$[0][0][0]', new.value ->> '$[0][0][1]') as text),
                cast(substr(?2, new.value ->> '$[0][1][0]', new.value ->> '$[0][1][1]') as text),
                cast(substr(?2, new.value ->> '$[0][2][0]', new.value ->> '$[0][2][1]') as text),
                cast(substr(?2, new.value ->> '$[0][3][0]', new.value ->> '$[0][3][1]') as text),
                cast(substr(?2, new.value ->> '$[0][4][0]', new.value ->> '$[0][4][1]') as text),
                cast(substr(?2, new.value ->> '$[0][5][0]', new.value ->> '$[0][5][1]') as text),
                new.value ->> 2, new.value ->> 3, new.value ->> 4, new.value ->> 5
         from jsonb_each(?1) as new",
        places,
        texts
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn put_jobs(records: &[JobRecord], tx: &mut WriteTx<'_>) -> Result<()> {
    for record in records {
        put_job(record, tx).await?;
        put_attempts(record, tx).await?;
        tx.changes.added(&record.kind, record.state);
    }
    let searches: Vec<JobId> = records.iter().filter(|record| record.kind == LOG_JOB).map(|record| record.id).collect();
    tx.changes.ledger.reopened += count_recorded(&searches, tx).await?;
    Ok(())
}

async fn put_job(record: &JobRecord, tx: &mut WriteTx<'_>) -> Result<()> {
    let (state, started_at, finished_at) =
        (record.state.as_str(), record.started_at.map(|time| time.0), record.finished_at.map(|time| time.0));
    sqlx::query!(
        "insert into job (id, kind, key, payload, state, priority, attempt, max_attempts, run_at_ms, created_at_ms,
                          started_at_ms, finished_at_ms, error)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        record.id.0,
        record.kind,
        record.key,
        record.payload,
        state,
        record.priority,
        record.attempt,
        record.max_attempts,
        record.run_at.0,
        record.created_at.0,
        started_at,
        finished_at,
        record.error
    )
    .execute(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn put_attempts(record: &JobRecord, tx: &mut WriteTx<'_>) -> Result<()> {
    for (ordinal, attempt) in (1_i64..).zip(&record.attempts) {
        let outcome = attempt.outcome.as_str();
        sqlx::query!(
            "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            record.id.0,
            ordinal,
            attempt.number,
            attempt.worker,
            attempt.started_at.0,
            attempt.finished_at.0,
            outcome,
            attempt.error
        )
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
    }
    Ok(())
}

async fn put_missing(records: &[MissingRecord], tx: &mut WriteTx<'_>) -> Result<()> {
    for record in records {
        sqlx::query!(
            "insert into missing_search (search_id, job_id, what) values (?1, ?2, ?3)",
            record.search_id,
            record.job_id.0,
            record.what
        )
        .execute(&mut *tx.connection)
        .await
        .map_err(store_error)?;
    }
    Ok(())
}
