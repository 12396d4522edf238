//! Server-sent events: what all our streams have in common.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::app_state::Environment;
use crate::platform::error::ErrorResponse;
use crate::system::metrics::Counted;

/// A comment this often keeps proxies from closing a quiet stream, and shows us that a
/// browser is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// So many streams read from the store at the same time: half of its readers are for those who ask.
const TURNS: usize = 4;

/// A store that has failed is asked again after this long: the next change may be hours away.
pub const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub type EventStream = Sse<KeepAliveStream<BoxStream<'static, Result<Event, Infallible>>>>;

/// Sends `events` until they end or the server stops. Browsers then come back by themselves.
pub fn event_stream(
    env: &Arc<Environment>,
    place: Place,
    events: impl Stream<Item = Event> + Send + 'static,
) -> EventStream {
    let stop = env.stop.clone().cancelled_owned();
    let events = events.take_until(stop).map(move |event| {
        let _held_while_sending = &place;
        Ok(event)
    });
    Sse::new(events.boxed()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// What all event streams have to share.
pub struct EventStreams {
    /// How many may be open at once.
    pub limit: u32,
    turns: Semaphore,
}

impl EventStreams {
    #[must_use]
    pub fn up_to(limit: u32) -> Self {
        Self { limit, turns: Semaphore::new(TURNS) }
    }

    /// To be held while a stream reads from the store. One change wakes all streams, and thousands of them
    /// at the store's door would keep everybody else out of it.
    pub async fn turn(&self) -> SemaphorePermit<'_> {
        self.turns.acquire().await.expect("the semaphore is never closed")
    }
}

/// A place among the event streams that may be open at once, for as long as the stream is.
pub struct Place {
    _counted: Counted,
}

impl FromRequestParts<Arc<Environment>> for Place {
    type Rejection = ErrorResponse;

    async fn from_request_parts(_: &mut Parts, env: &Arc<Environment>) -> Result<Self, ErrorResponse> {
        let counted = Counted::below(env.event_streams.limit, &env.metrics.streams);
        counted.map(|_counted| Self { _counted }).ok_or_else(|| {
            let message = "Too many pages are followed live just now. Try again in a moment.";
            ErrorResponse(ApiError::new(ErrorCode::Unavailable, message))
        })
    }
}

/// Waits this long: however much happens, a page is not told more often.
pub async fn pause(env: &Environment, length: Duration) {
    env.clock.sleep_until(env.clock.steady().after(length)).await;
}
