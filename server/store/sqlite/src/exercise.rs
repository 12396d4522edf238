//! Uses a reader's connection for its own sake.

use store::{Exercise, Result};

use crate::connections::Connections;
use crate::error::store_error;

pub(crate) async fn exercise(connections: &Connections, exercise: Exercise) -> Result<()> {
    let mut connection = connections.get().await?;
    (exercise.taken)();
    // Not checked at compile time, where the broken one would be refused.
    let statement = if exercise.is_broken { "select nothing from nowhere" } else { "select count(*) from job_kind" };
    sqlx::query(statement).fetch_one(&mut *connection).await.map_err(store_error)?;
    tokio::time::sleep(exercise.hold).await;
    Ok(())
}
