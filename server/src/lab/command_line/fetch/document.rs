//! A run as a JSON document.

use std::collections::BTreeMap;

use api::{FetchSpec, ItemError, ItemErrorKind, ItemState, LabSummary};
use serde::Serialize;

use super::super::words::json_line;
use super::run::Run;

/// All that was asked for and all that happened. Times are microseconds since the run began.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    #[serde(flatten)]
    spec: &'a FetchSpec,
    elapsed_us: u64,
    /// What the requests would have taken one after the other.
    work_us: u64,
    done: u32,
    failed: u32,
    cancelled: u32,
    /// How many requests failed for which reason.
    errors: BTreeMap<ItemErrorKind, u32>,
    /// In the order in which they were asked for.
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    label: &'a str,
    started_us: Option<u64>,
    ended_us: Option<u64>,
    outcome: &'static str,
    /// Of one that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// Of one that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ItemError>,
}

impl<'a> Document<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let Run { spec, summary, trace } = run;
        let LabSummary { elapsed_us, done, failed, cancelled, work_us, pool: _ } = *summary;
        let mut errors = BTreeMap::new();
        for error in trace.items.iter().filter_map(|item| item.error.as_ref()) {
            *errors.entry(error.kind).or_insert(0) += 1;
        }
        let items = trace.items.iter().map(|item| Item {
            label: &item.label,
            started_us: item.started_us,
            ended_us: item.ended_us,
            outcome: item.state.as_str(),
            text: (item.state == ItemState::Done).then_some(item.text.as_str()),
            error: item.error.as_ref(),
        });
        Self { spec, elapsed_us, work_us, done, failed, cancelled, errors, items: items.collect() }
    }

    pub(super) fn line(&self) -> String {
        line(self)
    }
}

pub(super) fn line(document: &impl Serialize) -> String {
    json_line(document)
}
