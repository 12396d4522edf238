//! The job `lab_run`: performs a run of the waiting lab and persists its events.

use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use api::{LabFact, LabSpec, LabSummary, LaneStep};
use futures::future::BoxFuture;
use lab::{EventSink, Events, FetchPlan, Target};
use queue::{JobError, Payload};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::database::database;
use super::request::request;
use super::{LabResources, LoopbackServer};
use crate::platform::job::{Attempt, Report};
use crate::platform::random::Random;

/// How long events are collected before they are persisted together.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// Limit for the events in one part of the output.
const PART_EVENTS: usize = 2_000;

/// A run, and the address that has started it, if it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabRun {
    pub spec: LabSpec,
    pub ip: Option<IpAddr>,
}

impl Payload for LabRun {
    const KIND: &'static str = "lab_run";
    const VERSION: u32 = 1;
}

/// Performs the run. When the future is dropped, because the run was cancelled or the process stops, no request begins
/// any more, and those in flight lose their connections.
pub async fn lab_run(run: LabRun, resources: LabResources, attempt: &Attempt) -> Result<(), JobError> {
    let stop = CancellationToken::new();
    let _stop_when_dropped = stop.clone().drop_guard();
    let (sink, events) = EventSink::begin();
    let scenario = scenario(run.spec, resources, sink, stop).map_err(|error| JobError::Retry(format!("{error:#}")))?;
    let scenario = async { scenario.await.map_err(|error| JobError::Dead(format!("{error:#}"))) };
    let (summary, total) = tokio::try_join!(scenario, persist(events, attempt))?;
    let result = serde_json::to_string(&summary).expect("a summary has a JSON form");
    attempt.report(Report { percent: 100, note: note(total, total), part: None, result: Some(result) }).await
}

/// Prepares the run. An error here is transient; an error of the returned future is final.
fn scenario(
    spec: LabSpec,
    resources: LabResources,
    sink: EventSink,
    stop: CancellationToken,
) -> anyhow::Result<BoxFuture<'static, anyhow::Result<LabSummary>>> {
    Ok(match spec {
        LabSpec::Fetch(spec) => {
            // Owned by the future, not by the run's thread: dropping the future closes the connections that block the
            // thread.
            let server = LoopbackServer::start(Random::system()).context("the lab's own server did not start")?;
            let run = fetch_on_thread(FetchPlan::new(Target::at(server.address()), spec), sink, stop)?;
            Box::pin(async move {
                let summary = run.await;
                drop(server);
                summary
            })
        }
        LabSpec::Database(spec) => Box::pin(async move { database(&spec, &resources.open_pool, &sink, &stop).await }),
        LabSpec::Request(spec) => {
            let sandbox = resources.sandbox.context("no sandbox can be started")?;
            Box::pin(async move { request(&spec, &sandbox, &sink, &stop).await })
        }
    })
}

/// Runs the engine on a thread of its own. The future ends with the run.
pub(super) fn fetch_on_thread(
    plan: FetchPlan,
    sink: EventSink,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = anyhow::Result<LabSummary>>> {
    const NO_THREAD: &str = "the system gives no thread for the run";
    let (sender, summary) = oneshot::channel();
    // The sink is dropped with the closure, after the summary was sent.
    let run = move || drop(sender.send(lab::fetch(plan, &sink, &stop)));
    thread::Builder::new().name("lab-run".to_owned()).spawn(run).context(NO_THREAD)?;
    Ok(async { summary.await.map_err(|_| anyhow!("the run's thread has panicked"))?.context(NO_THREAD) })
}

/// Persists events until the run ends. Returns the number of items.
async fn persist(mut events: Events, attempt: &Attempt) -> Result<usize, JobError> {
    let (mut total, mut ended) = (0, 0);
    let mut batch = Vec::new();
    while events.recv_many(&mut batch, PART_EVENTS).await > 0 {
        for event in &batch {
            match &event.what {
                LabFact::Began { labels } => total = labels.len(),
                what if ends_an_item(what) => ended += 1,
                _ => {}
            }
        }
        let part = serde_json::to_string(&batch).expect("events have a JSON form");
        let report =
            Report { percent: percent(ended, total), note: note(ended, total), part: Some(part), result: None };
        attempt.report(report).await?;
        batch.clear();
        let clock = &attempt.clock;
        clock.sleep_until(clock.steady().after(FLUSH_INTERVAL)).await;
    }
    Ok(total)
}

fn ends_an_item(what: &LabFact) -> bool {
    match what {
        LabFact::Done { .. } | LabFact::Failed { .. } | LabFact::Cancelled { .. } => true,
        LabFact::Lane { step, .. } => matches!(step, LaneStep::RowThere | LaneStep::RowGone),
        _ => false,
    }
}

fn percent(ended: usize, total: usize) -> u8 {
    u8::try_from(100 * ended.min(total) / total.max(1)).unwrap_or(100)
}

fn note(ended: usize, total: usize) -> String {
    format!("{ended} of {total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_at_most_100() {
        assert_eq!([percent(0, 0), percent(0, 3), percent(1, 3), percent(3, 3), percent(4, 3)], [0, 0, 33, 100, 100]);
    }

    #[test]
    fn a_lane_has_ended_when_its_row_is_there_or_gone() {
        let ends = |step| ends_an_item(&LabFact::Lane { lane: api::Lane::Job, step });
        assert!(ends(LaneStep::RowThere) && ends(LaneStep::RowGone) && !ends(LaneStep::Restarted));
    }
}
