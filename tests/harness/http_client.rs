//! A small HTTP client like curl, with a session and event streams.

use std::collections::VecDeque;
use std::fmt;

use api::{Heartbeat, StreamEnd};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode, request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Talks to one server. Clones share its connections.
#[derive(Clone)]
pub struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    cookie: Option<String>,
    user_agent: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// There was no answer, or an incomplete one.
#[derive(Debug)]
pub struct NoAnswer(String);

impl HttpClient {
    pub fn new(base: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { client, base: base.to_owned(), cookie: None, user_agent: None }
    }

    /// The same client with this User-Agent.
    pub fn with_user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(user_agent.to_owned());
        self
    }

    /// The session cookie, if there is one.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    pub async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.ask(Method::GET, path, "", Bytes::new()).await
    }

    /// Sends a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, NoAnswer> {
        self.post_encoded(path, serde_urlencoded::to_string(fields).expect("pairs of texts are a form")).await
    }

    /// Sends a form that is already encoded.
    pub async fn post_encoded(&self, path: &str, form: String) -> Result<Answer, NoAnswer> {
        self.ask(Method::POST, path, "application/x-www-form-urlencoded", form.into()).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.ask(Method::POST, path, "application/json", body.to_string().into()).await
    }

    /// Creates an administrator with a setup link's token. From then on this client has that administrator's session.
    pub async fn set_up(&mut self, token: &str, name: &str, password: &str) {
        let body = json!({"token": token, "name": name, "password": password});
        let answer = self.post_json("/api/setup", &body).await.expect("the server answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.headers.get(SET_COOKIE).expect("an opened session has a cookie");
        let cookie = cookie.to_str().expect("cookies are ASCII").split(';').next();
        self.cookie = cookie.map(ToOwned::to_owned);
    }

    /// Opens a stream of server-sent events, which begins after the event with the id `last_event`.
    pub async fn listen(&self, path: &str, last_event: Option<&str>) -> Result<EventStream, NoAnswer> {
        let mut request = self.request(Method::GET, path, "");
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        let answer = self.send(request, Bytes::new()).await?;
        if answer.status() != StatusCode::OK {
            return Err(NoAnswer(format!("no stream: {}", answer.status())));
        }
        Ok(EventStream::of(answer.into_body()))
    }

    async fn ask(&self, method: Method, path: &str, content_type: &str, body: Bytes) -> Result<Answer, NoAnswer> {
        let request = self.request(method, path, content_type);
        let (head, body) = self.send(request, body).await?.into_parts();
        let body = body.collect().await.map_err(NoAnswer::because)?.to_bytes();
        let body = String::from_utf8(body.to_vec()).map_err(NoAnswer::because)?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    fn request(&self, method: Method, path: &str, content_type: &str) -> request::Builder {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !content_type.is_empty() {
            request = request.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in [(COOKIE, &self.cookie), (USER_AGENT, &self.user_agent)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request
    }

    async fn send(&self, request: request::Builder, body: Bytes) -> Result<Response<Incoming>, NoAnswer> {
        let request = request.body(Full::new(body)).expect("a request of well-formed parts");
        self.client.request(request).await.map_err(NoAnswer::because)
    }
}

impl Answer {
    /// The body, read as JSON. Panics if it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.body))
    }
}

impl NoAnswer {
    fn because(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer: {}", self.0)
    }
}

/// An open stream.
pub struct EventStream {
    body: Incoming,
    pub received: ReceivedEvents,
}

/// The part of a stream that has arrived but has not been read, and what the stream said about itself.
#[derive(Debug, Default)]
pub struct ReceivedEvents {
    unread: String,
    pub heartbeats: VecDeque<Heartbeat>,
    pub end: Option<StreamEnd>,
}

/// An event as a browser passes it to the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// `message` if the server sets none.
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

impl EventStream {
    pub(crate) fn of(body: Incoming) -> Self {
        Self { body, received: ReceivedEvents::default() }
    }

    /// The next event; `None` once the stream has ended or is broken. Cancel safe.
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
    /// Adds a chunk. Panics if it is not UTF-8 by itself: the server sends whole events.
    pub fn add(&mut self, chunk: &[u8]) {
        self.unread += std::str::from_utf8(chunk).expect("events are whole and UTF-8");
    }

    /// The next complete event, if there is one. Heartbeats and the end are kept aside.
    pub fn take_next(&mut self) -> Option<StreamEvent> {
        while let Some((block, rest)) = self.unread.split_once("\n\n") {
            let event = event(block);
            self.unread = rest.to_owned();
            assert_eq!(self.end, None, "nothing follows the end: {event:?}");
            match event {
                Some(event) if event.name == Heartbeat::EVENT => self.heartbeats.push_back(event.json()),
                Some(event) if event.name == StreamEnd::EVENT => self.end = StreamEnd::parse(&event.data),
                Some(event) => return Some(event),
                None => {}
            }
        }
        None
    }
}

impl StreamEvent {
    /// The data, read as JSON. Panics where it is not a `T`.
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
