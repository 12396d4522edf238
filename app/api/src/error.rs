//! Errors as the client sees them. They reveal no internals of the server.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

use crate::json::{Answer, from_json};

/// Why a request failed. Pages treat each code differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The body does not match its content type. 400.
    Malformed,
    /// A required field is absent. 400.
    Missing,
    /// A field is given more than once. 400.
    Repeated,
    /// A field's value has the wrong form, for instance an id that is not a ULID. 400.
    Invalid,
    /// The request has no valid session. 401.
    SignedOut,
    /// Name or password is wrong. 401.
    WrongCredentials,
    /// The request comes from another site's page, or the account may not do this. 403.
    Forbidden,
    /// The requested object does not exist. 404.
    NotFound,
    /// The path does not take this method. 405.
    WrongMethod,
    /// The id was used for another search, or the object's state does not allow this. 409.
    Conflict,
    /// The link was used or has expired. 410.
    Expired,
    /// The body is larger than any valid request. 413.
    TooLarge,
    /// The content type is not one that this function reads. 415.
    ContentType,
    /// A field's value is longer than its limit. 422.
    TooLong,
    /// Too many attempts for now. 429.
    TooMany,
    /// The server failed, and logged why. 500.
    Internal,
    /// The server could not be reached. Only the client creates this.
    Offline,
    /// The store is not available now. 503.
    Unavailable,
}

/// A failed request: `{"error": {"code", "message", "field"}}` on the wire, and `retry_after_s` where it is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
#[error("{message}")]
pub struct ApiError {
    pub code: ErrorCode,
    /// One sentence for display, with the fix if there is one.
    pub message: String,
    /// The name of the wrong field, if one is at fault.
    pub field: Option<String>,
    /// After how many seconds the request may succeed, if that is known.
    pub retry_after_s: Option<u32>,
}

/// The most characters of the client's text in an error: enough to recognise it, but few enough to keep responses
/// small.
const ECHO_LIMIT: usize = 100;

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after_s: None }
    }

    pub fn at(code: ErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(code, message) }
    }

    /// The same error, which ends in so many milliseconds.
    #[must_use]
    pub fn retry_after_ms(self, wait_ms: i64) -> Self {
        Self { retry_after_s: u32::try_from(wait_ms / 1_000 + 1).ok(), ..self }
    }

    /// Whether nobody knows if what was asked was done: the request may have arrived, and only its answer been lost.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self.code, ErrorCode::Offline | ErrorCode::Unavailable | ErrorCode::Internal)
    }

    /// Only the client makes this.
    pub fn unreachable() -> Self {
        Self::new(ErrorCode::Offline, "The server cannot be reached. Check the connection and try again.")
    }

    /// Only the client makes this, of a response that is not in our format: a proxy's error page, for instance, or the
    /// login page of a network.
    pub fn answered_by_another() -> Self {
        let message = "The server has failed, or something between it and this page has answered in its place. Try \
                       again in a moment; if it happens again, reload the page.";
        Self::new(ErrorCode::Unavailable, message)
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("There is no such {what}."))
    }
}

/// The start of `text` for an error, with an ellipsis if it is cut.
pub(crate) fn echo(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(ECHO_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    error: WireError,
}

#[derive(Serialize, Deserialize)]
struct WireError {
    code: ErrorCode,
    message: String,
    field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u32>,
}

impl From<Wire> for ApiError {
    fn from(Wire { error }: Wire) -> Self {
        let WireError { code, message, field, retry_after_s } = error;
        Self { code, message, field, retry_after_s }
    }
}

impl From<ApiError> for Wire {
    fn from(ApiError { code, message, field, retry_after_s }: ApiError) -> Self {
        Self { error: WireError { code, message, field, retry_after_s } }
    }
}

impl FromServerFnError for ApiError {
    type Encoder = Answer;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // The form codec writes its errors in our wire format, see form.rs.
            ServerFnErrorErr::Deserialization(text) => from_json(&text).unwrap_or_else(|_| {
                Self::new(ErrorCode::Malformed, format!("The message cannot be read: {}", echo(&text)))
            }),
            ServerFnErrorErr::Args(text) | ServerFnErrorErr::MissingArg(text) => {
                Self::new(ErrorCode::Malformed, format!("The request cannot be read: {}", echo(&text)))
            }
            other => Self::new(ErrorCode::Internal, other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_format_is_as_documented() {
        let error = ApiError::at(ErrorCode::TooLong, "phrase", "Too long.");
        let wire = serde_json::to_string(&error).expect("serializable");
        assert_eq!(wire, r#"{"error":{"code":"too_long","message":"Too long.","field":"phrase"}}"#);
        assert_eq!(from_json::<ApiError>(&wire), Ok(error.clone()));
        let error = error.retry_after_ms(1_500);
        let wire = serde_json::to_string(&error).expect("serializable");
        assert_eq!(wire, r#"{"error":{"code":"too_long","message":"Too long.","field":"phrase","retry_after_s":2}}"#);
        assert_eq!(from_json::<ApiError>(&wire), Ok(error));
    }

    #[test]
    fn a_long_text_is_echoed_in_part() {
        let at_limit = "ä".repeat(ECHO_LIMIT);
        assert_eq!(echo(&at_limit), at_limit);
        assert_eq!(echo(&format!("{at_limit}ä")), format!("{at_limit}…"));
        for error in [ServerFnErrorErr::Args, ServerFnErrorErr::Deserialization] {
            let error = ApiError::from_server_fn_error(error("\u{1}".repeat(20_000)));
            assert!(error.message.chars().count() < 3 * ECHO_LIMIT, "{}", error.message);
        }
    }
}
