//! Metrics for Prometheus: counters of this process, and the figures of the page /system.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use api::{FaultKind, HealthStatus, JobState, Ledger, WorkerState};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use store::StoredKind;

use super::{Pruning, SystemSnapshot};
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
    pub pruning: Pruning,
}

/// The media type of [`render`]'s text.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics in the text format of Prometheus.
pub(super) fn render(counters: &Counters, snapshot: &SystemSnapshot) -> String {
    let mut registry = Registry::with_prefix("search4letters");
    registry.register("searches", "Searches answered, by what was known of their record", counters.searches.clone());
    registry.register("connections", "Connections that are open", counters.connections.clone());
    registry.register("event_streams", "Event streams that are open", counters.streams.clone());
    registry.register("exports", "Exports of the log that are being sent", counters.exports.clone());
    let failures = counters.pruning.failures.clone();
    registry.register("pruning_failures", "Attempts to delete old jobs and sessions that have failed", failures);
    let ProxyFaults { unreadable_clients, unnamed_clients, forgotten_proxies, foreign_requests, .. } =
        counters.proxy_faults.clone();
    let unreadable = "Requests whose client's address was written by a trusted proxy in a way that cannot be read";
    registry.register("unreadable_clients", unreadable, unreadable_clients);
    let unnamed = "Requests to the API through a trusted proxy that named no client";
    registry.register("unnamed_clients", unnamed, unnamed_clients);
    let forgotten = "Requests with forwarding headers from an internal address that is not a trusted proxy's";
    registry.register("forgotten_proxies", forgotten, forgotten_proxies);
    registry.register("foreign_requests", "Requests refused as those of another site's page", foreign_requests);
    Figures(&mut registry).all(snapshot);
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("writing to a String cannot fail");
    without_open_metrics(&text)
}

/// Translates from OpenMetrics, the only format that the library writes. There, a counter's type and help stand under a
/// name without `_total`, and an info is a type. Older readers and `promtool check metrics` understand neither.
fn without_open_metrics(text: &str) -> String {
    let mut types = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            types.insert(name, kind);
        }
    }
    let mut translated = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        let (Some("#"), Some(what), Some(name), Some(rest)) = (words.next(), words.next(), words.next(), words.next())
        else {
            translated.extend([line, "\n"]);
            continue;
        };
        let (suffix, kind) = match types.get(name) {
            Some(&"counter") => ("_total", "counter"),
            Some(&"info") => ("_info", "gauge"),
            _ => ("", rest),
        };
        let rest = if what == "TYPE" { kind } else { rest };
        translated.extend(["# ", what, " ", name, suffix, " ", rest, "\n"]);
    }
    translated
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
            self.seconds("probe_age_seconds", "Since the last probe came through", age);
            self.seconds("probe_duration_seconds", "How long the last probe took", probe.took_ms);
        }
        let fault = state.fault.as_ref().map(|fault| fault.kind);
        let faults = FaultKind::ALL.map(|kind| (kind.as_str(), u64::from(Some(kind) == fault)));
        self.family("store_fault", "1 for the error with which the database fails", "error", faults);
        if let Some(stats) = stats {
            let jobs = JobState::ALL.map(|state| (state.as_str(), stats.counts.of(state)));
            self.family("jobs", "Jobs in each state", "state", jobs);
            let failures = stats.retrying.as_ref().map_or(0, |search| search.attempts.into());
            let help = "How often writing the oldest search that is being retried has failed; 0: none is being retried";
            self.one("oldest_retrying_search_failures", help, failures);
            self.one("log_last_row", "The number of the newest log row", stats.last_row.0.unsigned_abs());
        }
        if let Some(ledger) = &state.ledger {
            self.ledger(ledger);
        }
        if let Some(oldest) = state.queue.map(|queue| queue.oldest_waiting_at) {
            let age = oldest.map_or(0, |oldest| state.at.since(oldest).unsigned_abs());
            self.seconds("oldest_waiting_age_seconds", "How long the oldest waiting job has been waiting", age);
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
        self.count("spool_replayed", "Records brought from the spool into the database", spool.replayed);
        let pool = [
            ("in_use", u64::from(state.pool.in_use)),
            ("idle", u64::from(state.pool.idle)),
            ("max", u64::from(state.pool.max)),
            ("waiting", u64::from(state.pool.waiting)),
        ];
        self.family("pool", "Connections that read, and requests that wait for one", "what", pool);
        self.seconds("pool_longest_wait_seconds", "The longest wait for a connection", state.pool.longest_wait_ms);
        if let Some(disk) = &state.disk {
            self.one("disk_free_bytes", "Free on the data folder's disk", disk.free_bytes);
            self.one("disk_total_bytes", "Size of the data folder's disk", disk.total_bytes);
            self.one("database_bytes", "Size of the database", disk.database_bytes);
        }
        self.one("memory_bytes", "Resident memory of the process", state.process.memory_bytes);
        let lost = state.process.lost_log_lines;
        self.count("log_lines_lost", "Log lines that could not be written to standard error", lost);
        let version = Info::new([("version", state.process.version.clone())]);
        self.0.register("build", "Which version this is", version);
    }

    /// The library adds `_total` to the name.
    fn count(&mut self, name: &str, help: &str, value: u64) {
        let counter: Counter = Counter::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    fn seconds(&mut self, name: &str, help: &str, ms: u64) {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(Duration::from_millis(ms).as_secs_f64());
        self.0.register(name, help, gauge);
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
