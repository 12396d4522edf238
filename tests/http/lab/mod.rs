//! The waiting lab's runs: started, followed, cancelled, and kept within bounds.

mod bounds;
mod cancelling;
mod following;

use api::{FetchSpec, JobState, LabEvent, LabOrder, LabRun, LabSpec, LabState, LabStyle, LabTrace, LabWork, SearchId};
use serde_json::json;

use crate::events::Events;
use crate::request::Answer;
use crate::site::Site;

fn id(number: u128) -> SearchId {
    SearchId::from_parts(1_700_000_000_000, number)
}

/// Twenty flags at once, ten milliseconds each.
fn flags() -> FetchSpec {
    FetchSpec {
        work: LabWork::Flags,
        style: LabStyle::Async,
        count: 20,
        workers: 20,
        latency_ms: 10,
        jitter_ms: 0,
        order: LabOrder::Completion,
        timeout_ms: None,
    }
}

/// A run that nobody waits for to its end.
fn long() -> LabSpec {
    LabSpec::Fetch(FetchSpec {
        work: LabWork::Second,
        style: LabStyle::Sequential,
        count: 4,
        latency_ms: 10_000,
        ..flags()
    })
}

async fn start(site: &Site, id: SearchId, spec: &LabSpec) -> Answer {
    site.post_json("/api/lab/runs/start", &json!({"id": id, "spec": spec})).send().await
}

async fn show(site: &Site, id: SearchId) -> LabRun {
    site.post_json("/api/lab/runs/show", &json!({"id": id})).send().await.ok()
}

async fn lab(site: &Site) -> LabState {
    site.post_json("/api/lab/show", &json!({})).send().await.ok()
}

fn events_path(id: SearchId) -> String {
    format!("/api/lab/runs/{id}/events")
}

/// Reads to the stream's end: what was told, the number of the last part, and the run at its end.
async fn whole(mut events: Events) -> (LabTrace, u32, LabRun) {
    let (mut trace, mut last, mut run) = (LabTrace::default(), 0, None);
    while let Some(event) = events.next().await {
        match event.name.as_str() {
            "part" => {
                let number: u32 = event.id.as_deref().and_then(|id| id.parse().ok()).expect("a part has its number");
                assert_eq!(number, last + 1, "parts come in order, each once");
                last = number;
                event.json::<Vec<LabEvent>>().into_iter().for_each(|event| trace.take(event));
            }
            "run" => run = Some(event.json::<LabRun>()),
            other => panic!("an event {other}"),
        }
    }
    let run = run.expect("the run is told");
    assert!(run.state.is_final(), "{:?}", run.state);
    (trace, last, run)
}

async fn ended(site: &Site, id: SearchId) -> LabRun {
    let run = whole(site.get(&events_path(id)).listen().await).await.2;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    run
}
