//! What means harm, or nothing at all, does none.

mod bodies;
pub(crate) mod corpus;
mod headers;
mod json;
mod log_lines;
mod queries;
mod round_trips;
