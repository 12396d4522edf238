//! Measures the release binary from outside, beside its peers.

pub mod load;
pub mod search_function;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::SearchId;

/// Since 1970.
#[expect(clippy::disallowed_methods, reason = "a measurement is about the machine's time, which nobody can hold")]
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The id of a search that is made now.
pub fn new_search_id(random: u128) -> SearchId {
    SearchId::from_parts(u64::try_from(now().as_millis()).unwrap_or_default(), random)
}
