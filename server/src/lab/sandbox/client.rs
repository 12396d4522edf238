//! Asks a sandbox, as a visitor would.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use api::SearchId;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::form_urlencoded;

use super::routes::{RECORDED, Watch};

/// Far more than any answer takes that is not to be waited for: a machine may be busy.
pub(in crate::lab) const PATIENCE: Duration = Duration::from_secs(30);
/// Answers of ours are small.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Each request on a connection of its own. It says of no browser that it is one: so no sandbox spends its first
/// moments on knowing browsers.
#[derive(Clone, Copy, Debug)]
pub(in crate::lab) struct Client {
    pub(super) address: SocketAddr,
}

impl Client {
    /// The answer to a form, read as JSON.
    pub(in crate::lab) async fn post_form<T: DeserializeOwned>(
        self,
        path: &str,
        fields: &[(&str, &str)],
        patience: Duration,
    ) -> Result<T, String> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.ask(Method::POST, path, "application/x-www-form-urlencoded", form, patience).await
    }

    pub(in crate::lab) async fn post_json<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
        patience: Duration,
    ) -> Result<T, String> {
        let body = serde_json::to_string(body).map_err(failed)?;
        self.ask(Method::POST, path, "application/json", body, patience).await
    }

    /// The searches that are in the log: once this one is among them, or when this time has passed.
    pub(in crate::lab) async fn searches_in_log(
        self,
        awaited: SearchId,
        longest_wait: Duration,
    ) -> Result<Vec<SearchId>, String> {
        let patience_ms = u32::try_from(longest_wait.as_millis()).unwrap_or(u32::MAX);
        self.post_json(RECORDED, &Watch { search: awaited, patience_ms }, longest_wait + PATIENCE).await
    }

    async fn ask<T: DeserializeOwned>(
        self,
        method: Method,
        path: &str,
        content_type: &str,
        body: String,
        patience: Duration,
    ) -> Result<T, String> {
        let request = Request::builder().method(method).uri(path).header(HOST, self.address.to_string());
        let request = request.header(CONTENT_TYPE, content_type).body(Body::from(body)).map_err(failed)?;
        let exchanged = timeout(patience, self.exchange(request)).await;
        let (status, body) = exchanged.map_err(|_| format!("{path} was not answered within {patience:?}"))??;
        if status != StatusCode::OK {
            return Err(format!("{path} was answered with {status}: {}", String::from_utf8_lossy(&body)));
        }
        serde_json::from_slice(&body).map_err(failed)
    }

    async fn exchange(self, request: Request<Body>) -> Result<(StatusCode, Vec<u8>), String> {
        let stream = TcpStream::connect(self.address).await.map_err(failed)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        let exchange = async move {
            let response = sender.send_request(request).await.map_err(failed)?;
            let status = response.status();
            let body = to_bytes(Body::new(response.into_body()), ANSWER_LIMIT).await.map_err(failed)?;
            Ok((status, body.to_vec()))
        };
        // The connection ends with its sender, which the exchange drops. What broke it, the exchange says too.
        let (exchanged, _) = tokio::join!(exchange, connection);
        exchanged
    }
}

fn failed(error: impl Display) -> String {
    format!("the sandbox does not answer as it should: {error}")
}
