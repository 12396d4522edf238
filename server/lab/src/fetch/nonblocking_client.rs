//! An HTTP client that blocks nobody.

use api::ItemError;
use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::Target;

use super::answer::{self, BODY_LIMIT_BYTES};

/// Talks to one server. Clones share its connections; it follows no redirects.
#[derive(Clone)]
pub(super) struct NonblockingClient {
    client: Client<HttpConnector, Empty<Bytes>>,
    target: Target,
}

impl NonblockingClient {
    pub fn new(target: &Target) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), target: target.clone() }
    }

    /// The body that is answered with 200. Waits for as long as it takes.
    pub async fn get(&self, path: &str) -> Result<Bytes, ItemError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.target.uri(path);
        if let Ok(host) = self.target.authority().parse() {
            request.headers_mut().insert(HOST, host);
        }
        let answer = self.client.request(request).await.map_err(|error| answer::broken(&error))?;
        answer::check_status(answer.status())?;
        let body = Limited::new(answer.into_body(), BODY_LIMIT_BYTES).collect().await;
        body.map(|body| body.to_bytes())
            .map_err(|error| if error.is::<LengthLimitError>() { answer::too_large() } else { answer::broken(&*error) })
    }
}
