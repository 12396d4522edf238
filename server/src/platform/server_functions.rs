//! Serves server functions: checks a request, hands it to the function's implementation, and gives its error a status.

use std::sync::Arc;

use api::{ApiError, ErrorCode, ServerFunction};
use axum::body::{Body, to_bytes};
use axum::extract::{FromRef, OriginalUri, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use leptos::prelude::expect_context;
use leptos_axum::{ResponseOptions, handle_server_fns_with_context};
use store::Clock;

use super::caller::{Caller, CallerSettings};
use super::error::{self, Error, internal};
use super::extract::read_body;

/// Our own error messages are small.
const ERROR_LIMIT: usize = 64 * 1024;

pub type ApiResult<T> = Result<T, ApiError>;

/// One call of a server function. A feature implements its functions for the calls of its service.
pub struct Call<T> {
    pub service: Arc<T>,
    pub caller: Caller,
    /// Collects the response's cookies.
    pub response: ResponseOptions,
}

/// Registers server functions, and returns the path and the route of each. `provide` installs a call as their
/// implementation.
pub fn routes<S, T>(
    functions: impl Iterator<Item = &'static ServerFunction>,
    provide: fn(Call<T>),
) -> impl Iterator<Item = (&'static str, MethodRouter<S>)>
where
    S: Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
    Arc<T>: FromRef<S>,
    Arc<dyn Clock>: FromRef<S>,
    CallerSettings: FromRef<S>,
{
    functions.map(move |function| {
        (function.register)();
        let handler = move |State(service): State<Arc<T>>,
                            State(clock): State<Arc<dyn Clock>>,
                            caller: Caller,
                            request: Request| async move {
            answer(request, Callee { function, provide, service }, caller, &*clock).await
        };
        (function.path, post(handler))
    })
}

/// A server function, and the service that implements it.
pub(super) struct Callee<T> {
    pub(super) function: &'static ServerFunction,
    /// Installs a call as the function's implementation.
    pub(super) provide: fn(Call<T>),
    pub(super) service: Arc<T>,
}

pub(super) async fn answer<T: Send + Sync + 'static>(
    request: Request,
    callee: Callee<T>,
    caller: Caller,
    clock: &dyn Clock,
) -> Response {
    let Callee { function, provide, service } = callee;
    let provide = move || {
        let response = expect_context::<ResponseOptions>();
        provide(Call { service: service.clone(), caller: caller.clone(), response });
    };
    let (parts, body) = request.into_parts();
    match stripped(parts, body, function.content_type, clock).await {
        Ok(request) => with_status(handle_server_fns_with_context(provide, request).await.into_response()).await,
        Err(error) => Error::from(error).into_response(),
    }
}

/// Checks what server functions do not check themselves, and strips the request to what they need. Leptos would copy
/// the rest, and redirect a plain form's post to its Referer; our responses are always JSON.
async fn stripped(parts: Parts, body: Body, content_type: &str, clock: &dyn Clock) -> Result<Request, ApiError> {
    let given = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    if !given.eq_ignore_ascii_case(content_type) {
        let message = format!("Send the request as {content_type}.");
        return Err(ApiError::new(ErrorCode::ContentType, message));
    }
    let mut request = Request::new(Body::from(read_body(body, clock).await?));
    *request.method_mut() = parts.method;
    // Nested routers see only the rest of the path, but server functions are looked up by the whole path.
    let whole = parts.extensions.get::<OriginalUri>().map(|OriginalUri(whole)| whole.clone());
    *request.uri_mut() = whole.unwrap_or(parts.uri);
    Ok(request)
}

/// Leptos makes every error of a server function a 500. The error's code determines the real status.
async fn with_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let body = to_bytes(response.into_body(), ERROR_LIMIT).await.unwrap_or_default();
    let error = serde_json::from_slice::<ApiError>(&body).unwrap_or_else(|_| {
        tracing::error!(body = ?String::from_utf8_lossy(&body), "a server function failed in an unknown way");
        internal()
    });
    error::response(error)
}
