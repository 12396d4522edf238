//! The phase of a connection, and how long it may be idle.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use api::TimeMs;
use axum::http::Version;
use hyper::body::{Body, Frame, SizeHint};
use store::Clock;
use tokio::sync::watch;

/// Time limit of a request's head; for the first one, from the moment of the connection. A head fits a few packets: a
/// peer that takes longer has vanished, or sends slowly on purpose.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Time limit of an idle connection. Proxies usually keep theirs for a minute; ours must last longer, so that no
/// request meets a closing connection.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

pub struct Activity {
    phase: watch::Sender<Phase>,
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
        let phase = watch::Sender::new(Phase::Head { by: clock.steady().after(HEAD_LIMIT) });
        Self { phase, is_unfinished: AtomicBool::new(false), has_unread_body: AtomicBool::new(false), clock }
    }

    /// The peer has sent something.
    pub fn received(&self) -> Received {
        let begins_head = self.phase.send_if_modified(|phase| {
            let Phase::Idle { version, .. } = *phase else { return false };
            // In HTTP/2 it may be anything, for instance the answer to a ping.
            if version == Version::HTTP_2 {
                return false;
            }
            *phase = Phase::Head { by: self.clock.steady().after(HEAD_LIMIT) };
            true
        });
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
        self.phase.send_modify(|phase| {
            let others = if let Phase::Answering { requests, .. } = *phase { requests } else { 0 };
            *phase = Phase::Answering { requests: others + 1, version };
        });
        BeingAnswered { activity: self, version }
    }

    fn answered(&self) {
        self.phase.send_modify(|phase| {
            let Phase::Answering { requests, version } = *phase else { return };
            *phase = match requests - 1 {
                0 => Phase::Idle { until: self.clock.steady().after(IDLE_LIMIT), version },
                others => Phase::Answering { requests: others, version },
            };
        });
    }

    pub fn is_in_head(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Head { .. })
    }

    /// Returns once the connection has been inactive for too long.
    pub async fn ends(&self) {
        let mut phase = self.phase.subscribe();
        loop {
            let now = *phase.borrow_and_update();
            // The sending side is our own.
            let changes = async { phase.changed().await.expect("never closed") };
            match now {
                Phase::Answering { .. } => changes.await,
                Phase::Head { by: end } | Phase::Idle { until: end, .. } => tokio::select! {
                    () = changes => {}
                    () = self.clock.sleep_until(end) => return,
                },
            }
        }
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
