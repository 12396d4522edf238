//! A copied database holds the same as the original, for every pair of databases and despite interruptions.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and the endpoint says what was wanted")]

mod complete;
mod contents;
mod endpoints;
mod interrupted;
mod refused;
