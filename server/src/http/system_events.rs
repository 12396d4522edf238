//! How the whole is doing, live.

use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use axum::extract::State;
use axum::response::sse::Event;

use super::event_stream::{EventStream, event_stream, pause};
use super::session_watch::SessionWatch;
use crate::environment::Environment;
use crate::system;

const PAUSE: Duration = Duration::from_secs(1);

/// Event `state`: at once, and then each second.
pub async fn events(State(env): State<Arc<Environment>>, session: SessionWatch) -> EventStream {
    let watched = env.clone();
    let events = stream! {
        loop {
            let state = system::gather(&watched).await.state;
            yield Event::default().event("state").json_data(state).expect("a state has a JSON form");
            pause(&watched, PAUSE).await;
        }
    };
    event_stream(&env, session.over(events))
}
