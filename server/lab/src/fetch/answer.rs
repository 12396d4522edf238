//! What an answer, or its absence, means.

use std::error::Error;
use std::io;

use api::{ItemError, ItemErrorKind, LabWork};
use http::StatusCode;
use serde::Deserialize;

/// The largest body: flags are a tenth of it. Whoever sends more is not the server that we mean.
pub(super) const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// What `/lab/second` sends.
#[derive(Deserialize)]
struct Second {
    second: u32,
}

/// An item in a few words, made of its body.
pub(super) fn text_of(work: LabWork, body: &[u8]) -> Result<String, ItemError> {
    match work {
        LabWork::Flags => Ok(format!("{} bytes", body.len())),
        LabWork::Second => serde_json::from_slice(body).map(|Second { second }| second.to_string()).map_err(|error| {
            item_error(ItemErrorKind::Broken, format!("the answer is not {{\"second\": n}}: {error}"))
        }),
    }
}

pub(super) fn item_error(kind: ItemErrorKind, detail: impl Into<String>) -> ItemError {
    ItemError { kind, detail: detail.into() }
}

/// Only 200 is well.
pub(super) fn check_status(status: StatusCode) -> Result<(), ItemError> {
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(item_error(ItemErrorKind::NotFound, status.to_string())),
        _ => Err(item_error(ItemErrorKind::Status, status.to_string())),
    }
}

pub(super) fn timed_out() -> ItemError {
    item_error(ItemErrorKind::Timeout, "no answer within the time allowed")
}

pub(super) fn too_large() -> ItemError {
    item_error(ItemErrorKind::Broken, format!("the answer is larger than {} KiB", BODY_LIMIT_BYTES / 1024))
}

/// Why no answer came, from what a client says and what it says lies behind that.
pub(super) fn broken(error: &(dyn Error + 'static)) -> ItemError {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let io_kind = causes.clone().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let kind = match io_kind {
        Some(io::ErrorKind::ConnectionRefused) => ItemErrorKind::Refused,
        Some(io::ErrorKind::TimedOut) => ItemErrorKind::Timeout,
        _ => ItemErrorKind::Broken,
    };
    // The innermost says most.
    item_error(kind, causes.last().map_or_else(String::new, ToString::to_string))
}
