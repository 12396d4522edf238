//! The job `lab_run`: does a run of the waiting lab, and puts out what happens in it.

use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use api::{FetchSpec, LabEvent, LabFact, LabSpec, LabSummary, LaneStep};
use futures::future::BoxFuture;
use lab::{EventSink, Events, FetchPlan, Target};
use queue::{JobError, Payload};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::lab::database::database;
use crate::lab::request::request;
use crate::lab::{LabResources, LoopbackServer};
use crate::platform::random::Random;
use crate::platform::reporter::{Report, Reporter};

/// What happens within this time is written down together.
const TOGETHER: Duration = Duration::from_millis(100);
/// So many events make one part of the output at most.
const PART: usize = 2_000;

/// A run, and from where it was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabRun {
    pub spec: LabSpec,
    pub ip: IpAddr,
}

impl Payload for LabRun {
    const KIND: &'static str = "lab_run";
    const VERSION: u32 = 1;
}

/// What a run does, until its summary or the reason why there is none.
type Doing = BoxFuture<'static, Result<LabSummary, String>>;

/// Does the run, and writes down what it tells. When this is dropped, because the run was cancelled or the process
/// stops, nothing else begins, and what has begun loses its connections.
pub async fn lab_run(run: LabRun, reporter: Reporter) -> Result<(), JobError> {
    let stop = CancellationToken::new();
    let _stop_when_dropped = stop.clone().drop_guard();
    let (sink, events) = EventSink::begin();
    let doing = doing(run.spec, reporter.env.lab.clone(), sink, stop).map_err(JobError::Retry)?;
    let doing = async { doing.await.map_err(JobError::Dead) };
    let (summary, total) = tokio::try_join!(doing, write_down(events, &reporter))?;
    let result = serde_json::to_string(&summary).expect("a summary has a JSON form");
    reporter.report(Report { percent: 100, note: note(total, total), part: None, result: Some(result) }).await
}

fn doing(spec: LabSpec, resources: LabResources, sink: EventSink, stop: CancellationToken) -> Result<Doing, String> {
    Ok(match spec {
        LabSpec::Fetch(spec) => fetching(spec, sink, stop)?,
        LabSpec::Database(spec) => Box::pin(async move { database(&spec, &resources.open_pool, &sink, &stop).await }),
        LabSpec::Request(spec) => {
            let sandbox = resources.sandbox?;
            Box::pin(async move { request(&spec, &sandbox, &sink, &stop).await })
        }
    })
}

fn fetching(spec: FetchSpec, sink: EventSink, stop: CancellationToken) -> Result<Doing, String> {
    // Held by the future and not by the run's thread: who drops the future cuts the connections that block it.
    let server = LoopbackServer::start(Random::system())
        .map_err(|error| format!("the lab's own server did not start: {error}"))?;
    let plan = FetchPlan::new(Target::at(server.address()), spec);
    let (say, said) = oneshot::channel();
    let run = move || drop(say.send(lab::fetch(plan, &sink, &stop)));
    let spawned = thread::Builder::new().name("lab-run".to_owned()).spawn(run);
    spawned.map_err(no_thread)?;
    Ok(Box::pin(async move {
        let summary = said.await.map_err(|_| "the run's thread has panicked".to_owned())?.map_err(no_thread);
        drop(server);
        summary
    }))
}

fn no_thread(error: io::Error) -> String {
    format!("the system gives no thread for the run: {error}")
}

/// Until all is told. Returns how many items there were.
async fn write_down(mut events: Events, reporter: &Reporter) -> Result<usize, JobError> {
    let (mut total, mut ended) = (0, 0);
    let mut batch = Vec::new();
    while events.recv_many(&mut batch, PART).await > 0 {
        for event in &batch {
            match &event.what {
                LabFact::Began { labels } => total = labels.len(),
                what if ends_an_item(what) => ended += 1,
                _ => {}
            }
        }
        reporter
            .report(Report {
                percent: percent(ended, total),
                note: note(ended, total),
                part: Some(part(&batch)),
                result: None,
            })
            .await?;
        batch.clear();
        let clock = &reporter.env.clock;
        clock.sleep_until(clock.steady().after(TOGETHER)).await;
    }
    Ok(total)
}

fn part(events: &[LabEvent]) -> String {
    serde_json::to_string(events).expect("events have a JSON form")
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
    fn a_share_is_never_more_than_all() {
        assert_eq!([percent(0, 0), percent(0, 3), percent(1, 3), percent(3, 3), percent(4, 3)], [0, 0, 33, 100, 100]);
    }

    #[test]
    fn a_search_of_the_trap_has_ended_when_its_row_is_there_or_gone() {
        let ends = |step| ends_an_item(&LabFact::Lane { lane: api::Lane::Job, step });
        assert!(ends(LaneStep::RowThere) && ends(LaneStep::RowGone) && !ends(LaneStep::Restarted));
    }
}
