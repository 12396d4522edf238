//! Figures for Prometheus.

use api::{JobCounts, JobState, Recorded};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub struct Metrics {
    registry: Registry,
    searches: Family<RecordedLabel, Counter>,
    jobs: Family<StateLabel, Gauge>,
    log_rows: Gauge,
    /// Connections that are open now.
    pub connections: Gauge,
    /// Event streams that are open now.
    pub streams: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RecordedLabel {
    recorded: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let searches = Family::<RecordedLabel, Counter>::default();
        let jobs = Family::<StateLabel, Gauge>::default();
        let (log_rows, connections, streams) = (Gauge::default(), Gauge::default(), Gauge::default());
        let mut registry = Registry::with_prefix("search4letters");
        registry.register("searches", "Searches answered, by what was known of their log record", searches.clone());
        registry.register("jobs", "Jobs in each state", jobs.clone());
        registry.register("log_last_row", "The number of the newest log row", log_rows.clone());
        registry.register("connections", "Connections that are open", connections.clone());
        registry.register("event_streams", "Event streams that are open", streams.clone());
        for recorded in [Recorded::Accepted, Recorded::Spooled, Recorded::NotRecorded] {
            // A figure that is 0 is shown too.
            drop(searches.get_or_create(&label(recorded)));
        }
        Self { registry, searches, jobs, log_rows, connections, streams }
    }
}

impl Metrics {
    pub fn searched(&self, recorded: Recorded) {
        self.searches.get_or_create(&label(recorded)).inc();
    }

    /// The text format of Prometheus, with these counts from the store.
    #[must_use]
    pub fn text(&self, jobs: &JobCounts, last_log_row: i64) -> String {
        for state in JobState::ALL {
            let count = i64::try_from(jobs.of(state)).unwrap_or(i64::MAX);
            self.jobs.get_or_create(&StateLabel { state: state.word() }).set(count);
        }
        self.log_rows.set(last_log_row);
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a String takes all that is written");
        text
    }
}

/// One more on a gauge, until it is dropped.
pub struct Counted(Gauge);

impl Counted {
    #[must_use]
    pub fn on(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }

    /// The same where there are fewer than `limit`.
    #[must_use]
    pub fn below(limit: u32, gauge: &Gauge) -> Option<Self> {
        let before = gauge.inc();
        let counted = Self(gauge.clone());
        (before < i64::from(limit)).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn label(recorded: Recorded) -> RecordedLabel {
    let recorded = match recorded {
        Recorded::Accepted => "accepted",
        Recorded::Spooled => "spooled",
        Recorded::NotRecorded => "not_recorded",
    };
    RecordedLabel { recorded }
}
