//! A run of the waiting lab is a job: it outlives the process that has begun it.

use api::{FetchSpec, ItemState, JobState, LabEvent, LabOrder, LabRun, LabSpec, LabStyle, LabTrace, LabWork, SearchId};
use serde_json::json;
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::Installation;

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

/// What a page that is opened after the run's end is told of it.
pub async fn trace(client: &HttpClient, id: SearchId) -> LabTrace {
    let mut events = client.listen(&format!("/api/lab/runs/{id}/events"), None).await.expect("the server answers");
    let mut trace = LabTrace::default();
    while let Some(event) = events.next().await {
        if event.name == "part" {
            event.json::<Vec<LabEvent>>().into_iter().for_each(|event| trace.take(event));
        }
    }
    trace
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_is_killed_is_begun_anew_by_the_next() {
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
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (5, 5), "the lost attempt is told of no more");
    assert_eq!(run.summary.map(|summary| summary.done), Some(5));
}
