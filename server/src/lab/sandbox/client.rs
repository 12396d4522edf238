//! Sends requests to a sandbox, as a visitor would.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use api::SearchId;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode};
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use url::form_urlencoded;

use super::routes::{AwaitedRow, RECORDED};

/// Far more than an immediate response takes: the machine may be busy.
pub(in crate::lab) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

/// Opens a connection for each request. Sends no User-Agent, so that a sandbox does not build its parser of User-Agent
/// headers.
#[derive(Clone, Copy, Debug)]
pub(in crate::lab) struct Client {
    pub(super) address: SocketAddr,
}

impl Client {
    /// Sends a form and reads the answer as JSON.
    pub(in crate::lab) async fn post_form<T: DeserializeOwned>(
        self,
        path: &str,
        fields: &[(&str, &str)],
        limit: Duration,
    ) -> anyhow::Result<T> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(path, "application/x-www-form-urlencoded", form, limit).await
    }

    pub(in crate::lab) async fn post_json<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> anyhow::Result<T> {
        self.post(path, "application/json", serde_json::to_string(body)?, limit).await
    }

    /// Returns the searches in the log: as soon as `awaited` is among them, or after `longest_wait`.
    pub(in crate::lab) async fn searches_in_log(
        self,
        awaited: SearchId,
        longest_wait: Duration,
    ) -> anyhow::Result<Vec<SearchId>> {
        let patience_ms = u32::try_from(longest_wait.as_millis()).unwrap_or(u32::MAX);
        let body = AwaitedRow { search: awaited, patience_ms };
        self.post_json(RECORDED, &body, longest_wait + REQUEST_TIMEOUT).await
    }

    async fn post<T: DeserializeOwned>(
        self,
        path: &str,
        content_type: &str,
        body: String,
        limit: Duration,
    ) -> anyhow::Result<T> {
        let address = format!("http://{}{path}", self.address);
        let request = Request::post(address).header(CONTENT_TYPE, content_type).body(Body::from(body))?;
        let (status, body) = timeout(limit, exchange(request))
            .await
            .map_err(|_| anyhow!("{path} was not answered within {limit:?}"))?
            .context("the sandbox does not answer as it should")?;
        let text = String::from_utf8_lossy(&body);
        ensure!(status == StatusCode::OK, "{path} was answered with {status}: {text}");
        serde_json::from_slice(&body).context("the sandbox does not answer as it should")
    }
}

async fn exchange(request: Request<Body>) -> anyhow::Result<(StatusCode, Bytes)> {
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await?;
    let status = response.status();
    Ok((status, to_bytes(Body::new(response.into_body()), ANSWER_LIMIT_BYTES).await?))
}
