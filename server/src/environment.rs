//! What answering a request needs, made once at the start.

use std::sync::Arc;

use api::SearchId;
use ipnet::IpNet;
use store::{Clock, Store};
use tokio_util::sync::CancellationToken;

use crate::accounts::{LoginLimit, Passwords};
use crate::http::EventStreams;
use crate::metrics::Metrics;
use crate::random::Random;
use crate::receipts::Receipts;

/// Shared by all requests.
pub struct Environment {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    pub receipts: Receipts,
    pub passwords: Passwords,
    pub login_limit: LoginLimit,
    pub metrics: Metrics,
    pub jobs: JobsSection,
    /// Peers whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<IpNet>,
    pub event_streams: EventStreams,
    /// Cancelled when the process is asked to stop: ends the event streams.
    pub stop: CancellationToken,
}

/// What requests need to know of the workers.
#[derive(Clone, Copy, Debug)]
pub struct JobsSection {
    /// Whether this process runs jobs itself.
    pub runs_jobs: bool,
}

impl Environment {
    /// Over `store`, with everything else as given or at its default.
    pub async fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Random,
        jobs: JobsSection,
        trusted_proxies: Vec<IpNet>,
    ) -> store::Result<Self> {
        let receipts = Receipts::new(&store.secret().await?);
        Ok(Self {
            store,
            clock: clock.clone(),
            random: random.clone(),
            receipts,
            passwords: Passwords::new(random),
            login_limit: LoginLimit::new(clock),
            metrics: Metrics::default(),
            jobs,
            trusted_proxies,
            event_streams: EventStreams::up_to(u32::MAX),
            stop: CancellationToken::new(),
        })
    }

    /// An id for a search whose asker made none.
    #[must_use]
    pub fn new_search_id(&self) -> SearchId {
        let unix_ms = u64::try_from(self.clock.wall().0).unwrap_or(0);
        SearchId::from_parts(unix_ms, u128::from_le_bytes(self.random.bytes()))
    }
}
