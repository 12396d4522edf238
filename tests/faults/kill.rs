//! Processes that are killed or frozen under load.

use std::time::Duration;

use api::{
    FetchSpec, ItemState, JobState, LabEvent, LabOrder, LabRun, LabSpec, LabStyle, LabTrace, LabWork, Recorded,
    SearchId,
};
use serde_json::json;
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::Installation;
use tests::workload::{Rounds, seeded_rng, usual_or_long};
use tokio::time::sleep;

use crate::client_log::ClientLog;
use crate::tables::{Lock, Tables};
use crate::verdict::assert_complete;

/// The number of answers before each kill. Early kills hit the server during its recovery.
const KILL_AFTER: [u64; 8] = [1, 400, 30, 900, 7, 250, 1200, 90];
/// Enough for several searches in each group commit, and unanswered ones at each kill.
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn answered_searches_are_logged_once_although_the_server_is_killed() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    for answers in KILL_AFTER {
        let server = installation.start(&[]).await;
        let mut load = client_log.load(&server.client(), CLIENTS);
        load.answered(answers).await;
        server.kill().await;
        load.ended().await;
    }
    let answered = client_log.promised().len() as u64;
    assert!(answered >= KILL_AFTER.iter().sum(), "only {answered} searches were answered");

    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_searches_are_logged_once_although_the_server_is_killed_at_any_moment() {
    let mut random = seeded_rng("kill");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let client_log = ClientLog::default();
        let load = client_log.retrying_load(&installation.client(), CLIENTS);
        for _ in 0..usual_or_long(12, 200) {
            let server = installation.launch(&[]);
            // Most kills hit a running server; the earliest hit a starting one.
            sleep(Duration::from_millis(random.u64(0..600))).await;
            server.kill().await;
        }
        let _server = installation.start(&[]).await;
        load.stop().await;
        assert!(client_log.repeated() > 0, "no kill interrupted a search");
        assert_complete(&installation, &client_log).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_can_be_killed_too() {
    const SEARCHES: u64 = 300;
    let mut random = seeded_rng("recovery");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let client_log = ClientLog::default();
        let server = installation.start(&["--log-delay", "1h"]).await;
        let mut load = client_log.load(&server.client(), CLIENTS);
        load.answered(SEARCHES).await;
        server.kill().await;
        load.ended().await;
        for _ in 0..usual_or_long(8, 100) {
            // Each server leaves running jobs for the next one, if it lives long enough to claim any.
            let server = installation.launch(&["--log-delay", "1h"]);
            sleep(Duration::from_millis(random.u64(0..300))).await;
            server.kill().await;
        }
        let _server = installation.start(&[]).await;
        assert_complete(&installation, &client_log).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replaying_the_spool_can_be_killed_too() {
    let mut random = seeded_rng("replay");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let client_log = ClientLog::default();
        let server = installation.start(&[]).await;
        let lock = Lock::take(&installation.database()).await;
        let load = client_log.retrying_load(&server.client(), CLIENTS);
        client_log.counts_more(Recorded::Spooled, usual_or_long(200, 1_000)).await;
        server.kill().await;
        lock.release().await;
        for _ in 0..usual_or_long(8, 100) {
            let server = installation.launch(&[]);
            sleep(Duration::from_millis(random.u64(0..400))).await;
            server.kill().await;
        }
        let _server = installation.start(&[]).await;
        load.stop().await;
        assert_complete(&installation, &client_log).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_killed_server_left_running_is_done_by_the_next() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&["--log-delay", "1h"]).await;
    assert!(client_log.search(&server.client()).await.is_some());
    let mut tables = Tables::open(&installation.database()).await;
    eventually("the job runs", async || tables.jobs().await.contains_key("running").then_some(())).await;
    server.kill().await;

    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
    assert_eq!(tables.number("select count(*) from attempt where outcome = 'lost'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_frozen_past_its_leases_continues() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&["--log-delay", "3s", "--workers", "20"]).await;
    for _ in 0..60 {
        assert!(client_log.search(&server.client()).await.is_some());
    }
    let mut tables = Tables::open(&installation.database()).await;
    let running = "select count(*) from job where state = 'running'";
    eventually("jobs run", async || (tables.number(running).await == 20).then_some(())).await;
    server.freeze();
    let valid = "select count(*) from job where lease_until_ms > unixepoch('now', 'subsec') * 1000";
    eventually("every lease is over", async || (tables.number(valid).await == 0).then_some(())).await;
    assert_eq!(tables.number(running).await, 20, "the frozen server still holds them");
    server.thaw();
    assert_complete(&installation, &client_log).await;
    assert!(client_log.search(&server.client()).await.is_some());
    assert_complete(&installation, &client_log).await;
}

/// Five requests of half a second, one after the other.
fn in_sequence() -> LabSpec {
    LabSpec::Fetch(FetchSpec {
        work: LabWork::Second,
        style: LabStyle::Sequential,
        count: 5,
        workers: 1,
        latency_ms: 500,
        jitter_ms: 0,
        order: LabOrder::Input,
        timeout_ms: None,
    })
}

/// Starts a run, and returns what shows it.
pub async fn start(client: &HttpClient) -> SearchId {
    let id = SearchId::from_parts(1_700_000_000_000, 1);
    let answer = client.post_json("/api/lab/runs/start", &json!({"id": id, "spec": in_sequence()})).await;
    assert_eq!(answer.expect("the server answers").status, 200);
    id
}

pub async fn at_least(client: &HttpClient, id: SearchId, percent: u8) -> LabRun {
    eventually(&format!("the run is at {percent} %"), async || {
        let answer = client.post_json("/api/lab/runs/show", &json!({"id": id})).await.ok()?;
        Some(answer.json::<LabRun>()).filter(|run| run.percent >= percent)
    })
    .await
}

/// The trace of a run, from its event stream.
pub async fn trace(client: &HttpClient, id: SearchId) -> LabTrace {
    let mut events = client.listen(&format!("/api/lab/runs/{id}/events"), None).await.expect("the server answers");
    let mut trace = LabTrace::default();
    while let Some(event) = events.next().await {
        if event.name == "part" {
            event.json::<Vec<LabEvent>>().into_iter().for_each(|event| trace.apply(event));
        }
    }
    trace
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_run_whose_process_is_killed_is_repeated_by_the_next() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let id = start(&server.client()).await;
    let before = at_least(&server.client(), id, 20).await;
    assert_eq!(before.state, JobState::Running);
    server.kill().await;

    let server = installation.start(&[]).await;
    let run = at_least(&server.client(), id, 100).await;
    let run = eventually("the run is done", async || {
        let answer = server.client().post_json("/api/lab/runs/show", &json!({"id": run.id})).await.ok()?;
        Some(answer.json::<LabRun>()).filter(|run| run.state == JobState::Done)
    })
    .await;
    let trace = trace(&server.client(), id).await;
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (5, 5), "the lost attempt has left no events");
    assert_eq!(run.summary.map(|summary| summary.done), Some(5));
}
