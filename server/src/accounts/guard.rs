//! Guards the admin routes: only requests with a session pass.

use std::sync::Arc;

use api::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AccountService;
use crate::platform::caller::{Caller, Sessions};
use crate::platform::error::Error;

/// Passes the request on with its [`api::Account`]. The handler decides what the account may do.
pub async fn require_account(
    State(accounts): State<Arc<AccountService>>,
    caller: Caller,
    mut request: Request,
    next: Next,
) -> Response {
    match accounts.account(&caller).await {
        Ok(Some(account)) => {
            request.extensions_mut().insert(account);
            next.run(request).await
        }
        Ok(None) => Error::from(ApiError::new(ErrorCode::SignedOut, "Log in first.")).into_response(),
        Err(error) => error.into_response(),
    }
}
