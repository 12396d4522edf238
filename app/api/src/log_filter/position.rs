//! A place in the log that one can go to.

use std::fmt;
use std::str::FromStr;

use super::{FilterError, Point, parse};
use crate::LogSeq;

/// A row's number, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPosition {
    Row(LogSeq),
    Time(Point),
}

impl FromStr for LogPosition {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let written = text.trim();
        let row = parse::number(written).map(Self::Row);
        row.or_else(|| Point::parse(written).map(Self::Time)).ok_or_else(|| {
            let message = format!("Here belongs a row's number, {}.", Point::FORMS);
            FilterError::new(0..text.chars().count(), message)
        })
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(seq) => seq.0.fmt(f),
            Self::Time(point) => point.fmt(f),
        }
    }
}
