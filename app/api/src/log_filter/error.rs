//! What is wrong with a filter, and where.

use std::ops::Range;

use crate::{ApiError, ErrorCode};

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {})", at.start + 1)]
pub struct FilterError {
    /// The characters at fault, counted from 0. Behind the last one where something is missing there.
    pub at: Range<usize>,
    /// One sentence for a person.
    pub message: String,
}

impl FilterError {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// As the answer to a request whose parameter `field` is at fault.
    #[must_use]
    pub fn in_field(&self, field: &str) -> ApiError {
        ApiError::at(ErrorCode::Invalid, field, self.to_string())
    }
}
