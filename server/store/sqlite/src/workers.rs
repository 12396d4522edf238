//! The live workers. Only one at a time, because its process owns the file.

use api::TimeMs;
use async_trait::async_trait;
use store::{Beat, PruningFailure, Result, StoredWorker, WorkerName, Workers};

use crate::SqliteStore;
use crate::transaction::Transaction;
use crate::writer::Write;

#[async_trait]
impl Workers for SqliteStore {
    async fn beat(&self, beat: Beat, forget_before: TimeMs) -> Result<()> {
        self.writer.write(RecordBeat { beat, forget_before }).await
    }

    async fn retire(&self, worker: &WorkerName) -> Result<()> {
        self.writer.write(Retire(worker.clone())).await
    }

    async fn workers(&self) -> Result<Vec<StoredWorker>> {
        let rows = sqlx::query!(
            r#"select name, host, pid as "pid: u32", version, slots as "slots: u32", worker.started_at_ms, beat_at_ms,
                      pruning_failures as "pruning_failures: u32", pruning_fault,
                      (select count(*) from job indexed by job_state
                       where state = 'running' and job.worker = worker.name) as "running!: u32"
               from worker order by name"#
        );
        let workers = self.connections.fetch_all(rows).await?.into_iter().map(|row| StoredWorker {
            beat: Beat {
                worker: WorkerName(row.name),
                host: row.host,
                pid: row.pid,
                version: row.version,
                slots: row.slots,
                started_at: TimeMs(row.started_at_ms),
                at: TimeMs(row.beat_at_ms),
                pruning: PruningFailure::stored(row.pruning_failures, row.pruning_fault.as_deref()),
            },
            running: row.running,
        });
        Ok(workers.collect())
    }
}

struct RecordBeat {
    beat: Beat,
    forget_before: TimeMs,
}

#[async_trait]
impl Write for RecordBeat {
    type Answer = ();

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<()> {
        let Beat { worker, host, pid, version, slots, started_at, at, pruning } = &self.beat;
        let worker = &worker.0;
        let (failures, fault) = (pruning.map_or(0, |it| it.in_a_row), pruning.map(|it| it.kind.as_str()));
        tx.execute(sqlx::query!(
            "insert into worker (name, host, pid, version, slots, started_at_ms, beat_at_ms, pruning_failures,
                                 pruning_fault)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             on conflict (name) do update
             set host = excluded.host, pid = excluded.pid, version = excluded.version, slots = excluded.slots,
                 started_at_ms = excluded.started_at_ms, beat_at_ms = excluded.beat_at_ms,
                 pruning_failures = excluded.pruning_failures, pruning_fault = excluded.pruning_fault",
            worker,
            host,
            pid,
            version,
            slots,
            started_at.0,
            at.0,
            failures,
            fault
        ))
        .await?;
        tx.execute(sqlx::query!(
            "delete from worker
             where beat_at_ms < ?1 and name <> ?2
               and not exists (
                   select 1 from job indexed by job_state where state = 'running' and job.worker = worker.name
               )",
            self.forget_before.0,
            worker
        ))
        .await
        .map(drop)
    }
}

struct Retire(WorkerName);

#[async_trait]
impl Write for Retire {
    type Answer = ();

    async fn apply(&self, tx: &mut Transaction<'_>) -> Result<()> {
        let worker = &self.0.0;
        tx.execute(sqlx::query!("delete from worker where name = ?1", worker)).await.map(drop)
    }
}
