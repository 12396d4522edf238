//! Builds requests, and reads responses and event streams.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use api::{ApiError, ErrorCode, Heartbeat, LogRow, ScanProgress, SearchAnswer};
use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use futures::StreamExt;
use http::header::{CONTENT_TYPE, COOKIE, HOST, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Builder;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tests::http_client::{ReceivedEvents, StreamEvent};
use tests::workload::cases;
use tokio::runtime::{self, Runtime};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::test_server::{TestServer, TestServerBuilder};

pub const FORM: &str = "application/x-www-form-urlencoded";
/// Larger than any response in these tests. Streams have no limit.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// A request that is being put together.
pub struct TestRequest {
    router: Router,
    request: Builder,
    body: Body,
    peer: SocketAddr,
}

#[derive(Debug)]
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl TestServer {
    pub fn ask(&self, method: Method, path: &str) -> TestRequest {
        let request = http::Request::builder().method(method).uri(path).header("host", "search.example");
        TestRequest {
            router: self.router.clone(),
            request,
            body: Body::empty(),
            peer: SocketAddr::from(([127, 0, 0, 1], 5000)),
        }
    }

    pub fn get(&self, path: &str) -> TestRequest {
        self.ask(Method::GET, path)
    }

    /// Posts these bytes as a form.
    pub fn post_form(&self, path: &str, body: impl Into<Bytes>) -> TestRequest {
        self.ask(Method::POST, path).header(CONTENT_TYPE.as_str(), FORM).body(body.into())
    }

    pub fn post_json(&self, path: &str, body: &Value) -> TestRequest {
        self.ask(Method::POST, path).header(CONTENT_TYPE.as_str(), "application/json").body(body.to_string())
    }

    /// A request for a search, not yet sent.
    pub fn searching(&self, fields: &[(&str, &str)]) -> TestRequest {
        self.post_form("/api/search", form(fields))
    }

    /// Searches and returns the response.
    pub async fn search(&self, fields: &[(&str, &str)]) -> SearchAnswer {
        self.searching(fields).send().await.ok()
    }
}

/// Encodes a form. Every byte with a meaning is percent-encoded.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    pairs.collect::<Vec<_>>().join("&")
}

impl TestRequest {
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self { request: self.request.header(name, value.as_ref()), ..self }
    }

    /// Asks another host.
    pub fn host(mut self, host: &str) -> Self {
        let headers = self.request.headers_mut().expect("valid so far");
        headers.insert(HOST, host.parse().expect("a header's value"));
        self
    }

    pub fn cookie(self, cookie: &str) -> Self {
        self.header(COOKIE.as_str(), cookie)
    }

    /// Sets the peer's address.
    pub fn peer(self, ip: &str) -> Self {
        let ip: IpAddr = ip.parse().expect("an address");
        Self { peer: SocketAddr::from((ip, 5000)), ..self }
    }

    /// Asks this router in place of the whole server.
    pub fn through(self, router: Router) -> Self {
        Self { router, ..self }
    }

    pub fn body(self, body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub fn path(&self) -> &str {
        self.request.uri_ref().expect("a well-formed address").path()
    }

    pub async fn send(self) -> TestResponse {
        let (status, headers, body) = self.open().await;
        let body = to_bytes(body, ANSWER_LIMIT).await.expect("the whole body arrives");
        TestResponse { status, headers, body }
    }

    /// Sends the request. Returns the response's status and headers, and its body as a stream.
    pub async fn open(self) -> (StatusCode, HeaderMap, Body) {
        let mut request = self.request.body(self.body).expect("a request of well-formed parts");
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let Ok(response) = self.router.oneshot(request).await;
        let (head, body) = response.into_parts();
        (head.status, head.headers, body)
    }

    /// Sends the request, and reads the response as an event stream.
    pub async fn listen(self) -> Events {
        let (status, headers, body) = self.open().await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[CONTENT_TYPE], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-store");
        Events::of(body)
    }
}

impl TestResponse {
    /// The JSON of a successful response.
    pub fn ok<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The lines of an NDJSON response.
    pub fn lines<T: DeserializeOwned>(&self) -> Vec<T> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(self.headers[CONTENT_TYPE], "application/x-ndjson");
        let text = std::str::from_utf8(&self.body).expect("JSON is UTF-8");
        assert!(text.is_empty() || text.ends_with('\n'), "every line is whole");
        // Not `lines`, which strips carriage returns.
        let lines = text.split_terminator('\n');
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
    }

    /// The rows of the log, and the last line, which says how far they were read.
    pub fn log_rows(&self) -> (Vec<LogRow>, ScanProgress) {
        let mut lines: Vec<Value> = self.lines();
        let last = lines.pop().expect("a last line");
        let progress = serde_json::from_value(last).expect("the last line says how far the rows were read");
        let rows = lines.into_iter().map(|row| serde_json::from_value(row).expect("a row"));
        (rows.collect(), progress)
    }

    /// The error of a refused request. Panics if it does not have the documented form.
    pub fn refusal(&self) -> ApiError {
        assert!(!self.status.is_success(), "not refused: {}", self.text());
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()));
        let error = json["error"].as_object().unwrap_or_else(|| panic!("no error: {json}"));
        let mut members: Vec<&str> = error.keys().map(String::as_str).collect();
        members.sort_unstable();
        members.retain(|&member| member != "retry_after_s");
        assert_eq!(members, ["code", "field", "message"], "{json}");
        let is_temporary = matches!(self.status.as_u16(), 429 | 503);
        assert_eq!(self.headers.contains_key(RETRY_AFTER), is_temporary, "{json}");
        assert_eq!(self.headers.contains_key(WWW_AUTHENTICATE), self.status == StatusCode::UNAUTHORIZED, "{json}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "no message: {json}");
        serde_json::from_value(json).expect("an ApiError")
    }

    /// Panics unless the request was refused with this status, code and field. Returns the error's message.
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

/// Far more than anything in here takes: a busy machine must not fail a test.
const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Events {
    chunks: BodyDataStream,
    pub received: ReceivedEvents,
}

impl Events {
    pub fn of(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), received: ReceivedEvents::default() }
    }

    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        // One timeout for the whole read, because heartbeats are not events.
        timeout(TIMEOUT, self.read()).await.expect("an event or the end comes in time")
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

    /// The next heartbeat. Panics if an event comes first.
    pub async fn heartbeat(&mut self) -> Heartbeat {
        let read = async {
            loop {
                let event = self.received.take_next();
                if let Some(heartbeat) = self.received.heartbeats.pop_front() {
                    return heartbeat;
                }
                assert_eq!(event, None, "before the heartbeat");
                let chunk = self.chunks.next().await.expect("the stream goes on").expect("it does not break");
                self.received.add(&chunk);
            }
        };
        timeout(TIMEOUT, read).await.expect("a heartbeat comes in time")
    }

    /// Panics if an event arrives before `happens` is done.
    pub async fn assert_silent_until(&mut self, happens: impl Future<Output = ()>) {
        tokio::select! {
            event = self.next() => panic!("too early: {event:?}"),
            () = happens => {}
        }
    }

    /// The next event. Panics unless it has this name.
    pub async fn expect(&mut self, name: &str) -> StreamEvent {
        let event = self.next().await.unwrap_or_else(|| panic!("the stream ended instead of an event {name}"));
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

/// The largest response to a request without rows: a phrase and letters at their limits, each character escaped as six,
/// and the results twice.
const LARGEST_ANSWER: usize = 128 * 1024;

/// A server, an administrator's cookie, and a runtime, because proptest is not async.
pub struct PropertyTest {
    pub runtime: Runtime,
    pub server: TestServer,
    pub admin: String,
}

impl PropertyTest {
    pub fn on(plan: TestServerBuilder) -> Self {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let (server, admin) = runtime.block_on(async {
            let server = plan.start().await;
            let admin = server.admin().await;
            (server, admin)
        });
        Self { runtime, server, admin }
    }

    /// Panics with the smallest input found for which `check` panics.
    pub fn holds<S: Strategy>(&self, usual_cases: u32, inputs: &S, check: impl AsyncFn(&Self, S::Value)) {
        let config = Config { cases: cases(usual_cases), failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(inputs, |input| {
            self.runtime.block_on(check(self, input));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
}

impl TestResponse {
    /// Panics unless this is a well-formed response of `/api/`: successful, or an error in the documented form with a
    /// 4xx status.
    #[track_caller]
    pub fn assert_well_formed(&self) {
        assert!(self.body.len() <= LARGEST_ANSWER, "{} bytes", self.body.len());
        if self.status.is_success() {
            return;
        }
        let error = self.refusal();
        assert!(self.status.is_client_error(), "{} {error}", self.status);
        assert!(error.message.chars().count() < 400, "a sentence: {error}");
    }
}
