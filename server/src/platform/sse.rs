//! Server-sent events: the stream, its permit, its session, and the loop that follows changes of the store.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode, TimeMs};
use async_stream::stream;
use async_trait::async_trait;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use futures::future::select_all;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use prometheus_client::metrics::gauge::Gauge;
use store::{Clock, Store, Subscription, Topic};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::caller::{Caller, Sessions, TrustedProxies};
use super::error::{Error, Result};
use super::limits::Counted;

/// Interval of comments. They keep proxies from closing a quiet stream, and show that a browser is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How many streams may read from the store at once: half of its readers stay free for other requests.
const TURNS: usize = 4;
/// Pause after a failed read. The next change may be hours away.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Minimum interval between checks of a stream's session. A stream may outlive its session by this much.
const SESSION_CHECK_EVERY: Duration = Duration::from_secs(5);

pub type EventStream = Sse<KeepAliveStream<BoxStream<'static, std::result::Result<Event, Infallible>>>>;

/// What all event streams share.
#[derive(Clone)]
pub struct EventStreams(Arc<Shared>);

struct Shared {
    limit: u32,
    open: Gauge,
    turns: Semaphore,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

/// What a stream sends next.
pub struct Step {
    pub events: Vec<Event>,
    pub then: Then,
}

/// When a stream reads again.
pub enum Then {
    /// At once: there is more.
    ReadOn,
    /// After a change, but no sooner than this: it throttles the stream.
    Wait(Duration),
    /// After a pause: part of the read failed.
    Retry,
    End,
}

/// What a stream follows.
#[async_trait]
pub trait Source: Send + 'static {
    /// Reads what is new. `changed` is the topic that has changed; `None` at the start and when reading on.
    async fn read(&mut self, changed: Option<Topic>) -> Result<Step>;
}

impl EventStreams {
    /// Allows `limit` open streams, counted in `open`. They end when `stop` is cancelled.
    pub fn new(limit: u32, open: Gauge, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        Self(Arc::new(Shared { limit, open, turns: Semaphore::new(TURNS), clock, stop }))
    }

    /// Limits concurrent reads. One change wakes all streams, and thousands of reads at once would lock other requests
    /// out of the store.
    async fn in_turn<T>(&self, read: impl Future<Output = T>) -> T {
        let _turn = self.0.turns.acquire().await.expect("the semaphore is never closed");
        read.await
    }

    async fn pause(&self, length: Duration) {
        if !length.is_zero() {
            self.0.clock.sleep_until(self.0.clock.steady().after(length)).await;
        }
    }
}

/// Permit for one event stream, held while the stream is open.
pub struct StreamPermit {
    streams: EventStreams,
    _counted: Counted,
}

impl<S: Sync> FromRequestParts<S> for StreamPermit
where
    EventStreams: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self> {
        let streams = EventStreams::from_ref(state);
        match Counted::below(streams.0.limit, &streams.0.open) {
            Some(_counted) => Ok(Self { streams, _counted }),
            None => {
                let message = "Too many pages are followed live just now. Try again in a moment.";
                Err(ApiError::new(ErrorCode::Unavailable, message).into())
            }
        }
    }
}

impl StreamPermit {
    /// Sends what `source` reads, now and whenever a topic has changed. A failed read is retried.
    pub fn watch(&self, store: &dyn Store, topics: &[Topic], source: impl Source) -> BoxStream<'static, Event> {
        steps(self.streams.clone(), subscribe(store, topics), None, source).boxed()
    }

    /// Like [`StreamPermit::watch`], for something that may not exist: if the first read fails, there is no stream.
    pub async fn try_watch(
        &self,
        store: &dyn Store,
        topics: &[Topic],
        mut source: impl Source,
    ) -> Result<BoxStream<'static, Event>> {
        // Before the first read, so that no change is missed.
        let subscriptions = subscribe(store, topics);
        let first = self.streams.in_turn(source.read(None)).await?;
        Ok(steps(self.streams.clone(), subscriptions, Some(first), source).boxed())
    }

    /// Sends `events` until they end or the server stops. Browsers then reconnect by themselves.
    pub fn send(self, events: impl Stream<Item = Event> + Send + 'static) -> EventStream {
        let stop = self.streams.0.stop.clone().cancelled_owned();
        let events = events.take_until(stop).map(move |event| {
            let _held_while_sending = &self;
            Ok(event)
        });
        Sse::new(events.boxed()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
    }
}

fn steps(
    streams: EventStreams,
    mut subscriptions: Subscriptions,
    mut first: Option<Step>,
    mut source: impl Source,
) -> impl Stream<Item = Event> + Send + 'static {
    stream! {
        let mut changed = None;
        loop {
            let step = match first.take() {
                Some(step) => Ok(step),
                None => streams.in_turn(source.read(changed)).await,
            };
            let Step { events, then } = match step.map_err(ApiError::from) {
                Ok(step) => step,
                // Deleted meanwhile.
                Err(error) if error.code == ErrorCode::NotFound => return,
                Err(_) => Step { events: Vec::new(), then: Then::Retry },
            };
            for event in events {
                yield event;
            }
            match then {
                Then::ReadOn => changed = None,
                Then::Wait(pause) => {
                    streams.pause(pause).await;
                    changed = next_change(&mut subscriptions).await;
                }
                Then::Retry => streams.pause(AFTER_FAILURE).await,
                Then::End => return,
            }
        }
    }
}

type Subscriptions = Vec<(Topic, Subscription)>;

fn subscribe(store: &dyn Store, topics: &[Topic]) -> Subscriptions {
    topics.iter().map(|&topic| (topic, store.subscribe(topic))).collect()
}

/// The first topic that has changed. Returns at once without subscriptions.
async fn next_change(subscriptions: &mut Subscriptions) -> Option<Topic> {
    if subscriptions.is_empty() {
        return None;
    }
    let changes = subscriptions.iter_mut().map(|(topic, subscription)| {
        Box::pin(async move {
            subscription.changed().await;
            *topic
        })
    });
    Some(select_all(changes).await.0)
}

/// The id of the last event that a reconnecting browser has seen.
pub fn last_event_id<T: std::str::FromStr>(headers: &HeaderMap) -> Option<T> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// The session of a request that the guard has admitted. Its streams end with it.
pub struct SessionWatch {
    sessions: Arc<dyn Sessions>,
    streams: EventStreams,
    caller: Caller,
    checked_at: TimeMs,
}

impl<S: Send + Sync> FromRequestParts<S> for SessionWatch
where
    Arc<dyn Sessions>: FromRef<S>,
    EventStreams: FromRef<S>,
    TrustedProxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Infallible> {
        let (sessions, streams) = (Arc::from_ref(state), EventStreams::from_ref(state));
        let caller = Caller::from_request_parts(parts, state).await?;
        let checked_at = streams.0.clock.steady();
        Ok(Self { sessions, streams, caller, checked_at })
    }
}

impl SessionWatch {
    /// Passes the events on while the session lasts. The browser then reconnects, and the guard asks it to log in.
    /// Without events, nothing is looked up.
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

    /// Whether more may be sent. Waits while the store does not answer.
    pub async fn lasts(&mut self) -> bool {
        let clock = self.streams.0.clock.clone();
        while self.checked_at.after(SESSION_CHECK_EVERY) <= clock.steady() {
            let now = clock.steady();
            match self.streams.in_turn(self.sessions.lasts(&self.caller)).await.map_err(ApiError::from) {
                Ok(true) => self.checked_at = now,
                Ok(false) => return false,
                Err(_) => self.streams.pause(AFTER_FAILURE).await,
            }
        }
        true
    }
}
