//! One grammar for the filters of all lists, and which rows each filter matches.
//!
//! What a filter matches is decided by pure functions: see [`LogFilter`] and [`JobFilter`]. Stores only narrow down where
//! to look.

mod amount;
mod compare;
mod error;
mod hint;
mod jobs;
#[cfg(test)]
mod jobs_tests;
mod key;
mod lexer;
mod log;
#[cfg(test)]
mod log_tests;
mod position;
mod read;
mod search;
mod terms;

pub use self::error::{FilterError, Meant};
pub use self::hint::meant_filter;
pub use self::jobs::{JobBounds, JobFacts, JobFilter};
pub use self::key::{FilterKey, FilterList};
pub use self::log::{LogBounds, LogFilter};
pub use self::position::LogPosition;
pub use self::read::with_absolute_times;
pub use self::search::SearchTexts;
