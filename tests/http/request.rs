//! Requests as sentences, and what comes back.

use std::net::{IpAddr, SocketAddr};

use api::{ApiError, ErrorCode, SearchAnswer};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use http::header::{CONTENT_TYPE, COOKIE};
use http::request::Builder;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

use crate::events::Events;
use crate::site::Site;

pub const FORM: &str = "application/x-www-form-urlencoded";
/// More than any answer in here; streams are read as streams.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// A request that is being put together.
pub struct Ask {
    router: Router,
    request: Builder,
    body: Body,
    peer: SocketAddr,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Site {
    pub fn ask(&self, method: Method, path: &str) -> Ask {
        let request = http::Request::builder().method(method).uri(path).header("host", "search.example");
        Ask {
            router: self.router.clone(),
            request,
            body: Body::empty(),
            peer: SocketAddr::from(([127, 0, 0, 1], 5000)),
        }
    }

    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    /// A form exactly as these bytes have it.
    pub fn post_form(&self, path: &str, body: impl Into<Bytes>) -> Ask {
        self.ask(Method::POST, path).header(CONTENT_TYPE.as_str(), FORM).body(body.into())
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Ask {
        self.ask(Method::POST, path).header(CONTENT_TYPE.as_str(), "application/json").body(body.to_string())
    }

    /// A search, not yet sent.
    pub fn searching(&self, fields: &[(&str, &str)]) -> Ask {
        self.post_form("/api/search", form(fields))
    }

    /// A search's answer.
    pub async fn search(&self, fields: &[(&str, &str)]) -> SearchAnswer {
        self.searching(fields).send().await.ok()
    }
}

/// Every byte that could mean something is percent-encoded.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    pairs.collect::<Vec<_>>().join("&")
}

impl Ask {
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self { request: self.request.header(name, value.as_ref()), ..self }
    }

    pub fn cookie(self, cookie: &str) -> Self {
        self.header(COOKIE.as_str(), cookie)
    }

    /// Sent from this address.
    pub fn peer(self, ip: &str) -> Self {
        let ip: IpAddr = ip.parse().expect("an address");
        Self { peer: SocketAddr::from((ip, 5000)), ..self }
    }

    pub fn body(self, body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub fn path(&self) -> &str {
        self.request.uri_ref().expect("a well-formed address").path()
    }

    pub async fn send(self) -> Answer {
        let (status, headers, body) = self.open().await;
        let body = to_bytes(body, ANSWER_LIMIT).await.expect("the whole body arrives");
        Answer { status, headers, body }
    }

    /// The answer's head, and its body as it comes.
    pub async fn open(self) -> (StatusCode, HeaderMap, Body) {
        let mut request = self.request.body(self.body).expect("a request of well-formed parts");
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let Ok(response) = self.router.oneshot(request).await;
        let (head, body) = response.into_parts();
        (head.status, head.headers, body)
    }

    /// An event stream.
    pub async fn listen(self) -> Events {
        let (status, headers, body) = self.open().await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[CONTENT_TYPE], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-store");
        Events::of(body)
    }
}

impl Answer {
    /// What a request that was granted brought.
    pub fn ok<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// What came as NDJSON, line by line.
    pub fn lines<T: DeserializeOwned>(&self) -> Vec<T> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(self.headers[CONTENT_TYPE], "application/x-ndjson");
        let text = std::str::from_utf8(&self.body).expect("JSON is UTF-8");
        assert!(text.is_empty() || text.ends_with('\n'), "every line is whole");
        // Not `lines`: to that one a carriage return is no part of its line.
        let lines = text.split_terminator('\n');
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
    }

    /// Why a request was refused; also makes sure that it was said in the promised form.
    pub fn refusal(&self) -> ApiError {
        assert!(!self.status.is_success(), "not refused: {}", self.text());
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()));
        let error = json["error"].as_object().unwrap_or_else(|| panic!("no error: {json}"));
        let mut members: Vec<&str> = error.keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["code", "field", "message"], "{json}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "no message: {json}");
        serde_json::from_value(json).expect("an ApiError")
    }

    /// Makes sure that the request was refused like this, and returns the sentence that says so.
    #[track_caller]
    pub fn refused(&self, status: u16, code: ErrorCode, field: Option<&str>) -> String {
        let error = self.refusal();
        assert_eq!((self.status.as_u16(), error.code, error.field.as_deref()), (status, code, field), "{error}");
        error.message
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
