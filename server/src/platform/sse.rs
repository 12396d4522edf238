//! Server-sent events: the stream, its permit, its session, and the loop that follows changes of the store.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, ErrorCode, Heartbeat, StreamEnd, TimeMs};
use async_stream::stream;
use async_trait::async_trait;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::future::select_all;
use futures::stream::{BoxStream, once};
use futures::{Stream, StreamExt};
use prometheus_client::metrics::gauge::Gauge;
use store::{Clock, Store, Subscription, Topic};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::caller::{Caller, CallerSettings, Sessions};
use super::error::{Error, Result};
use super::limits::Counted;

/// Interval of heartbeats. They show the page that the stream lives, show us that a browser is gone, and keep proxies
/// from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// How many streams may read from the store at once: half of its readers stay free for other requests.
const TURNS: usize = 4;
/// Pause after a failed read. The next change may be hours away.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Minimum interval between checks of a stream's session. A stream may outlive its session by this much.
const SESSION_CHECK_EVERY: Duration = Duration::from_secs(5);

/// Tells nginx to pass each part of a streamed response on at once.
pub const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

pub type EventStream =
    ([(HeaderName, &'static str); 1], Sse<BoxStream<'static, std::result::Result<Event, Infallible>>>);

/// What a stream sends.
pub enum Message {
    Event(Event),
    Heartbeat(Heartbeat),
    /// The last message.
    End(StreamEnd),
}

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
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Response> {
        // Browsers reconnect after each end, except after this status.
        if last_event_id::<String>(&parts.headers).is_some_and(|id| id == StreamEnd::COMPLETE_ID) {
            return Err(StatusCode::NO_CONTENT.into_response());
        }
        let streams = EventStreams::from_ref(state);
        match Counted::below(streams.0.limit, &streams.0.open) {
            Some(_counted) => Ok(Self { streams, _counted }),
            None => {
                let message = "Too many pages are followed live just now. Try again in a moment.";
                Err(Error::from(ApiError::new(ErrorCode::Unavailable, message)).into_response())
            }
        }
    }
}

impl StreamPermit {
    /// Sends what `source` reads, now and whenever a topic has changed. A failed read is retried.
    pub fn watch(&self, store: &dyn Store, topics: &[Topic], source: impl Source) -> BoxStream<'static, Message> {
        self.messages(subscribe(store, topics), None, source)
    }

    /// Like [`StreamPermit::watch`], for something that may not exist: if the first read fails, there is no stream.
    pub async fn try_watch(
        &self,
        store: &dyn Store,
        topics: &[Topic],
        mut source: impl Source,
    ) -> Result<BoxStream<'static, Message>> {
        // Before the first read, so that no change is missed.
        let subscriptions = subscribe(store, topics);
        let first = self.streams.in_turn(source.read(None)).await?;
        Ok(self.messages(subscriptions, Some(first), source))
    }

    fn messages(
        &self,
        subscriptions: Subscriptions,
        first: Option<Step>,
        source: impl Source,
    ) -> BoxStream<'static, Message> {
        let steps = steps(self.streams.clone(), subscriptions, first, source);
        with_heartbeats(self.streams.clone(), steps).boxed()
    }

    /// Sends `messages` up to their end, or until the server stops.
    pub fn send(self, messages: impl Stream<Item = Message> + Send + 'static) -> EventStream {
        let stop = self.streams.0.stop.clone().cancelled_owned();
        let messages = messages.take_until(stop).chain(once(async { Message::End(StreamEnd::Stopping) }));
        let events = stream! {
            let _held_while_sending = self;
            let mut messages = std::pin::pin!(messages);
            while let Some(message) = messages.next().await {
                let is_last = matches!(message, Message::End(_));
                yield Ok(message.into_event());
                if is_last {
                    break;
                }
            }
        };
        ([UNBUFFERED], Sse::new(events.boxed()))
    }
}

impl Message {
    fn into_event(self) -> Event {
        match self {
            Self::Event(event) => event,
            Self::Heartbeat(heartbeat) => {
                let event = Event::default().event(Heartbeat::EVENT);
                event.json_data(heartbeat).expect("a heartbeat has a JSON form")
            }
            Self::End(end) => {
                let event = Event::default().event(StreamEnd::EVENT).data(end.as_str());
                if end == StreamEnd::Complete { event.id(StreamEnd::COMPLETE_ID) } else { event }
            }
        }
    }
}

/// What a source yields.
enum Yielded {
    Event(Event),
    /// A read has succeeded.
    Read,
    /// A read has failed, and will be retried.
    Failed,
    End(StreamEnd),
}

fn steps(
    streams: EventStreams,
    mut subscriptions: Subscriptions,
    mut first: Option<Step>,
    mut source: impl Source,
) -> impl Stream<Item = Yielded> + Send + 'static {
    stream! {
        let mut changed = None;
        loop {
            let step = match first.take() {
                Some(step) => Ok(step),
                None => streams.in_turn(source.read(changed)).await,
            };
            let Step { events, then } = match step.map_err(ApiError::from) {
                Ok(step) => step,
                Err(error) if error.code == ErrorCode::NotFound => {
                    yield Yielded::End(StreamEnd::Gone);
                    return;
                }
                Err(_) => Step { events: Vec::new(), then: Then::Retry },
            };
            yield if matches!(then, Then::Retry) { Yielded::Failed } else { Yielded::Read };
            for event in events {
                yield Yielded::Event(event);
            }
            match then {
                Then::ReadOn => changed = None,
                Then::Wait(pause) => {
                    streams.pause(pause).await;
                    changed = next_change(&mut subscriptions).await;
                }
                Then::Retry => streams.pause(AFTER_FAILURE).await,
                Then::End => {
                    yield Yielded::End(StreamEnd::Complete);
                    return;
                }
            }
        }
    }
}

fn with_heartbeats(
    streams: EventStreams,
    yielded: impl Stream<Item = Yielded> + Send + 'static,
) -> impl Stream<Item = Message> + Send + 'static {
    stream! {
        let clock = &*streams.0.clock;
        let every_ms = u32::try_from(HEARTBEAT.as_millis()).unwrap_or(u32::MAX);
        let mut is_current = true;
        let mut yielded = std::pin::pin!(yielded);
        loop {
            yield Message::Heartbeat(Heartbeat { every_ms, now: clock.wall(), is_current });
            let mut next_beat = clock.sleep_until(clock.steady().after(HEARTBEAT));
            while let Some(next) = before(&mut next_beat, yielded.next()).await {
                let Some(next) = next else { return };
                let is_current_now = match next {
                    Yielded::Event(event) => {
                        yield Message::Event(event);
                        continue;
                    }
                    Yielded::End(end) => {
                        yield Message::End(end);
                        return;
                    }
                    Yielded::Read => true,
                    Yielded::Failed => false,
                };
                // A change is told at once.
                if is_current_now != is_current {
                    is_current = is_current_now;
                    break;
                }
            }
        }
    }
}

/// The output of `next`, or `None` if it is `time` first.
async fn before<T>(time: &mut (impl Future<Output = ()> + Unpin), next: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        next = next => Some(next),
        () = time => None,
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
    CallerSettings: FromRef<S>,
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
    /// Passes the messages on while the session lasts. Heartbeats are messages too, so a quiet stream ends as well. They go
    /// on while the store does not say whether it lasts, because they say that the server lives.
    pub fn over(
        mut self,
        messages: impl Stream<Item = Message> + Send + 'static,
    ) -> impl Stream<Item = Message> + Send {
        stream! {
            let mut messages = std::pin::pin!(messages);
            while let Some(message) = messages.next().await {
                let lasts = match message {
                    Message::Heartbeat(_) => self.check().await.unwrap_or(true),
                    Message::Event(_) | Message::End(_) => self.lasts().await,
                };
                if !lasts {
                    yield Message::End(StreamEnd::SignedOut);
                    return;
                }
                yield message;
            }
        }
    }

    /// Whether more may be sent. Waits while the store does not answer.
    pub async fn lasts(&mut self) -> bool {
        loop {
            match self.check().await {
                Some(lasts) => return lasts,
                None => self.streams.pause(AFTER_FAILURE).await,
            }
        }
    }

    /// Whether the session lasts. `None` if it is time to ask the store, which does not answer.
    async fn check(&mut self) -> Option<bool> {
        let now = self.streams.0.clock.steady();
        if self.checked_at.after(SESSION_CHECK_EVERY) > now {
            return Some(true);
        }
        let lasts = self.streams.in_turn(self.sessions.lasts(&self.caller)).await.map_err(ApiError::from).ok()?;
        if lasts {
            self.checked_at = now;
        }
        Some(lasts)
    }
}
