//! Server functions: the way in, and the way of their errors out.

use std::sync::Arc;

use api::{ApiError, Backend, ErrorCode, server_functions as functions};
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use leptos::prelude::{expect_context, provide_context};
use leptos_axum::{ResponseOptions, handle_server_fns_with_context};
use server_fn::axum::register_explicit;
use store::Clock;

use crate::app_state::Environment;
use crate::backend::RequestBackend;
use crate::platform::body;
use crate::platform::caller::Caller;
use crate::platform::error::{ErrorResponse, status};

/// Our own error messages are small.
const ERROR_LIMIT: usize = 64 * 1024;

/// Makes the server functions known by name; they are found by their path from then on.
pub fn register() {
    register_explicit::<functions::Search>();
    register_explicit::<functions::Session>();
    register_explicit::<functions::Login>();
    register_explicit::<functions::Logout>();
    register_explicit::<functions::SetUp>();
    register_explicit::<functions::JobCountsNow>();
    register_explicit::<functions::Jobs>();
    register_explicit::<functions::Job>();
    register_explicit::<functions::RetryJob>();
    register_explicit::<functions::CancelJob>();
    register_explicit::<functions::JobKinds>();
    register_explicit::<functions::PauseKind>();
    register_explicit::<functions::ResumeKind>();
    register_explicit::<functions::LimitKind>();
    register_explicit::<functions::System>();
    register_explicit::<functions::Lab>();
    register_explicit::<functions::StartLabRun>();
    register_explicit::<functions::ShowLabRun>();
    register_explicit::<functions::CancelLabRun>();
}

/// A server function that takes a form.
pub async fn form(State(env): State<Arc<Environment>>, request: Request) -> Response {
    call(env, request, "application/x-www-form-urlencoded").await
}

/// A server function that takes JSON.
pub async fn json(State(env): State<Arc<Environment>>, request: Request) -> Response {
    call(env, request, "application/json").await
}

async fn call(env: Arc<Environment>, request: Request, content_type: &str) -> Response {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts, &env.trusted_proxies);
    let request = match bare(parts, body, content_type, &*env.clock).await {
        Ok(request) => request,
        Err(error) => return ErrorResponse(error).into_response(),
    };
    let provide = move || {
        let response = expect_context::<ResponseOptions>();
        let backend: Arc<dyn Backend> = Arc::new(RequestBackend { env: env.clone(), caller: caller.clone(), response });
        provide_context(backend);
    };
    with_status(handle_server_fns_with_context(provide, request).await.into_response()).await
}

/// Checks what no server function checks by itself, and leaves of the request what it needs. Leptos copies whatever it is
/// given, and would redirect a plain form's post to its Referer: our answers are always JSON.
async fn bare(parts: Parts, body: Body, content_type: &str, clock: &dyn Clock) -> Result<Request, ApiError> {
    let given = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    if !given.eq_ignore_ascii_case(content_type) {
        let message = format!("Send the request as {content_type}.");
        return Err(ApiError::new(ErrorCode::ContentType, message));
    }
    let mut request = Request::new(Body::from(body::read(body, clock).await?));
    *request.method_mut() = parts.method;
    // Nested routers see what is left of the path; server functions are looked up by the whole of it.
    let whole = parts.extensions.get::<OriginalUri>().map(|OriginalUri(whole)| whole.clone());
    *request.uri_mut() = whole.unwrap_or(parts.uri);
    Ok(request)
}

/// Every error of a server function is a 500 to Leptos; its code says what it really is.
async fn with_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let body = to_bytes(response.into_body(), ERROR_LIMIT).await.unwrap_or_default();
    let error = serde_json::from_slice::<ApiError>(&body).unwrap_or_else(|_| {
        tracing::error!(body = ?String::from_utf8_lossy(&body), "a server function failed in an unknown way");
        ApiError::new(ErrorCode::Internal, "The server failed. Its log says why.")
    });
    (status(error.code), axum::Json(error)).into_response()
}
