//! Refuses requests that change something and come from another site's page.

use api::{ApiError, ErrorCode};
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Error;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Server functions check neither Origin nor a CSRF token, so this layer protects all of them. Clients that are not
/// browsers send neither Origin nor Sec-Fetch-Site, and pass.
pub async fn refuse_foreign(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if is_foreign(&parts) {
        let message = "This request comes from another site's page, and was refused.";
        return Error::from(ApiError::new(ErrorCode::Forbidden, message)).into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

fn is_foreign(parts: &Parts) -> bool {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return false;
    }
    let site = parts.headers.get(SEC_FETCH_SITE).map(|value| value.as_bytes());
    if site.is_some_and(|site| !matches!(site, b"same-origin" | b"none")) {
        return true;
    }
    let Some(origin) = parts.headers.get(ORIGIN) else { return false };
    let origin_host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    match (origin_host, host(parts)) {
        (Some(origin), Some(host)) => !origin.eq_ignore_ascii_case(host),
        _ => true,
    }
}

/// The host that the client believes it talks to.
fn host(parts: &Parts) -> Option<&str> {
    parts.headers.get(HOST).and_then(|value| value.to_str().ok()).or_else(|| parts.uri.authority().map(|a| a.as_str()))
}
