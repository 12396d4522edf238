//! The job `greet`: writes a greeting, once for each name.

use queue::{JobError, Payload, decode, encode};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use store::{ClaimedJob, Clock, Enqueued, JobQueue, NewJob};

/// The job's input.
#[derive(Serialize, Deserialize)]
pub struct Greet {
    pub name: String,
}

impl Payload for Greet {
    const KIND: &'static str = "greet";
    const VERSION: u32 = 1;
}

/// Durable when it returns. The key makes a second call for the same name the same job.
pub async fn enqueue(queue: &dyn JobQueue, clock: &dyn Clock, greet: &Greet) -> store::Result<Enqueued> {
    let (kind, key) = (Greet::KIND.to_owned(), Some(greet.name.clone()));
    let (created_at, now) = (clock.wall(), clock.steady());
    let payload = encode(greet);
    queue.enqueue(NewJob { kind, key, payload, priority: 0, max_attempts: 5, created_at, run_at: now, now }).await
}

/// Runs again if the process dies before the result is stored, so it must not write anything twice.
pub async fn perform(job: ClaimedJob, database: SqlitePool) -> Result<(), JobError> {
    let greet: Greet = decode(&job.payload)?;
    sqlx::query("insert into greeting (name) values ($1) on conflict do nothing")
        .bind(greet.name)
        .execute(&database)
        .await
        .map_err(|error| JobError::Retry(error.to_string()))?;
    Ok(())
}
