//! How the whole is doing, live.

use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use axum::extract::State;
use axum::response::sse::Event;

use crate::accounts::session_watch::SessionWatch;
use crate::app_state::Environment;
use crate::platform::sse::{EventStream, Place, event_stream, pause};
use crate::system;

const PAUSE: Duration = Duration::from_secs(1);

/// Event `state`: at once, and then each second.
pub async fn events(State(env): State<Arc<Environment>>, place: Place, session: SessionWatch) -> EventStream {
    let watched = env.clone();
    let events = stream! {
        loop {
            let turn = watched.event_streams.turn().await;
            let state = system::gather(&watched).await.state;
            drop(turn);
            yield Event::default().event("state").json_data(state).expect("a state has a JSON form");
            pause(&watched, PAUSE).await;
        }
    };
    event_stream(&env, place, session.over(events))
}
