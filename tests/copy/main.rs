//! A copied database holds the same as the original, whatever databases are copied and however often the copy is interrupted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and the endpoint says what was wanted")]

mod complete;
mod contents;
mod endpoints;
mod interrupted;
mod refused;
