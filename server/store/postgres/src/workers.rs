//! The processes that run jobs.

use api::TimeMs;
use async_trait::async_trait;
use store::{Beat, PruningFailure, Result, StoredWorker, WorkerName, Workers};

use crate::PostgresStore;

#[async_trait]
impl Workers for PostgresStore {
    async fn beat(&self, beat: Beat, forget_before: TimeMs) -> Result<()> {
        let (failures, fault) = (beat.pruning.map_or(0, |it| it.in_a_row), beat.pruning.map(|it| it.kind.as_str()));
        let beat = sqlx::query!(
            "with forgotten as (
                 delete from worker
                 where beat_at_ms < $8 and name <> $1
                   and not exists (select 1 from job where state = 'running' and job.worker = worker.name)
             )
             insert into worker (name, host, pid, version, slots, started_at_ms, beat_at_ms, pruning_failures,
                                 pruning_fault)
             values ($1, $2, $3, $4, $5, $6, $7, $9, $10)
             on conflict (name) do update
             set host = excluded.host, pid = excluded.pid, version = excluded.version, slots = excluded.slots,
                 started_at_ms = excluded.started_at_ms, beat_at_ms = excluded.beat_at_ms,
                 pruning_failures = excluded.pruning_failures, pruning_fault = excluded.pruning_fault",
            beat.worker.0,
            beat.host,
            i64::from(beat.pid),
            beat.version,
            i64::from(beat.slots),
            beat.started_at.0,
            beat.at.0,
            forget_before.0,
            i64::from(failures),
            fault
        );
        self.connections.execute(beat).await.map(drop)
    }

    async fn retire(&self, worker: &WorkerName) -> Result<()> {
        let retired = sqlx::query!("delete from worker where name = $1", worker.0);
        self.connections.execute(retired).await.map(drop)
    }

    async fn workers(&self) -> Result<Vec<StoredWorker>> {
        let rows = sqlx::query!(
            r#"select name, host, pid, version, slots, started_at_ms, beat_at_ms, pruning_failures, pruning_fault,
                      (select count(*) from job where state = 'running' and job.worker = worker.name) as "running!"
               from worker order by name collate "C""#
        );
        let number = |number: i64| u32::try_from(number).unwrap_or(0);
        let workers = self.connections.fetch_all(rows).await?.into_iter().map(|row| StoredWorker {
            beat: Beat {
                worker: WorkerName(row.name),
                host: row.host,
                pid: number(row.pid),
                version: row.version,
                slots: number(row.slots),
                started_at: TimeMs(row.started_at_ms),
                at: TimeMs(row.beat_at_ms),
                pruning: PruningFailure::stored(number(row.pruning_failures), row.pruning_fault.as_deref()),
            },
            running: number(row.running),
        });
        Ok(workers.collect())
    }
}
