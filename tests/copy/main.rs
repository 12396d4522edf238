//! A database that is copied is the same afterwards, wherever it is copied to and however often that is interrupted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and the place says what was wanted")]

mod failing;
mod history;
mod interrupted;
mod killed;
mod place;
mod refused;
mod same;
mod whole;
