//! Streams that end with the session they were opened in.

use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use async_stream::stream;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::sse::Event;
use futures::{Stream, StreamExt};

use crate::accounts;
use crate::app_state::Environment;
use crate::platform::caller::Caller;
use crate::platform::sse::{AFTER_FAILURE, pause};

/// However much is sent, the session is looked up no more often than this. For as long a
/// stream may go on after the session's end.
const EVERY: Duration = Duration::from_secs(5);

/// The session of a request that the guard has let pass.
pub struct SessionWatch {
    env: Arc<Environment>,
    caller: Caller,
    checked_at: TimeMs,
}

impl FromRequestParts<Arc<Environment>> for SessionWatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, env: &Arc<Environment>) -> Result<Self, Self::Rejection> {
        let caller = Caller::of(parts, &env.trusted_proxies);
        Ok(Self { env: env.clone(), caller, checked_at: env.clock.steady() })
    }
}

impl SessionWatch {
    /// Passes the events on while the session lasts. The browser then comes back, and learns
    /// from the guard that it has to log in. While there are no events, nothing is looked up.
    pub fn over(mut self, events: impl Stream<Item = Event> + Send + 'static) -> impl Stream<Item = Event> + Send {
        stream! {
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                if !self.lasts().await {
                    break;
                }
                yield event;
            }
        }
    }

    /// Whether more may be sent.
    pub async fn lasts(&mut self) -> bool {
        while self.checked_at.after(EVERY) <= self.env.clock.steady() {
            let now = self.env.clock.steady();
            let turn = self.env.event_streams.turn().await;
            let is_logged_in = accounts::is_logged_in(&self.env, &self.caller).await;
            drop(turn);
            match is_logged_in {
                Ok(true) => self.checked_at = now,
                Ok(false) => return false,
                // Nothing is sent to somebody of whom we do not know whether they may see it.
                Err(_) => pause(&self.env, AFTER_FAILURE).await,
            }
        }
        true
    }
}
