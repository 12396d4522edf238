//! Measures the release binary from outside, beside its peers.

pub mod load;
pub mod now;
pub mod search_function;
