//! The scenario with the requests: the same search three times. Its log write is awaited, handed to a bare task of the
//! process, and made a job; and the processes of the last two are killed before it is done.

mod lane;

use std::time::Duration;

use api::{LabFact, LabSummary, Lane, RequestSpec};
use futures::stream::{FuturesUnordered, StreamExt};
use lab::EventSink;
use tokio_util::sync::CancellationToken;

use self::lane::{Outcome, Runner};
use super::sandbox::Sandbox;

/// Runs it, and tells what happens. In the summary an item is a search: it is done if its row has arrived, and failed
/// if the time for the row has passed and it is not there. Fails, with the reason, where no sandbox could be had or one
/// broke down by itself.
///
/// Ends early where `stop` is cancelled. However it ends, also when it is dropped, no process and no folder is left.
pub async fn request(
    spec: &RequestSpec,
    sandbox: &Sandbox,
    tell: &EventSink,
    stop: &CancellationToken,
) -> Result<LabSummary, String> {
    let place = sandbox.place()?;
    tell.emit(LabFact::Began { labels: Lane::ALL.map(|lane| lane.label().to_owned()).to_vec() });
    let delay = Duration::from_millis(spec.delay_ms.into());
    let runner = Runner { place: &place, delay, tell };
    let mut lanes: FuturesUnordered<_> = Lane::ALL.map(|lane| runner.run(lane)).into_iter().collect();
    let mut summary = LabSummary { cancelled: 3, ..LabSummary::default() };
    // Kept to the end: a sandbox that is given up takes the folders of all with it.
    let mut processes = Vec::new();
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => None,
            next = lanes.next() => next,
        };
        let Some(ended) = next else { break };
        let Outcome { process, took, is_row_there } = ended?;
        processes.push(process);
        summary.cancelled -= 1;
        *(if is_row_there { &mut summary.done } else { &mut summary.failed }) += 1;
        summary.work_us += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        summary.elapsed_us = tell.elapsed_us();
    }
    drop(lanes);
    for process in processes {
        process.kill().await?;
    }
    place.remove();
    tell.emit(LabFact::Ended);
    Ok(summary)
}
