//! Where to go in the log.

use std::fmt;
use std::str::FromStr;

use super::error::FilterError;
use super::read::number;
use crate::{LogPeriod, LogSeq, LogTime, TimeZone, Utc};

/// A position in the log to go to: a row's number, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPosition {
    Row(LogSeq),
    Time(LogTime),
}

impl LogPosition {
    /// Reads a position. A time without an offset is in `zone`.
    pub fn parse(text: &str, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        let written = text.trim();
        let row = number(written).map(LogSeq).map(Self::Row);
        row.or_else(|| LogPeriod::parse(written, zone).map(|period| Self::Time(period.start))).ok_or_else(|| {
            let message = format!("Here belongs a row's number, {}.", LogPeriod::FORMS);
            FilterError::new(0..text.chars().count(), message)
        })
    }
}

/// Reads a position whose time is absolute. Without an offset, it is UTC.
impl FromStr for LogPosition {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text, &Utc)
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(seq) => seq.0.fmt(f),
            Self::Time(time) => time.fmt(f),
        }
    }
}
