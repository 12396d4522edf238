//! Reads a stream of server-sent events as a browser does.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// Far more than anything in here takes: a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Events {
    chunks: BodyDataStream,
    buffer: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `message` where the server gives none.
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

impl Events {
    pub fn of(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), buffer: String::new() }
    }

    /// The next event; none at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        // Around the whole: the comments that keep a quiet connection alive are no event.
        timeout(PATIENCE, self.read()).await.expect("an event or the end comes in time")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let event = event(block);
                self.buffer = rest.to_owned();
                // A block without data is a comment that keeps the connection alive.
                if event.is_some() {
                    return event;
                }
            }
            let chunk = self.chunks.next().await?.expect("the stream does not break");
            self.buffer += std::str::from_utf8(&chunk).expect("events are whole and UTF-8");
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
    pub async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.unwrap_or_else(|| panic!("the stream ended instead of an event {name}"));
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

impl Event {
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error} in {}", self.data))
    }
}

fn event(block: &str) -> Option<Event> {
    let mut event = Event { name: "message".to_owned(), ..Event::default() };
    let mut data = Vec::new();
    for line in block.lines() {
        match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
            Some(("event", value)) => value.clone_into(&mut event.name),
            Some(("id", value)) => event.id = Some(value.to_owned()),
            Some(("data", value)) => data.push(value),
            _ => {}
        }
    }
    event.data = data.join("\n");
    (!data.is_empty()).then_some(event)
}
