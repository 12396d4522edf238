//! The waiting lab: endpoints that wait, runs, and the rules for starting them.

pub mod command_line;
pub mod database;
mod endpoints;
pub(crate) mod http;
mod job;
pub mod request;
mod runs;
pub mod sandbox;

use std::sync::{Arc, Mutex};

use store::{Clock, Store};

use self::database::PoolOpener;
use self::runs::{START_WINDOW, STARTS_PER_ADDRESS};
use self::sandbox::Sandbox;
use crate::platform::caller::Sessions;
use crate::platform::job::LocalWorker;
use crate::platform::limits::{Network, RateCounter};
use crate::platform::random::Random;

pub use endpoints::{Endpoints, LoopbackServer, routes};
pub use job::{LabRun, lab_run};

/// The lab of this process.
pub struct Lab {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    sessions: Arc<dyn Sessions>,
    /// `None` if this process runs no jobs.
    worker: Option<LocalWorker>,
    /// Why it is closed and how to open it. `None` if it is open.
    closed: Option<&'static str>,
    /// The state of its public endpoints.
    pub endpoints: Arc<Endpoints>,
    /// When each address has started runs.
    starts: Mutex<RateCounter<Network>>,
}

impl Lab {
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Random,
        sessions: Arc<dyn Sessions>,
        worker: Option<LocalWorker>,
        closed: Option<&'static str>,
    ) -> Self {
        let starts = Mutex::new(RateCounter::new(STARTS_PER_ADDRESS, START_WINDOW));
        Self { store, clock, sessions, worker, closed, endpoints: Endpoints::new(closed, random), starts }
    }
}

/// What runs need besides the store that records them.
#[derive(Clone)]
pub struct LabResources {
    pub open_pool: PoolOpener,
    /// `None` if the path of this program is unknown.
    pub sandbox: Option<Sandbox>,
}
