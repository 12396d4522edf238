//! A stream of server-sent events, as a browser reads it.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

/// An open stream.
pub struct EventStream {
    body: Incoming,
    received: ReceivedEvents,
}

/// What has come of a stream and was not read yet.
#[derive(Debug, Default)]
pub struct ReceivedEvents(String);

/// What a browser would hand to the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// `message` where the server gives none.
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

impl EventStream {
    pub(crate) fn of(body: Incoming) -> Self {
        Self { body, received: ReceivedEvents::default() }
    }

    /// The next event; none once the stream has ended or is broken. Gives nothing away when it is dropped half way.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            if let Some(event) = self.received.take_next() {
                return Some(event);
            }
            let frame = self.body.frame().await?.ok()?;
            let Ok(chunk) = frame.into_data() else { continue };
            self.received.add(&chunk);
        }
    }
}

impl ReceivedEvents {
    /// Adds what has come. Panics where it is not UTF-8 by itself: our events are sent whole.
    pub fn add(&mut self, chunk: &[u8]) {
        self.0 += std::str::from_utf8(chunk).expect("events are whole and UTF-8");
    }

    /// The next whole event; none where more has to come first.
    pub fn take_next(&mut self) -> Option<StreamEvent> {
        while let Some((block, rest)) = self.0.split_once("\n\n") {
            let event = event(block);
            self.0 = rest.to_owned();
            // A block without data is a comment that keeps the connection alive.
            if event.is_some() {
                return event;
            }
        }
        None
    }
}

impl StreamEvent {
    /// The data, read as JSON. Panics where it is not a `T`.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error} in {}", self.data))
    }
}

fn event(block: &str) -> Option<StreamEvent> {
    let mut event = StreamEvent { name: "message".to_owned(), ..StreamEvent::default() };
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
