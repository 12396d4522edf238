//! The phase of a connection, and how long it may be idle.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
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
    clock: Arc<dyn Clock>,
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
        Self { phase, clock }
    }

    /// The peer has sent something.
    pub fn received(&self, bytes: &[u8]) {
        self.phase.send_if_modified(|phase| {
            let Phase::Idle { version, .. } = *phase else { return false };
            // In HTTP/2 it may be anything, for instance the answer to a ping.
            if bytes.is_empty() || version == Version::HTTP_2 {
                return false;
            }
            *phase = Phase::Head { by: self.clock.steady().after(HEAD_LIMIT) };
            true
        });
    }

    /// A request has arrived, and is being answered until the returned value is dropped.
    pub fn answers(self: Arc<Self>, version: Version) -> BeingAnswered {
        self.phase.send_modify(|phase| {
            let others = if let Phase::Answering { requests, .. } = *phase { requests } else { 0 };
            *phase = Phase::Answering { requests: others + 1, version };
        });
        BeingAnswered(self)
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

/// A request that is being answered.
pub struct BeingAnswered(Arc<Activity>);

impl Drop for BeingAnswered {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// A response's body. Its request counts as being answered until the whole body was handed to the connection.
pub struct BeingSent<B> {
    pub body: B,
    pub _being_answered: BeingAnswered,
}

impl<B: Body + Unpin> Body for BeingSent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
