//! Uses a reader's connection for its own sake.

use store::{Exercise, Result};

use crate::error::store_error;
use crate::reader::Readers;

pub(crate) async fn exercise(readers: &Readers, exercise: Exercise) -> Result<()> {
    let mut connection = readers.get().await?;
    (exercise.taken)();
    // Not checked at compile time, where the broken one would be refused.
    let statement = if exercise.is_broken { "select nothing from nowhere" } else { "select count(*) from job_kind" };
    sqlx::query(statement).fetch_one(&mut *connection).await.map_err(store_error)?;
    tokio::time::sleep(exercise.hold).await;
    Ok(())
}
