//! Why a text is not a filter, and what it was probably meant to be.

use std::ops::Range;

use super::key::FilterKey;
use crate::{ApiError, ErrorCode};

/// Why a text is not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {})", at.start + 1)]
pub struct FilterError {
    /// The wrong characters, counted from 0. An empty range if something is missing there.
    pub at: Range<usize>,
    /// One sentence for display.
    pub message: String,
    /// What probably belongs in the place of the wrong characters. `message` asks with [`Meant::question`].
    pub meant: Option<Meant>,
}

/// What wrong characters were probably meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    Key(FilterKey),
    Value(&'static str),
}

impl Meant {
    /// Asks whether this was meant.
    pub fn question(&self) -> String {
        match self {
            Self::Key(key) => format!("Did you mean “{}:”?", key.as_str()),
            Self::Value(value) => format!("Did you mean “{value}”?"),
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Key(key) => key.as_str(),
            Self::Value(value) => value,
        }
    }
}

impl FilterError {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), meant: None }
    }

    /// `text`, in which this error is, with what was probably meant.
    pub fn corrected(&self, text: &str) -> Option<String> {
        let meant = self.meant.as_ref()?.text();
        let before = text.chars().take(self.at.start);
        Some(before.chain(meant.chars()).chain(text.chars().skip(self.at.end)).collect())
    }

    /// The response to a request with this error in its parameter `field`.
    pub fn in_field(&self, field: &str) -> ApiError {
        ApiError::at(ErrorCode::Invalid, field, self.to_string())
    }
}

/// The one of `known` that `name` was probably meant to be.
pub(super) fn nearest<T: Copy>(name: &str, known: &[T], text: impl Fn(T) -> &'static str) -> Option<T> {
    let lower = name.to_ascii_lowercase();
    let distance = |one: &T| strsim::osa_distance(&lower, text(*one));
    // Half of a short name may be right by chance.
    known.iter().copied().min_by_key(distance).filter(|one| distance(one) <= name.len().min(6) / 3)
}
