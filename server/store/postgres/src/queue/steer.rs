//! What an administrator does to one job.

use api::{JobId, JobState, TimeMs};
use store::codec::job_state;
use store::{ChangedTopics, Result, Topic};

use crate::connections::{Connections, in_time};

/// The states that allow it, by their words.
fn words(allowed: impl Fn(JobState) -> bool) -> Vec<&'static str> {
    JobState::ALL.into_iter().filter(|&state| allowed(state)).map(JobState::as_str).collect()
}

pub(super) async fn retry(connections: &Connections, id: JobId, now: TimeMs) -> Result<bool> {
    let statement = sqlx::query!(
        "update job
         set state = 'waiting', run_at_ms = $1, max_attempts = greatest(max_attempts, attempt + 1),
             finished_at_ms = null, error = null, cancel_requested = false
         where id = $2 and state = any ($3::text[])",
        now.0,
        id.0,
        &words(JobState::can_retry) as _
    );
    let mut connection = connections.get().await?;
    let retried = in_time(statement.execute(&mut *connection)).await;
    connection.settle(retried).await.map(|retried| retried.rows_affected() > 0)
}

/// Whom it has to wake; none where there is nothing to cancel.
pub(super) async fn cancel(connections: &Connections, id: JobId, now: TimeMs) -> Result<Option<ChangedTopics>> {
    let statement = sqlx::query_scalar!(
        r#"with found as materialized (
               select id, state as was from job where id = $2 and state = any ($3::text[]) for update
           )
           update job
           set cancel_requested = (found.was = 'running'),
               state = case found.was when 'running' then 'running' else 'cancelled' end,
               finished_at_ms = case found.was when 'running' then job.finished_at_ms else $1 end
           from found
           where job.id = found.id
           returning found.was"#,
        now.0,
        id.0,
        &words(JobState::can_cancel) as _
    );
    let mut connection = connections.get().await?;
    let was = in_time(statement.fetch_optional(&mut *connection)).await;
    let Some(was) = connection.settle(was).await? else { return Ok(None) };
    let mut touched = ChangedTopics::topics(&[Topic::Jobs]);
    match job_state(&was)? {
        JobState::Running => touched.topic(Topic::Cancel),
        was => touched.left(was),
    }
    Ok(Some(touched))
}
