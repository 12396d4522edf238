//! The jobs' counts and their kinds, live, and word of jobs that say how far they are.

use std::sync::Arc;
use std::time::Duration;

use api::{JobCounts, JobKind};
use async_stream::stream;
use axum::extract::State;
use axum::response::sse::Event;
use store::{Subscription, Topic};

use crate::accounts::session_watch::SessionWatch;
use crate::app_state::Environment;
use crate::jobs::kinds;
use crate::platform::error::from_store;
use crate::platform::sse::{AFTER_FAILURE, EventStream, Place, event_stream, pause};

const PAUSE: Duration = Duration::from_millis(200);

/// Events `counts` and `kinds`: at once, and then whenever they have changed. Event `progress`, without data, when
/// jobs have said how far they are.
pub async fn events(State(env): State<Arc<Environment>>, session: SessionWatch, place: Place) -> EventStream {
    let (mut changes, mut reports) = (env.store.subscribe(Topic::Jobs), env.store.subscribe(Topic::Output));
    let watched = env.clone();
    let events = stream! {
        let mut last = None;
        loop {
            let Ok((counts, kinds)) = read_in_turn(&watched).await.map_err(from_store) else {
                pause(&watched, AFTER_FAILURE).await;
                continue;
            };
            let (told_counts, told_kinds) = last.unzip();
            if told_counts != Some(counts) {
                yield Event::default().event("counts").json_data(counts).expect("counts have a JSON form");
            }
            let has_changed = told_kinds.as_ref() != Some(&kinds);
            if has_changed {
                yield Event::default().event("kinds").json_data(&kinds).expect("kinds have a JSON form");
            }
            last = Some((counts, kinds));
            if has_changed {
                pause(&watched, PAUSE).await;
            }
            // A report changes no count, so none is read.
            while is_report_first(&mut changes, &mut reports).await {
                yield Event::default().event("progress").data("null");
                pause(&watched, PAUSE).await;
            }
        }
    };
    event_stream(&env, place, session.over(events))
}

/// Waits for either. Where both have come, the change goes first.
async fn is_report_first(changes: &mut Subscription, reports: &mut Subscription) -> bool {
    tokio::select! {
        biased;
        () = changes.changed() => false,
        () = reports.changed() => true,
    }
}

async fn read_in_turn(env: &Environment) -> store::Result<(JobCounts, Vec<JobKind>)> {
    let _turn = env.event_streams.turn().await;
    Ok((env.store.job_counts().await?, kinds::all(env).await?))
}
