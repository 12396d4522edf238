//! The phase of a connection, and how long it may be idle.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use api::TimeMs;
use axum::http::Version;
use futures::future::BoxFuture;
use futures::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};
use store::Clock;

/// Time limit of a request's head; for the first one, from the moment of the connection. A head fits a few packets: a
/// peer that takes longer has vanished, or sends slowly on purpose.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Time limit of an idle connection. Proxies usually keep theirs for a minute; ours must last longer, so that no
/// request meets a closing connection.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

pub struct Activity {
    phase: Mutex<Phase>,
    /// Wakes the connection's task if another task has changed the phase.
    changed: AtomicWaker,
    /// Whether an HTTP/1 response without a length is being sent. In HTTP/2, each stream has its own end.
    is_unfinished: AtomicBool,
    /// Whether a request was answered before its body was read.
    has_unread_body: AtomicBool,
    clock: Arc<dyn Clock>,
}

/// What some bytes are that the peer has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// They begin the head of an HTTP/1 request.
    FirstOfHead,
    /// They may be the rest of a body, or the next head.
    AfterUnreadBody,
    More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A head is arriving, and must be complete `by` then.
    Head { by: TimeMs },
    /// Some requests are being answered. Each has limits of its own; see layers.rs.
    Answering { requests: u32, version: Version },
    /// No request: the connection ends at `until`.
    Idle { until: TimeMs, version: Version },
}

impl Activity {
    pub fn begin(clock: Arc<dyn Clock>) -> Self {
        Self {
            phase: Mutex::new(Phase::Head { by: clock.steady().after(HEAD_LIMIT) }),
            changed: AtomicWaker::new(),
            is_unfinished: AtomicBool::new(false),
            has_unread_body: AtomicBool::new(false),
            clock,
        }
    }

    /// The peer has sent something.
    pub fn received(&self) -> Received {
        let mut phase = self.phase();
        // In HTTP/2 it may be anything, for instance the answer to a ping.
        let begins_head = matches!(*phase, Phase::Idle { version, .. } if version != Version::HTTP_2);
        if begins_head {
            *phase = Phase::Head { by: self.clock.steady().after(HEAD_LIMIT) };
        }
        match begins_head {
            _ if self.has_unread_body.load(Ordering::Relaxed) => Received::AfterUnreadBody,
            true => Received::FirstOfHead,
            false => Received::More,
        }
    }

    /// Whether closing the connection now would cut a response short, and its peer might not notice.
    pub fn is_unfinished(&self) -> bool {
        self.is_unfinished.load(Ordering::Relaxed)
    }

    /// A request has arrived, and is being answered until the returned value is dropped.
    pub fn answers(self: Arc<Self>, version: Version) -> BeingAnswered {
        let mut phase = self.phase();
        let others = if let Phase::Answering { requests, .. } = *phase { requests } else { 0 };
        *phase = Phase::Answering { requests: others + 1, version };
        drop(phase);
        BeingAnswered { activity: self, version }
    }

    fn answered(&self) {
        let mut phase = self.phase();
        let Phase::Answering { requests, version } = *phase else { return };
        *phase = match requests - 1 {
            0 => Phase::Idle { until: self.clock.steady().after(IDLE_LIMIT), version },
            others => Phase::Answering { requests: others, version },
        };
        drop(phase);
        // In HTTP/1 this is the connection's own task, which looks at the phase before it rests.
        if version == Version::HTTP_2 {
            self.changed.wake();
        }
    }

    pub fn is_in_head(&self) -> bool {
        matches!(*self.phase(), Phase::Head { .. })
    }

    /// No code panics while it holds the lock, so a poisoned lock's value is intact.
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once the connection has been inactive for too long. To be polled after the connection, in the same task.
    ///
    /// A timer that is set stays set while the end moves away from it, and is set anew only when it fires: to set one for
    /// each phase of each request costs more than to look for the end now and then.
    pub async fn ends(&self) {
        let mut timer: Option<(TimeMs, BoxFuture<'_, ()>)> = None;
        poll_fn(|context| {
            // Before the phase is read, so that no change in between is missed.
            self.changed.register(context.waker());
            loop {
                let end = match *self.phase() {
                    Phase::Answering { .. } => return Poll::Pending,
                    Phase::Head { by: end } | Phase::Idle { until: end, .. } => end,
                };
                match &mut timer {
                    Some((set_for, fires)) if *set_for <= end => {
                        ready!(fires.as_mut().poll(context));
                        if *set_for == end {
                            return Poll::Ready(());
                        }
                        timer = None;
                    }
                    _ => timer = Some((end, self.clock.sleep_until(end))),
                }
            }
        })
        .await;
    }
}

/// The body of a request.
pub struct BeingReceived<B> {
    body: B,
    is_whole: bool,
    activity: Arc<Activity>,
}

impl<B: Body> BeingReceived<B> {
    pub fn new(body: B, activity: Arc<Activity>) -> Self {
        Self { is_whole: body.is_end_stream(), body, activity }
    }
}

impl<B: Body + Unpin> Body for BeingReceived<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.is_whole |= frame.is_none() || self.body.is_end_stream();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for BeingReceived<B> {
    fn drop(&mut self) {
        self.activity.has_unread_body.fetch_or(!self.is_whole, Ordering::Relaxed);
    }
}

/// A request that is being answered.
pub struct BeingAnswered {
    activity: Arc<Activity>,
    version: Version,
}

impl BeingAnswered {
    fn set_unfinished(&self, is_unfinished: bool) {
        if self.version != Version::HTTP_2 {
            self.activity.is_unfinished.store(is_unfinished, Ordering::Relaxed);
        }
    }
}

impl Drop for BeingAnswered {
    fn drop(&mut self) {
        self.activity.answered();
    }
}

/// A response's body. Its request counts as being answered until the whole body was handed to the connection.
pub struct BeingSent<B> {
    pub body: B,
    pub being_answered: BeingAnswered,
}

impl<B: Body + Unpin> Body for BeingSent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let has_length = self.body.size_hint().exact().is_some();
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if !has_length {
            let is_finished = matches!(frame, Poll::Ready(None)) || self.body.is_end_stream();
            self.being_answered.set_unfinished(!is_finished);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
