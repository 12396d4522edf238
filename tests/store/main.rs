//! What every store promises, held against each store there is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and the place says what was wanted")]

mod database;
mod postgres;
mod promises;
mod sqlite;
