//! The job `probe`: does nothing, to see whether jobs go the whole way.

use queue::Payload;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {}

impl Payload for Probe {
    const KIND: &'static str = "probe";
    const VERSION: u32 = 1;
}
