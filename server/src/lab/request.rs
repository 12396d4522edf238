//! The request scenario: the same search three times. Its log write is awaited, handed to a bare task, or made a job.
//! The processes of the last two are killed before the write is done.

use std::time::Duration;

use anyhow::{bail, ensure};
use api::{LabFact, LabSummary, Lane, LaneStep, Recorded, RequestSpec, SearchAnswer, SearchId};
use futures::stream::{FuturesUnordered, StreamExt};
use lab::EventSink;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::sandbox::{AWAITED, BARE_TASK, Client, Process, REQUEST_TIMEOUT, Sandbox, SandboxDir, SandboxSearch};

/// The original's example.
const PHRASE: &str = "life, the universe, and everything!";
const LETTERS: &str = "eiru,!";

/// How long after the write's delay a missing row counts as lost.
const LOST_ROW_MARGIN: Duration = Duration::from_secs(1);
/// How long after its response a process is killed; sooner if the write would be done by then.
const KILL_AFTER: Duration = Duration::from_secs(1);

/// Runs the scenario and emits its events. In the summary an item is a search: done if its row has arrived, failed if
/// the time for the row has passed without it. Fails if a sandbox does not start or breaks down by itself.
///
/// Ends early once `stop` is cancelled. No process and no folder is left behind, even when the future is dropped.
pub async fn request(
    spec: &RequestSpec,
    sandbox: &Sandbox,
    events: &EventSink,
    stop: &CancellationToken,
) -> anyhow::Result<LabSummary> {
    let folder = sandbox.create_dir()?;
    events.emit(LabFact::Began { labels: Lane::ALL.map(|lane| lane.as_str().to_owned()).to_vec() });
    let runner = Runner { folder: &folder, delay: Duration::from_millis(spec.delay_ms.into()), events };
    let mut lanes: FuturesUnordered<_> = Lane::ALL.map(|lane| runner.run(lane)).into_iter().collect();
    let mut summary = LabSummary { cancelled: 3, ..LabSummary::default() };
    // Kept to the end: dropping one sandbox removes the folders of all.
    let mut processes = Vec::new();
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => None,
            next = lanes.next() => next,
        };
        let Some(ended) = next else { break };
        let Outcome { process, took, has_row } = ended?;
        processes.push(process);
        summary.cancelled -= 1;
        *(if has_row { &mut summary.done } else { &mut summary.failed }) += 1;
        summary.work_us += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        summary.elapsed_us = events.elapsed_us();
    }
    drop(lanes);
    for process in processes {
        process.kill().await?;
    }
    drop(folder);
    events.emit(LabFact::Ended);
    Ok(summary)
}

/// Runs one of the three searches, from its request until its row arrives or counts as lost.
struct Runner<'a> {
    folder: &'a SandboxDir,
    /// How long the write takes.
    delay: Duration,
    events: &'a EventSink,
}

struct Outcome {
    /// The last process that was started.
    process: Process,
    /// Since the search was sent.
    took: Duration,
    has_row: bool,
}

impl Runner<'_> {
    async fn run(&self, lane: Lane) -> anyhow::Result<Outcome> {
        let (name, id) = match lane {
            Lane::Awaited => ("awaited", 1),
            Lane::BareTask => ("bare-task", 2),
            Lane::Job => ("job", 3),
        };
        let search = SearchId::from_parts(0, id);
        let mut process = self.folder.start(name, self.delay).await?;
        let began = Instant::now();
        let has_row = if lane == Lane::Awaited {
            let client = process.client();
            // The row arrives a moment before its answer does.
            let (answered, has_row) =
                tokio::join!(self.search(lane, client, search), self.await_row(lane, client, search));
            answered?;
            has_row?
        } else {
            self.search(lane, process.client(), search).await?;
            sleep(KILL_AFTER.min(self.delay / 3)).await;
            process.kill().await?;
            self.emit(lane, LaneStep::Killed);
            process = self.folder.start(name, self.delay).await?;
            self.emit(lane, LaneStep::Restarted);
            self.await_row(lane, process.client(), search).await?
        };
        Ok(Outcome { process, took: began.elapsed(), has_row })
    }

    async fn search(&self, lane: Lane, client: Client, id: SearchId) -> anyhow::Result<()> {
        let search = SandboxSearch { id, phrase: PHRASE.to_owned(), letters: LETTERS.to_owned() };
        let timeout = self.delay + REQUEST_TIMEOUT;
        self.emit(lane, LaneStep::Sent);
        match lane {
            Lane::Awaited => drop(client.post_json::<String>(AWAITED, &search, timeout).await?),
            Lane::BareTask => drop(client.post_json::<String>(BARE_TASK, &search, timeout).await?),
            Lane::Job => {
                let fields = [("id", &*id.to_string()), ("phrase", PHRASE), ("letters", LETTERS)];
                let answer: SearchAnswer = client.post_form("/api/search", &fields, timeout).await?;
                let is_recorded = matches!(answer.recorded, Recorded::Accepted | Recorded::Spooled);
                ensure!(is_recorded, "the sandbox could not record a search");
            }
        }
        self.emit(lane, LaneStep::Answered);
        Ok(())
    }

    /// Waits for the row, and returns whether it has arrived in time. Fails if the process has ended or its log cannot
    /// be read.
    async fn await_row(&self, lane: Lane, client: Client, search: SearchId) -> anyhow::Result<bool> {
        let wait = self.delay + if lane == Lane::BareTask { LOST_ROW_MARGIN } else { REQUEST_TIMEOUT };
        let recorded = client.searches_in_log(search, wait).await?;
        let has_row = match &recorded[..] {
            [] => false,
            [only] if *only == search => true,
            _ => bail!("the log holds other searches than the one that was sent: {recorded:?}"),
        };
        self.emit(lane, if has_row { LaneStep::RowThere } else { LaneStep::RowGone });
        Ok(has_row)
    }

    fn emit(&self, lane: Lane, step: LaneStep) {
        self.events.emit(LabFact::Lane { lane, step });
    }
}
