//! The requests of a run, and their server.

use std::sync::mpsc::Sender;
use std::time::Duration;

use api::{FetchSpec, LATENCY_LIMIT_MS, LabWork};
use bytes::Bytes;

use crate::{CountryCode, Target};

/// The longest timeout, whatever the plan says: a blocked thread cannot be interrupted, so its request must end by
/// itself. With jitter as large as the latency, a response takes up to twice the latency limit.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(2 * LATENCY_LIMIT_MS as u64 + 10_000);

/// Requests to one server.
#[derive(Clone, Debug)]
pub struct FetchPlan {
    target: Target,
    spec: FetchSpec,
    items: Vec<Item>,
    bodies: Option<Sender<Body>>,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub label: String,
    /// Includes the query. Begins with a slash.
    pub path: String,
}

/// The body of a successful answer.
#[derive(Clone, Debug)]
pub struct Body {
    pub item: u32,
    /// The flag's country. `None` for numbers.
    pub country: Option<CountryCode>,
    pub bytes: Bytes,
}

impl FetchPlan {
    /// A plan with the spec's number of requests. Flags are those of all countries, repeated in the same order.
    pub fn new(target: Target, spec: FetchSpec) -> Self {
        let countries: Vec<_> = CountryCode::all().collect();
        Self::of_countries(target, spec, &countries)
    }

    /// Like [`Self::new`], with the flags of these countries. Ignores them if the spec requests numbers.
    pub fn of_countries(target: Target, spec: FetchSpec, countries: &[CountryCode]) -> Self {
        let query = format!("latency_ms={}&jitter_ms={}", spec.latency_ms, spec.jitter_ms);
        let second = |number| Item { label: format!("{number}"), path: format!("/lab/second?{query}") };
        let flag = |code: CountryCode| Item {
            label: code.to_string(),
            path: format!("/lab/flags/{}.svg?{query}", code.lowercase()),
        };
        let count = usize::try_from(spec.count).unwrap_or(usize::MAX);
        let items = match spec.work {
            LabWork::Second => (1..=spec.count).map(second).collect(),
            LabWork::Flags => countries.iter().copied().cycle().take(count).map(flag).collect(),
        };
        Self { target, spec, items, bodies: None }
    }

    /// Also sends the bodies, in the order of arrival.
    pub fn with_bodies(self, bodies: Sender<Body>) -> Self {
        Self { bodies: Some(bodies), ..self }
    }

    pub(super) fn spec(&self) -> &FetchSpec {
        &self.spec
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// The items' numbers.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        (0..).take(self.items.len())
    }

    pub(super) fn timeout(&self) -> Duration {
        let wanted = self.spec.timeout_ms.map(u64::from).map(Duration::from_millis);
        wanted.map_or(LONGEST_TIMEOUT, |wanted| wanted.min(LONGEST_TIMEOUT))
    }

    /// Sends a body, if the plan has a receiver for it.
    pub(super) fn send_body(&self, item: u32, bytes: Bytes) {
        let Some(bodies) = &self.bodies else { return };
        let label = usize::try_from(item).ok().and_then(|index| self.items.get(index)).map(|item| &item.label);
        let country = label.and_then(|label| label.parse().ok());
        let _ = bodies.send(Body { item, country, bytes });
    }
}
