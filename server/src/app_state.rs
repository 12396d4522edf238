//! The server's state: every feature's service, built once at startup.

use std::sync::Arc;

use api::Receipt;
use axum::extract::FromRef;
use ipnet::IpNet;
use store::{Clock, Store};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::accounts::AccountService;
use crate::audit::AuditService;
use crate::jobs::JobService;
use crate::lab::Lab;
use crate::log::LogService;
use crate::platform::caller::{CallerSettings, SessionCookie, Sessions};
use crate::platform::forwarded::TrustedProxies;
use crate::platform::job::LocalWorker;
use crate::platform::random::Random;
use crate::platform::sse::EventStreams;
use crate::platform::transport::Transport;
use crate::search::ingest::{Ingest, IngestSettings};
use crate::search::log_request::LogRequest;
use crate::search::public_ledger::{LedgerAccess, LedgerReader};
use crate::search::receipt::Receipts;
use crate::search::{SearchService, not_recorded, search_counter};
use crate::system::{Counters, Prober, SystemService};

/// Everything that [`AppState`] is built from.
pub struct AppSettings {
    pub store: Arc<dyn Store>,
    pub ingest: IngestSettings,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    /// This process's worker. `None` if it runs no jobs.
    pub worker: Option<LocalWorker>,
    /// Peers whose X-Forwarded-* and Forwarded are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// How many event streams may be open at once.
    pub event_streams: u32,
    /// Why the lab is closed. `None` if it is open.
    pub lab_closed: Option<&'static str>,
}

/// Handlers extract the parts that they need.
#[derive(Clone)]
pub struct AppState {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    pub caller_settings: CallerSettings,
    pub event_streams: EventStreams,
    /// Cancelled when the process is asked to stop. Ends the connections and event streams.
    pub stop: CancellationToken,
    pub accounts: Arc<AccountService>,
    pub search: Arc<SearchService>,
    pub log: Arc<LogService>,
    pub jobs: Arc<JobService>,
    pub audit: Arc<AuditService>,
    pub system: Arc<SystemService>,
    pub lab: Arc<Lab>,
}

impl AppState {
    pub async fn new(settings: AppSettings) -> store::Result<Self> {
        let AppSettings { store, ingest, clock, random, worker, trusted_proxies, event_streams, lab_closed } = settings;
        let trusted_proxies = TrustedProxies::new(trusted_proxies, clock.clone());
        let proxy_faults = trusted_proxies.faults.clone();
        let counters = Counters { searches: search_counter(), proxy_faults, ..Counters::default() };
        let stop = CancellationToken::new();
        let ingest = Arc::new(Ingest::new(store.clone(), ingest, clock.clone()));
        let secret = store.secret().await?;
        let session_cookie = SessionCookie::of_store(&secret, store.identity());
        let accounts = AccountService::new(store.clone(), clock.clone(), random.clone(), session_cookie.clone());
        let accounts = Arc::new(accounts);
        let caller_settings = CallerSettings { trusted_proxies, session_cookie };
        let ledger_access = lab_closed.map_or(LedgerAccess::Public, |_| LedgerAccess::AdministratorsOnly);
        let search = SearchService {
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
            ingest: ingest.clone(),
            receipts: Receipts::new(&secret),
            counter: counters.searches.clone(),
            ledger: LedgerReader::new(store.clone(), ingest.spool().clone(), clock.clone(), ledger_access),
        };
        let search_of_receipt = {
            let receipts = Receipts::new(&secret);
            Arc::new(move |receipt: &Receipt| receipts.search(receipt))
        };
        let log = LogService {
            store: store.clone(),
            clock: clock.clone(),
            search_of: search_of_receipt.clone(),
            exports: counters.exports.clone(),
        };
        let jobs = JobService {
            store: store.clone(),
            clock: clock.clone(),
            worker: worker.clone(),
            search_of: LogRequest::search_of_job,
            search_of_receipt,
        };
        let audit = AuditService { store: store.clone() };
        let lab = Lab::new(store.clone(), clock.clone(), random.clone(), accounts.clone(), worker.clone(), lab_closed);
        let streams = EventStreams::new(event_streams, counters.streams.clone(), clock.clone(), stop.clone());
        let system = SystemService {
            store: store.clone(),
            clock: clock.clone(),
            spool: ingest.spool().clone(),
            watch: ingest.watch().clone(),
            prober: Prober::default(),
            worker,
            started_at: clock.wall(),
            not_recorded: not_recorded(&counters.searches),
            counters,
            stop: stop.clone(),
        };
        Ok(Self {
            store,
            clock,
            random,
            caller_settings,
            event_streams: streams,
            stop,
            accounts,
            search: Arc::new(search),
            log: Arc::new(log),
            jobs: Arc::new(jobs),
            audit: Arc::new(audit),
            system: Arc::new(system),
            lab: Arc::new(lab),
        })
    }

    /// Replays the spool and sends probes, until the handles are dropped.
    pub fn start_background(&self) -> [AbortOnDropHandle<()>; 2] {
        let replay = tokio::spawn(self.search.ingest.clone().keep_replaying(self.random.clone()));
        let probes = tokio::spawn(self.system.clone().keep_probing(self.random.clone()));
        [replay, probes].map(AbortOnDropHandle::new)
    }

    /// Creates a transport for up to `limit` connections at once.
    pub fn transport(&self, limit: u32) -> Transport {
        let open = self.system.counters.connections.clone();
        Transport { clock: self.clock.clone(), stop: self.stop.clone(), open, limit }
    }
}

macro_rules! parts {
    ($($field:ident: $part:ty),* $(,)?) => {
        $(
            impl FromRef<AppState> for $part {
                fn from_ref(state: &AppState) -> Self {
                    state.$field.clone()
                }
            }
        )*
    };
}

parts! {
    clock: Arc<dyn Clock>,
    caller_settings: CallerSettings,
    event_streams: EventStreams,
    accounts: Arc<AccountService>,
    accounts: Arc<dyn Sessions>,
    search: Arc<SearchService>,
    log: Arc<LogService>,
    jobs: Arc<JobService>,
    audit: Arc<AuditService>,
    system: Arc<SystemService>,
    lab: Arc<Lab>,
}
