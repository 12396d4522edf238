//! Writes a batch of records together with the copy's progress.

use api::{AuditEntry, JobState, LogRow};
use store::copy::{AccountRecord, JobRecord, MissingRecord, Progress, Records};
use store::{LOG_JOB, Result};

use crate::ledger::note_reopened;
use crate::log_rows::insert_rows;
use crate::transaction::Transaction;

pub(super) async fn write(records: Records, progress: &Progress, mut tx: Transaction<'_>) -> Result<()> {
    match records {
        Records::Accounts(records) => write_accounts(&records, &mut tx).await?,
        Records::Audit(entries) => write_audit(&entries, &mut tx).await?,
        Records::Log(rows) => write_log(&rows, &mut tx).await?,
        Records::Jobs(records) => write_jobs(&records, &mut tx).await?,
        Records::Missing(records) => write_missing(&records, &mut tx).await?,
    }
    let (table, up_to, done) = (progress.table.as_str(), &progress.after.0, i64::try_from(progress.done).unwrap_or(0));
    tx.execute(sqlx::query!("update copy set part = ?1, up_to = ?2, done = ?3 where id = 1", table, up_to, done))
        .await?;
    tx.write_counters().await.map(drop)
}

async fn write_accounts(records: &[AccountRecord], tx: &mut Transaction<'_>) -> Result<()> {
    for record in records {
        let role = record.role.as_str();
        tx.execute(sqlx::query!(
            "insert into account (id, name, role, password_hash, created_at_ms) values (?1, ?2, ?3, ?4, ?5)",
            record.id,
            record.name,
            role,
            record.password_hash,
            record.created_at.0
        ))
        .await?;
    }
    Ok(())
}

async fn write_audit(entries: &[AuditEntry], tx: &mut Transaction<'_>) -> Result<()> {
    for entry in entries {
        let (action, job) = (entry.action.as_str(), entry.job.map(|job| job.0));
        tx.execute(sqlx::query!(
            "insert into audit (id, at_ms, by_name, ip, action, job_id, target, detail)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            entry.id.0,
            entry.at.0,
            entry.by,
            entry.ip,
            action,
            job,
            entry.target,
            entry.detail
        ))
        .await?;
    }
    Ok(())
}

async fn write_log(rows: &[LogRow], tx: &mut Transaction<'_>) -> Result<()> {
    insert_rows(rows, tx.connection).await?;
    tx.changes.ledger.recorded += rows.len() as i64;
    Ok(())
}

async fn write_jobs(records: &[JobRecord], tx: &mut Transaction<'_>) -> Result<()> {
    for record in records {
        write_job(record, tx).await?;
        write_attempts(record, tx).await?;
        tx.changes.added(&record.kind, record.state);
    }
    let open = records.iter().filter(|record| record.kind == LOG_JOB && record.state != JobState::Done);
    let searches: Vec<_> = open.filter_map(|record| record.key.as_deref()).collect();
    note_reopened(&searches, tx).await
}

async fn write_job(record: &JobRecord, tx: &mut Transaction<'_>) -> Result<()> {
    let (state, started_at, finished_at) =
        (record.state.as_str(), record.started_at.map(|time| time.0), record.finished_at.map(|time| time.0));
    tx.execute(sqlx::query!(
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
    ))
    .await?;
    Ok(())
}

async fn write_attempts(record: &JobRecord, tx: &mut Transaction<'_>) -> Result<()> {
    for (ordinal, attempt) in (1_i64..).zip(&record.attempts) {
        let outcome = attempt.outcome.as_str();
        tx.execute(sqlx::query!(
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
        ))
        .await?;
    }
    Ok(())
}

async fn write_missing(records: &[MissingRecord], tx: &mut Transaction<'_>) -> Result<()> {
    for record in records {
        tx.execute(sqlx::query!(
            "insert into missing_search (search_id, job_id, what) values (?1, ?2, ?3)",
            record.search_id,
            record.job_id.0,
            record.what
        ))
        .await?;
    }
    Ok(())
}
