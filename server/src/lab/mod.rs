//! The waiting lab: what can be waited for, the runs, and who may start them.

pub mod command_line;
pub mod database;
mod endpoints;
pub(crate) mod http;
mod job;
mod loopback_server;
pub mod request;
mod runs;
pub mod sandbox;
mod start_limit;

use std::sync::Arc;

use store::Clock;

use self::database::PoolOpener;
use self::sandbox::Sandbox;
use self::start_limit::StartLimit;
use crate::platform::random::Random;

pub use endpoints::{Waits, routes};
pub use job::{LabRun, lab_run};
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

/// What runs need besides the store in which they are written down.
#[derive(Clone)]
pub struct LabResources {
    pub open_pool: PoolOpener,
    /// None where the path of this program is not known.
    pub sandbox: Option<Sandbox>,
}
