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

use store::{Clock, Store};

use self::database::PoolOpener;
use self::sandbox::Sandbox;
use self::start_limit::StartLimit;
use crate::platform::caller::Sessions;
use crate::platform::job::LocalWorker;
use crate::platform::random::Random;

pub use endpoints::{Waits, routes};
pub use job::{LabRun, lab_run};
pub use loopback_server::LoopbackServer;

/// The lab of this process.
pub struct Lab {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    sessions: Arc<dyn Sessions>,
    /// None where this process runs no jobs.
    worker: Option<LocalWorker>,
    /// Why it is closed, and how to open it; none where it is open.
    closed: Option<&'static str>,
    /// What its public endpoints share.
    pub waits: Arc<Waits>,
    start_limit: StartLimit,
}

impl Lab {
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Random,
        sessions: Arc<dyn Sessions>,
        worker: Option<LocalWorker>,
        closed: Option<&'static str>,
    ) -> Self {
        let (waits, start_limit) = (Waits::new(closed, random), StartLimit::new(clock.clone()));
        Self { store, clock, sessions, worker, closed, waits, start_limit }
    }
}

/// What runs need besides the store in which they are written down.
#[derive(Clone)]
pub struct LabResources {
    pub open_pool: PoolOpener,
    /// None where the path of this program is not known.
    pub sandbox: Option<Sandbox>,
}
