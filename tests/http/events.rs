//! Reads a stream of server-sent events as a browser does.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use tests::http_client::{ReceivedEvents, StreamEvent};
use tokio::time::timeout;

/// Far more than anything in here takes: a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Events {
    chunks: BodyDataStream,
    received: ReceivedEvents,
}

impl Events {
    pub fn of(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), received: ReceivedEvents::default() }
    }

    /// The next event; none at the end of the stream.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        // Around the whole: the comments that keep a quiet connection alive are no event.
        timeout(PATIENCE, self.read()).await.expect("an event or the end comes in time")
    }

    async fn read(&mut self) -> Option<StreamEvent> {
        loop {
            if let Some(event) = self.received.take_next() {
                return Some(event);
            }
            let chunk = self.chunks.next().await?.expect("the stream does not break");
            self.received.add(&chunk);
        }
    }

    /// Waits for something else to happen, before which no event may come.
    pub async fn are_silent_until(&mut self, happens: impl Future<Output = ()>) {
        tokio::select! {
            event = self.next() => panic!("too early: {event:?}"),
            () = happens => {}
        }
    }

    /// The next event, which is there and has this name.
    pub async fn expect(&mut self, name: &str) -> StreamEvent {
        let event = self.next().await.unwrap_or_else(|| panic!("the stream ended instead of an event {name}"));
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}
