//! A small HTTP client: what curl would do, with a session.

use std::fmt;

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

use crate::event_stream::EventStream;

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

/// No answer came, or not a whole one.
#[derive(Debug)]
pub struct NoAnswer(String);

impl HttpClient {
    #[must_use]
    pub fn new(base: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { client, base: base.to_owned(), cookie: None, user_agent: None }
    }

    /// The same client, saying that it is this browser.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(user_agent.to_owned());
        self
    }

    /// The cookie of the session, where there is one.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    pub async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.ask(Method::GET, path, "", Bytes::new()).await
    }

    /// Sends what a form would.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, NoAnswer> {
        self.post_encoded(path, serde_urlencoded::to_string(fields).expect("pairs of texts are a form")).await
    }

    /// The same for a form that is encoded already.
    pub async fn post_encoded(&self, path: &str, form: String) -> Result<Answer, NoAnswer> {
        self.ask(Method::POST, path, "application/x-www-form-urlencoded", form.into()).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.ask(Method::POST, path, "application/json", body.to_string().into()).await
    }

    /// Makes an administrator with a setup link's token; from then on this client asks as that one.
    pub async fn set_up(&mut self, token: &str, name: &str, password: &str) {
        let body = json!({"token": token, "name": name, "password": password});
        let answer = self.post_json("/api/setup", &body).await.expect("the server answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.headers.get(SET_COOKIE).expect("an opened session has a cookie");
        let cookie = cookie.to_str().expect("cookies are ASCII").split(';').next();
        self.cookie = cookie.map(ToOwned::to_owned);
    }

    /// Opens a stream of server-sent events. Given an event's id, it begins behind that.
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
    /// The body, read as JSON. Panics where it is not a `T`.
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
