//! Lets only those in who are logged in.

use std::sync::Arc;

use api::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::accounts;
use crate::app_state::Environment;
use crate::platform::caller::Caller;
use crate::platform::error::ErrorResponse;

/// Passes the request on with its [`api::Account`]; what the account may do is the handler's question.
pub async fn require_account(State(env): State<Arc<Environment>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&parts, &env.trusted_proxies);
    match accounts::who(&env, &caller).await {
        Ok(Some(account)) => {
            parts.extensions.insert(account);
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(None) => ErrorResponse(ApiError::new(ErrorCode::SignedOut, "Log in first.")).into_response(),
        Err(error) => ErrorResponse(error).into_response(),
    }
}
