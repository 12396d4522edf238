//! The search.

mod answers;
mod bodies;
mod limits;
mod refusals;
mod same_id;
