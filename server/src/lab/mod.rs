//! The waiting lab: what can be waited for, the runs, and who may start them.

mod endpoints;
mod loopback_server;
mod runs;
mod start_limit;

use std::sync::Arc;

use store::Clock;

use self::start_limit::StartLimit;
use crate::random::Random;

pub use endpoints::{Waits, routes};
pub use loopback_server::LoopbackServer;
pub use runs::{Viewer, cancel, run, start, state, stored_run, view};

/// The lab of this process.
pub struct Lab {
    /// Why it is closed, and how to open it; none where it is open.
    pub closed: Option<&'static str>,
    /// What its public endpoints share.
    pub waits: Arc<Waits>,
    start_limit: StartLimit,
}

impl Lab {
    #[must_use]
    pub fn new(closed: Option<&'static str>, clock: Arc<dyn Clock>, random: Random) -> Self {
        Self { closed, waits: Waits::new(closed, random), start_limit: StartLimit::new(clock) }
    }
}
