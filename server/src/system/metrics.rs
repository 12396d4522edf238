//! Metrics for Prometheus: counters of this process, and the figures of the page /system.

use api::{FaultKind, HealthStatus, JobState, Ledger, WorkerState};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use store::StoredKind;

use super::SystemSnapshot;
use crate::platform::forwarded::ProxyFaults;

/// Counters that are updated as events happen.
#[derive(Clone, Default)]
pub struct Counters {
    /// Answered searches, by what is known of their record.
    pub searches: Family<[(&'static str, &'static str); 1], Counter>,
    /// Connections that are open now.
    pub connections: Gauge,
    /// Event streams that are open now.
    pub streams: Gauge,
    /// Exports that are being sent now.
    pub exports: Gauge,
    /// Requests with headers that are wrong.
    pub proxy_faults: ProxyFaults,
}

/// All metrics in the text format of Prometheus.
pub(super) fn render(counters: &Counters, snapshot: &SystemSnapshot) -> String {
    let mut registry = Registry::with_prefix("search4letters");
    registry.register("searches", "Searches answered, by what was known of their record", counters.searches.clone());
    registry.register("connections", "Connections that are open", counters.connections.clone());
    registry.register("event_streams", "Event streams that are open", counters.streams.clone());
    registry.register("exports", "Exports of the log that are being sent", counters.exports.clone());
    let ProxyFaults { unreadable_clients, foreign_requests, .. } = counters.proxy_faults.clone();
    let unreadable = "Requests whose client's address was written by a trusted proxy in a way that cannot be read";
    registry.register("unreadable_clients", unreadable, unreadable_clients);
    registry.register("foreign_requests", "Requests refused as those of another site's page", foreign_requests);
    Figures(&mut registry).all(snapshot);
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("writing to a String cannot fail");
    text
}

/// Registers the figures of one snapshot.
struct Figures<'a>(&'a mut Registry);

type Labelled = Family<[(&'static str, String); 1], Gauge>;

impl Figures<'_> {
    fn all(&mut self, SystemSnapshot { state, stats }: &SystemSnapshot) {
        let health = &state.health;
        let statuses = HealthStatus::ALL.map(|status| (status.as_str(), u64::from(status == health.light)));
        self.family("health", "1 for the present health status", "light", statuses);
        if let Some(probe) = health.probe {
            let age = state.at.since(probe.ended_at).unsigned_abs();
            self.one("probe_age_ms", "Since the last probe came through", age);
            self.one("probe_duration_ms", "How long the last probe took", probe.took_ms);
        }
        let fault = state.fault.as_ref().map(|fault| fault.kind);
        let faults = FaultKind::ALL.map(|kind| (kind.as_str(), u64::from(Some(kind) == fault)));
        self.family("store_fault", "1 for the error with which the database fails", "error", faults);
        if let Some(stats) = stats {
            let jobs = JobState::ALL.map(|state| (state.as_str(), stats.counts.of(state)));
            self.family("jobs", "Jobs in each state", "state", jobs);
            self.one("log_last_row", "The number of the newest log row", stats.last_row.0.unsigned_abs());
        }
        if let Some(ledger) = &state.ledger {
            self.ledger(ledger);
        }
        if let Some(oldest) = state.queue.map(|queue| queue.oldest_waiting_at) {
            let age = oldest.map_or(0, |oldest| state.at.since(oldest).unsigned_abs());
            self.one("oldest_waiting_age_ms", "How long the oldest waiting job has been waiting", age);
        }
        self.kinds(stats.as_ref().map_or(&[], |stats| &stats.kinds));
        self.workers(state.workers.as_deref().unwrap_or_default());
        self.rest(state);
    }

    fn kinds(&mut self, kinds: &[StoredKind]) {
        let each = |figure: fn(&StoredKind) -> u64| kinds.iter().map(move |kind| (kind.kind.as_str(), figure(kind)));
        self.family("kind_waiting", "Waiting jobs of each kind", "kind", each(|kind| kind.counts.waiting));
        self.family("kind_running", "Running jobs of each kind", "kind", each(|kind| kind.counts.running));
        self.family("kind_paused", "1 for a kind that is paused", "kind", each(|kind| kind.paused.into()));
        let limited = kinds.iter().filter_map(|kind| Some((kind.kind.as_str(), kind.limit?.into())));
        self.family("kind_limit", "How many jobs of a kind may run at a time, where that is limited", "kind", limited);
    }

    fn workers(&mut self, workers: &[WorkerState]) {
        let (silent, heard): (Vec<_>, Vec<_>) = workers.iter().partition(|worker| worker.is_silent);
        let each = [("heard", heard.len() as u64), ("silent", silent.len() as u64)];
        self.family("workers", "Workers on this database, by whether they have sent a heartbeat lately", "state", each);
        let slots = workers.iter().map(|worker| u64::from(worker.slots)).sum();
        self.one("worker_slots", "How many jobs the workers run side by side at most", slots);
        let busy = workers.iter().map(|worker| u64::from(worker.busy)).sum();
        self.one("worker_busy", "How many jobs the workers run now", busy);
    }

    fn ledger(&mut self, ledger: &Ledger) {
        let places = [
            ("recorded", ledger.recorded),
            ("scheduled", ledger.scheduled),
            ("waiting", ledger.waiting),
            ("running", ledger.running),
            ("retrying", ledger.retrying),
            ("dead", ledger.dead),
            ("cancelled", ledger.cancelled),
            ("spooled", ledger.spooled),
        ];
        self.one("ledger_accepted", "Searches that were ever accepted", ledger.accepted);
        self.family("ledger", "Where the accepted searches are", "place", places);
        let drift: Gauge = Gauge::default();
        drift.set(ledger.drift());
        self.0.register("ledger_drift", "Accepted searches that are missing; below 0: counted twice", drift);
    }

    fn rest(&mut self, state: &api::SystemState) {
        let spool = &state.spool;
        self.one("spool_records", "Records in the spool", spool.records);
        self.one("spool_used_bytes", "Bytes of the spool in use", spool.used_bytes);
        self.one("spool_capacity_bytes", "Bytes that the spool has", spool.capacity_bytes);
        self.one("spool_set_aside", "Quarantined records, for an operator to look into", spool.quarantined);
        self.one("spool_fault", "1 where the spool cannot be written to", u64::from(spool.fault.is_some()));
        let replayed: Counter = Counter::default();
        replayed.inc_by(spool.replayed);
        self.0.register("spool_replayed", "Records brought from the spool into the database", replayed);
        let pool = [
            ("in_use", u64::from(state.pool.in_use)),
            ("idle", u64::from(state.pool.idle)),
            ("max", u64::from(state.pool.max)),
            ("waiting", u64::from(state.pool.waiting)),
        ];
        self.family("pool", "Connections that read, and requests that wait for one", "what", pool);
        self.one("pool_longest_wait_ms", "The longest wait for a connection", state.pool.longest_wait_ms);
        if let Some(disk) = &state.disk {
            self.one("disk_free_bytes", "Free on the data folder's disk", disk.free_bytes);
            self.one("disk_total_bytes", "Size of the data folder's disk", disk.total_bytes);
            self.one("database_bytes", "Size of the database", disk.database_bytes);
        }
        self.one("memory_bytes", "Resident memory of the process", state.process.memory_bytes);
        let version = Info::new([("version", state.process.version.clone())]);
        self.0.register("build", "Which version this is", version);
    }

    fn one(&mut self, name: &str, help: &str, value: u64) {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        self.0.register(name, help, gauge);
    }

    fn family<'w>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'w str, u64)>,
    ) {
        let family = Labelled::default();
        for (text, value) in values {
            family.get_or_create(&[(label, text.to_owned())]).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.0.register(name, help, family);
    }
}
