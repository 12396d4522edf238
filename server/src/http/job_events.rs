//! The jobs' counts, live.

use std::sync::Arc;
use std::time::Duration;

use api::JobCounts;
use async_stream::stream;
use axum::extract::State;
use axum::response::sse::Event;
use store::Topic;

use super::event_stream::{AFTER_FAILURE, EventStream, Place, event_stream, pause};
use super::from_store;
use super::session_watch::SessionWatch;
use crate::environment::Environment;

const PAUSE: Duration = Duration::from_millis(200);

/// Event `counts`: at once, and then whenever they have changed.
pub async fn events(State(env): State<Arc<Environment>>, session: SessionWatch, place: Place) -> EventStream {
    let mut changes = env.store.subscribe(Topic::Jobs);
    let watched = env.clone();
    let events = stream! {
        let mut last = None;
        loop {
            let Ok(counts) = counts_in_turn(&watched).await.map_err(from_store) else {
                pause(&watched, AFTER_FAILURE).await;
                continue;
            };
            if last != Some(counts) {
                yield Event::default().event("counts").json_data(counts).expect("counts have a JSON form");
                last = Some(counts);
                pause(&watched, PAUSE).await;
            }
            changes.changed().await;
        }
    };
    event_stream(&env, place, session.over(events))
}

async fn counts_in_turn(env: &Environment) -> store::Result<JobCounts> {
    let _turn = env.event_streams.turn().await;
    env.store.job_counts().await
}
