//! The blocking and the non-blocking HTTP client, and how responses become results.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use api::{ItemError, ItemErrorKind, LabWork, grouped};
use bytes::Bytes;
use http::header::HOST;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::Target;

/// More than ten times the size of a flag. A larger body comes from the wrong server.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Blocks the calling thread. Threads can share it.
pub(super) struct BlockingClient {
    agent: Agent,
    target: Target,
}

impl BlockingClient {
    /// `timeout` limits each request as a whole. The client keeps one connection for each of `threads`.
    pub(super) fn new(target: &Target, timeout: Duration, threads: usize) -> Self {
        let config = Config::builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A redirect or a proxy could lead to a server that is not allowed.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(threads)
            .max_idle_connections_per_host(threads)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Resolved(target.address()));
        Self { agent, target: target.clone() }
    }

    /// Returns the body of an answer with status 200.
    pub(super) fn get(&self, path: &str) -> Result<Bytes, ItemError> {
        let asked = self.agent.get(self.target.uri(path)).header(HOST, self.target.authority()).call();
        let mut answer = asked.map_err(failed)?;
        check_status(answer.status())?;
        let limit = u64::try_from(BODY_LIMIT_BYTES).unwrap_or(u64::MAX);
        let body = answer.body_mut().with_config().limit(limit).read_to_vec();
        body.map(Bytes::from).map_err(failed)
    }
}

fn failed(error: ureq::Error) -> ItemError {
    match error {
        ureq::Error::Timeout(_) => timed_out(),
        ureq::Error::BodyExceedsLimit(_) => too_large(),
        ureq::Error::Io(error) => broken(&error),
        error => broken(&error),
    }
}

/// Returns the known address. The default resolver starts a thread for each name, but a run limits its threads.
#[derive(Debug)]
struct Resolved(SocketAddr);

impl Resolver for Resolved {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

/// Does not block. Clones share connections. Follows no redirects.
#[derive(Clone)]
pub(super) struct NonblockingClient {
    client: Client<HttpConnector, Empty<Bytes>>,
    target: Target,
}

impl NonblockingClient {
    pub(super) fn new(target: &Target) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), target: target.clone() }
    }

    /// Returns the body of an answer with status 200. Has no timeout.
    pub(super) async fn get(&self, path: &str) -> Result<Bytes, ItemError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.target.uri(path);
        if let Ok(host) = self.target.authority().parse() {
            request.headers_mut().insert(HOST, host);
        }
        let answer = self.client.request(request).await.map_err(|error| broken(&error))?;
        check_status(answer.status())?;
        let body = Limited::new(answer.into_body(), BODY_LIMIT_BYTES).collect().await;
        body.map(|body| body.to_bytes())
            .map_err(|error| if error.is::<LengthLimitError>() { too_large() } else { broken(&*error) })
    }
}

/// The answer of `/lab/second`.
#[derive(Deserialize)]
struct Second {
    second: u32,
}

/// A short description of a response's body.
pub(super) fn text_of(work: LabWork, body: &[u8]) -> Result<String, ItemError> {
    match work {
        LabWork::Flags => Ok(format!("{} bytes", grouped(body.len() as u64))),
        LabWork::Second => serde_json::from_slice(body).map(|Second { second }| second.to_string()).map_err(|error| {
            item_error(ItemErrorKind::Broken, format!("the answer is not {{\"second\": n}}: {error}"))
        }),
    }
}

pub(super) fn item_error(kind: ItemErrorKind, detail: impl Into<String>) -> ItemError {
    ItemError { kind, detail: detail.into() }
}

fn check_status(status: StatusCode) -> Result<(), ItemError> {
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(item_error(ItemErrorKind::NotFound, status.to_string())),
        _ => Err(item_error(ItemErrorKind::Status, status.to_string())),
    }
}

pub(super) fn timed_out() -> ItemError {
    item_error(ItemErrorKind::Timeout, "no answer within the time allowed")
}

fn too_large() -> ItemError {
    item_error(ItemErrorKind::Broken, format!("the answer is larger than {} KiB", BODY_LIMIT_BYTES / 1024))
}

/// Why there is no response, from a client's error and its causes.
fn broken(error: &(dyn Error + 'static)) -> ItemError {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let io_kind = causes.clone().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let kind = match io_kind {
        Some(io::ErrorKind::ConnectionRefused) => ItemErrorKind::Refused,
        Some(io::ErrorKind::TimedOut) => ItemErrorKind::Timeout,
        _ => ItemErrorKind::Broken,
    };
    // The innermost cause is the most specific.
    item_error(kind, causes.last().map_or_else(String::new, ToString::to_string))
}
