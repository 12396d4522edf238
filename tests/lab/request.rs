//! The original's trap and its cure: which row survives the process, and which visitor waits.

use std::fs;
use std::path::Path;
use std::time::Duration;

use api::{LabSummary, LabTrace, Lane, LaneStep, RequestSpec};
use lab::{EventSink, Events};
use serde_json::{Value, json};
use server::lab::request::request;
use server::lab::sandbox::Sandbox;
use tempfile::TempDir;
use tests::eventually;
use tests::server_process::{Installation, workspace_program};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A run in its own task.
struct Run {
    ended: JoinHandle<anyhow::Result<LabSummary>>,
    events: Events,
    trace: LabTrace,
    stop: CancellationToken,
}

impl Run {
    fn begin(folder: &SandboxFolder, delay: Duration) -> Self {
        let (tell, events) = EventSink::begin();
        let spec = RequestSpec { delay_ms: u32::try_from(delay.as_millis()).expect("a short delay") };
        let (sandbox, stop) = (folder.sandbox(), CancellationToken::new());
        let ended = tokio::spawn({
            let stop = stop.clone();
            async move { request(&spec, &sandbox, &tell, &stop).await }
        });
        Self { ended, events, trace: LabTrace::default(), stop }
    }

    /// Waits until the search of `lane` has reached this step.
    async fn reaches(&mut self, lane: Lane, step: LaneStep) {
        while self.at(lane, step).is_none() {
            let event = self.events.recv().await;
            self.trace.apply(event.unwrap_or_else(|| panic!("{lane:?} has never come to {step:?}: {:?}", self.trace)));
        }
    }

    async fn ends(&mut self) -> anyhow::Result<LabSummary> {
        let ended = (&mut self.ended).await.expect("it does not panic");
        while let Some(event) = self.events.recv().await {
            self.trace.apply(event);
        }
        ended
    }

    fn steps(&self, lane: Lane) -> Vec<LaneStep> {
        let lane = self.trace.lanes.iter().find(|known| known.lane == lane);
        lane.map(|lane| lane.steps.iter().map(|(_, step)| *step).collect()).unwrap_or_default()
    }

    fn at(&self, lane: Lane, step: LaneStep) -> Option<Duration> {
        let lane = self.trace.lanes.iter().find(|known| known.lane == lane)?;
        let (at_us, _) = lane.steps.iter().find(|(_, happened)| *happened == step)?;
        Some(Duration::from_micros(*at_us))
    }

    /// The visitor's waiting time.
    fn answered_after(&self, lane: Lane) -> Duration {
        self.at(lane, LaneStep::Answered).expect("answered") - self.at(lane, LaneStep::Sent).expect("sent")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_of_a_bare_task_is_lost_with_its_process_and_that_of_a_job_is_not() {
    use LaneStep::{Answered, Killed, Restarted, RowGone, RowThere, Sent};
    const DELAY: Duration = Duration::from_secs(4);
    let folder = SandboxFolder::new();
    let mut run = Run::begin(&folder, DELAY);
    let summary = run.ends().await.expect("the sandboxes work");

    assert!(run.answered_after(Lane::Awaited) >= DELAY, "{:?}", run.trace.lanes);
    let mut awaited = run.steps(Lane::Awaited);
    // The last two are only a moment apart and may be reported in either order.
    awaited[1..].sort_by_key(|step| *step == RowThere);
    assert_eq!(awaited, [Sent, Answered, RowThere]);
    assert_eq!(run.steps(Lane::BareTask), [Sent, Answered, Killed, Restarted, RowGone]);
    assert_eq!(run.steps(Lane::Job), [Sent, Answered, Killed, Restarted, RowThere]);
    for lane in [Lane::BareTask, Lane::Job] {
        assert!(run.answered_after(lane) < DELAY, "{lane:?} has waited for its write: {:?}", run.trace.lanes);
    }
    let gone = run.at(Lane::BareTask, RowGone).unwrap() - run.at(Lane::BareTask, Restarted).unwrap();
    assert!(gone > DELAY, "given up after {gone:?}, although the row could have arrived later");

    assert_eq!((summary.done, summary.failed, summary.cancelled), (2, 1, 0));
    assert!(run.trace.has_ended);
    assert_eq!(run.trace.items.len(), 3);
    folder.is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_run_leaves_nothing() {
    for (lane, step) in [
        (Lane::Awaited, LaneStep::Sent),
        (Lane::BareTask, LaneStep::Answered),
        (Lane::Job, LaneStep::Killed),
        (Lane::Job, LaneStep::Restarted),
    ] {
        let folder = SandboxFolder::new();
        let mut run = Run::begin(&folder, Duration::from_secs(15));
        run.reaches(lane, step).await;
        run.ended.abort();
        folder.is_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_dropped_during_the_start_of_its_sandboxes_leaves_nothing() {
    let folder = SandboxFolder::new();
    let run = Run::begin(&folder, Duration::from_secs(15));
    folder.has_processes(3).await;
    run.ended.abort();
    folder.is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_counts_the_cancelled_lanes() {
    let folder = SandboxFolder::new();
    let mut run = Run::begin(&folder, Duration::from_secs(15));
    run.reaches(Lane::Job, LaneStep::Restarted).await;
    run.stop.cancel();
    let summary = run.ends().await.expect("a stop is no failure");
    // The job's write has just started again; the other lanes may be further.
    assert!(summary.cancelled > 0, "{summary:?}");
    assert_eq!(summary.done + summary.failed + summary.cancelled, 3);
    assert!(run.trace.has_ended);
    folder.is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_a_sandbox_fails_the_run_at_once() {
    let folder = SandboxFolder::new();
    let mut sandbox = folder.sandbox();
    sandbox.program = "/bin/false".into();
    let (tell, _telling) = EventSink::begin();
    let ended = request(&RequestSpec { delay_ms: 15_000 }, &sandbox, &tell, &CancellationToken::new()).await;
    let why = format!("{:#}", ended.expect_err("there is no server to ask"));
    assert!(why.contains("did not start"), "{why}");
    folder.is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sandboxes_do_not_outlive_a_program_that_is_killed() {
    let folder = SandboxFolder::new();
    let installation = Installation::new().with_variable("TMPDIR", folder.path());
    let program = installation.launch(&["lab", "request", "--delay", "15s"]);
    folder.has_processes(3).await;
    program.kill().await;
    folder.is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_reports_the_lanes_and_uses_no_real_data() {
    let folder = SandboxFolder::new();
    // Variables for real servers must not affect sandboxes.
    let installation = Installation::new()
        .with_variable("TMPDIR", folder.path())
        .with_database("postgres://nobody@127.0.0.1:1/nowhere")
        .with_variable("SEARCH4LETTERS_NO_WORKER", "1");
    let ended = installation.run(&["lab", "request", "--delay", "3s"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for part in
        ["awaited: ", "for a row that only the operator reads", "it will never come", "although the process was killed"]
    {
        assert!(ended.output.contains(part), "{part} in {}", ended.output);
    }
    let left = std::fs::read_dir(installation.folder()).unwrap().count();
    assert_eq!(left, 0, "the real data folder was used");
    folder.is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_json() {
    let folder = SandboxFolder::new();
    let installation = Installation::new().with_variable("TMPDIR", folder.path());
    let ended = installation.run(&["lab", "request", "--delay", "2s", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let document: Value = serde_json::from_str(&ended.output).expect("one document");
    assert_eq!((&document["delay_ms"], &document["done"], &document["failed"]), (&json!(2000), &json!(2), &json!(1)));
    let lanes = document["lanes"].as_array().expect("a list");
    let job = lanes.iter().find(|lane| lane["lane"] == "job").expect("the event is there");
    assert_eq!(job["steps"][4]["step"], "row_there", "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_out_of_bounds_is_refused() {
    let installation = Installation::new();
    let ended = installation.run(&["lab", "request", "--delay", "16s"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("--delay, in milliseconds: "), "{}", ended.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sandbox_starts_in_a_folder_that_may_hold_real_data() {
    let installation = Installation::new();
    let folder = installation.folder().join("data");
    let ended = installation.run(&["lab", "sandbox", "--folder", folder.to_str().unwrap(), "--delay", "1s"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("Use `lab request`"), "{}", ended.output);
    assert!(!folder.exists() && installation.folder().exists());
}

pub(crate) struct SandboxFolder(TempDir);

impl SandboxFolder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    pub(crate) fn sandbox(&self) -> Sandbox {
        Sandbox { program: workspace_program("search4letters"), folder: self.path().to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command lines of the processes that use this folder.
    pub(crate) fn processes(&self) -> Vec<String> {
        let here = self.path().to_str().expect("our own folder's name is a text");
        let processes = fs::read_dir("/proc").expect("Linux shows its processes there").flatten();
        let lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
        lines.filter(|line| line.contains(here)).map(|line| line.replace('\0', " ")).collect()
    }

    pub(crate) async fn has_processes(&self, count: usize) {
        eventually(&format!("{count} sandboxes run"), async || (self.processes().len() == count).then_some(())).await;
    }

    /// Waits until no process and no file is left.
    pub(crate) async fn is_clean(&self) {
        eventually("no sandbox and nothing of one is left", async || {
            let left = fs::read_dir(self.path()).expect("the test's own folder").count();
            (self.processes().is_empty() && left == 0).then_some(())
        })
        .await;
    }
}
