//! The waiting lab's runs: started, followed, cancelled, and limited.

use api::{
    DatabaseSpec, ErrorCode, FetchSpec, ItemState, JobState, LabEvent, LabOrder, LabRun, LabSpec, LabState, LabStyle,
    LabTrace, LabWork, RequestSpec, Role, SearchId,
};
use serde_json::json;
use tests::eventually;

use crate::request::{Events, TestRequest, TestResponse};
use crate::test_server::TestServer;

fn id(number: u128) -> SearchId {
    SearchId::from_parts(1_700_000_000_000, number)
}

/// Twenty flags in parallel, ten milliseconds each.
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

/// A run that no test waits for.
fn long() -> LabSpec {
    LabSpec::Fetch(FetchSpec {
        work: LabWork::Second,
        style: LabStyle::Sequential,
        count: 4,
        latency_ms: 10_000,
        ..flags()
    })
}

async fn start(server: &TestServer, id: SearchId, spec: &LabSpec) -> TestResponse {
    server.post_json("/api/lab/runs/start", &json!({"id": id, "spec": spec})).send().await
}

async fn show(server: &TestServer, id: SearchId) -> LabRun {
    server.post_json("/api/lab/runs/show", &json!({"id": id})).send().await.ok()
}

async fn lab(server: &TestServer) -> LabState {
    server.post_json("/api/lab/show", &json!({})).send().await.ok()
}

fn events_path(id: SearchId) -> String {
    format!("/api/lab/runs/{id}/events")
}

/// Reads the stream to its end. Returns the events, the number of the last part, and the final run.
async fn whole(mut events: Events) -> (LabTrace, u32, LabRun) {
    let (mut trace, mut last, mut run) = (LabTrace::default(), 0, None);
    while let Some(event) = events.next().await {
        match event.name.as_str() {
            "part" => {
                let number: u32 = event.id.as_deref().and_then(|id| id.parse().ok()).expect("a part has its number");
                assert_eq!(number, last + 1, "parts come in order, each once");
                last = number;
                event.json::<Vec<LabEvent>>().into_iter().for_each(|event| trace.apply(event));
            }
            "run" => run = Some(event.json::<LabRun>()),
            other => panic!("an event {other}"),
        }
    }
    let run = run.expect("the stream sends the run");
    assert!(run.state.is_final(), "{:?}", run.state);
    (trace, last, run)
}

async fn ended(server: &TestServer, id: SearchId) -> LabRun {
    let run = whole(server.get(&events_path(id)).listen().await).await.2;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    run
}

#[tokio::test]
async fn a_run_is_streamed_completely_and_its_summary_agrees() {
    let server = TestServer::start().await;
    let spec = LabSpec::Fetch(flags());
    start(&server, id(1), &spec).await.ok::<api::LabRun>();
    let (trace, last, run) = whole(server.get(&events_path(id(1))).listen().await).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (20, 20));
    assert!(trace.has_ended && last > 0);
    let summary = run.summary.clone().expect("it has ended by itself");
    assert_eq!((summary.done, summary.failed, summary.cancelled), (20, 0, 0));
    let first = trace.items.iter().filter_map(|item| item.started_us).min().expect("all have begun");
    let end = trace.items.iter().filter_map(|item| item.ended_us).max().expect("all have ended");
    assert_eq!(summary.elapsed_us, end - first);
    assert!(summary.work_us >= 20 * 10_000, "twenty waits of 10 ms: {summary:?}");
    assert_eq!((run.percent, run.spec.clone()), (100, spec));
    assert_eq!(show(&server, id(1)).await, run);
    assert_eq!(lab(&server).await.runs, [run]);
}

#[tokio::test]
async fn each_style_does_the_same_work() {
    let server = TestServer::start().await;
    for (number, style) in (1..).zip(LabStyle::ALL) {
        let spec = LabSpec::Fetch(FetchSpec { style, ..flags() });
        start(&server, id(number), &spec).await.ok::<api::LabRun>();
        let summary = ended(&server, id(number)).await.summary.expect("a summary");
        assert_eq!((summary.done, summary.failed), (20, 0), "{style:?}");
    }
    let styles = lab(&server).await.runs.into_iter().map(|run| match run.spec {
        LabSpec::Fetch(spec) => spec.style,
        other => panic!("{other:?}"),
    });
    assert_eq!(styles.collect::<Vec<_>>(), LabStyle::ALL.into_iter().rev().collect::<Vec<_>>(), "newest first");
}

#[tokio::test]
async fn a_reconnected_stream_resumes_after_the_last_part() {
    let server = TestServer::start().await;
    // Long enough for several parts.
    let spec = LabSpec::Fetch(FetchSpec { style: LabStyle::Sequential, latency_ms: 50, ..flags() });
    start(&server, id(1), &spec).await.ok::<api::LabRun>();
    ended(&server, id(1)).await;
    let all = whole(server.get(&events_path(id(1))).listen().await).await.1;
    assert!(all >= 3, "{all} parts");
    let mut after = server.get(&format!("{}?after={}", events_path(id(1)), all - 1)).listen().await;
    assert_eq!(after.expect("part").await.id, Some(all.to_string()));
    after.expect("run").await;
    // The browser's last event id overrides the page's parameter.
    let back = server.get(&format!("{}?after=0", events_path(id(1)))).header("last-event-id", all.to_string());
    let mut back = back.listen().await;
    back.expect("run").await;
    assert_eq!(back.next().await, None);
}

#[tokio::test]
async fn unknown_runs_are_not_found() {
    let server = TestServer::start().await;
    let none = json!({"id": id(9)});
    for function in ["show", "cancel"] {
        let answer = server.post_json(&format!("/api/lab/runs/{function}"), &none).send().await;
        answer.refused(404, ErrorCode::NotFound, None);
    }
    for path in [events_path(id(9)), "/api/lab/runs/nonsense/events".to_owned(), "/api/lab/runs/%ff/events".to_owned()]
    {
        server.get(&path).send().await.refused(404, ErrorCode::NotFound, None);
    }
}

#[tokio::test]
async fn deleting_a_run_ends_its_stream() {
    let server = TestServer::start().await;
    start(&server, id(1), &LabSpec::Fetch(flags())).await.ok::<api::LabRun>();
    let run = ended(&server, id(1)).await;
    assert!(server.store().delete_job(run.job, None).await.expect("the store answers"));
    server.get(&events_path(id(1))).send().await.refused(404, ErrorCode::NotFound, None);
    assert_eq!(lab(&server).await.runs, []);
}

fn cancelling(server: &TestServer, id: SearchId) -> TestRequest {
    server.post_json("/api/lab/runs/cancel", &json!({"id": id}))
}

async fn running(server: &TestServer, id: SearchId) -> LabRun {
    eventually("the run is running", async || Some(show(server, id).await).filter(|run| run.state == JobState::Running))
        .await
}

#[tokio::test]
async fn a_visitor_may_cancel_their_own_run() {
    let server = TestServer::start().await;
    start(&server, id(1), &long()).await.ok::<LabRun>();
    assert!(running(&server, id(1)).await.can_cancel);
    let events = server.get(&events_path(id(1))).listen().await;
    cancelling(&server, id(1)).send().await.ok::<()>();
    let (trace, _, run) = whole(events).await;
    assert_eq!((run.state, run.summary, run.can_cancel), (JobState::Cancelled, None, false));
    assert_eq!(trace.items.len(), 4, "the events remain");
    cancelling(&server, id(1)).send().await.refused(409, ErrorCode::Conflict, None);
}

#[tokio::test]
async fn the_next_run_starts_after_a_cancelled_one() {
    let server = TestServer::start().await;
    start(&server, id(1), &long()).await.ok::<LabRun>();
    running(&server, id(1)).await;
    start(&server, id(2), &long()).await.ok::<LabRun>();
    let waiting = show(&server, id(2)).await;
    assert_eq!((waiting.state, waiting.ahead, waiting.percent), (JobState::Waiting, 0, 0));
    cancelling(&server, id(1)).send().await.ok::<()>();
    running(&server, id(2)).await;
}

#[tokio::test]
async fn a_cancelled_waiting_run_never_starts() {
    let server = TestServer::start().await;
    start(&server, id(1), &long()).await.ok::<LabRun>();
    running(&server, id(1)).await;
    start(&server, id(2), &long()).await.ok::<LabRun>();
    cancelling(&server, id(2)).send().await.ok::<()>();
    let (trace, last, run) = whole(server.get(&events_path(id(2))).listen().await).await;
    assert_eq!((run.state, trace.items.len(), last), (JobState::Cancelled, 0, 0));
}

#[tokio::test]
async fn only_operators_may_cancel_the_runs_of_others() {
    let server = TestServer::start().await;
    start(&server, id(1), &long()).await.ok::<LabRun>();
    running(&server, id(1)).await;
    let elsewhere = "192.0.2.7";
    let seen =
        server.post_json("/api/lab/runs/show", &json!({"id": id(1)})).peer(elsewhere).send().await.ok::<LabRun>();
    assert!(!seen.can_cancel);
    let viewer = server.session_of(Role::Viewer).await;
    for request in [cancelling(&server, id(1)), cancelling(&server, id(1)).cookie(&viewer)] {
        let message = request.peer(elsewhere).send().await.refused(403, ErrorCode::Forbidden, None);
        assert!(message.contains("operators"), "{message}");
    }
    assert_eq!(show(&server, id(1)).await.state, JobState::Running);
    let operator = server.session_of(Role::Operator).await;
    cancelling(&server, id(1)).peer(elsewhere).cookie(&operator).send().await.ok::<()>();
}

#[tokio::test]
async fn the_same_id_is_the_same_run() {
    let server = TestServer::start().await;
    let spec = LabSpec::Fetch(flags());
    let first: LabRun = start(&server, id(1), &spec).await.ok();
    let again: LabRun = start(&server, id(1), &spec).await.ok();
    assert_eq!((again.id, again.job), (first.id, first.job));
    let other = LabSpec::Fetch(FetchSpec { count: 19, ..flags() });
    start(&server, id(1), &other).await.refused(409, ErrorCode::Conflict, None);
    assert_eq!(lab(&server).await.runs.len(), 1);
}

#[tokio::test]
async fn excessive_values_are_refused_at_their_field() {
    let server = TestServer::start().await;
    let database =
        DatabaseSpec { batches: 1, tasks_per_batch: 10_001, hold_ms: 0, failing: 0, panicking: 0, aborted: 0 };
    for (spec, field) in [
        (LabSpec::Fetch(FetchSpec { count: 1_001, ..flags() }), "count"),
        (LabSpec::Fetch(FetchSpec { workers: 0, ..flags() }), "workers"),
        (LabSpec::Fetch(FetchSpec { latency_ms: u32::MAX, ..flags() }), "latency_ms"),
        (LabSpec::Database(database), "tasks_per_batch"),
        (LabSpec::Request(RequestSpec { delay_ms: 15_001 }), "delay_ms"),
    ] {
        start(&server, id(1), &spec).await.refused(400, ErrorCode::Invalid, Some(field));
    }
    assert_eq!(lab(&server).await.runs, []);
}

#[tokio::test]
async fn a_closed_lab_shows_its_runs_and_starts_none() {
    let server = TestServer::builder().without_lab().start().await;
    let message = start(&server, id(1), &LabSpec::Fetch(flags())).await.refused(503, ErrorCode::Unavailable, None);
    assert_eq!(lab(&server).await.closed, Some(message.clone()));
    assert!(message.contains("--lab"), "{message}");
    for path in ["/lab/second?latency_ms=0", "/lab/flags/br.svg?latency_ms=0"] {
        assert_eq!(server.get(path).send().await.refused(404, ErrorCode::NotFound, None), message);
    }
    let server = TestServer::builder().without_worker().start().await;
    let message = start(&server, id(1), &LabSpec::Fetch(flags())).await.refused(503, ErrorCode::Unavailable, None);
    assert!(message.contains("--no-worker"), "{message}");
}

#[tokio::test]
async fn an_open_lab_serves_seconds_and_flags() {
    let server = TestServer::start().await;
    assert!(server.get("/lab/second?latency_ms=0").send().await.text().starts_with(r#"{"second":"#));
    let flag = server.get("/lab/flags/br.svg?latency_ms=0").send().await;
    assert_eq!((flag.status.as_u16(), &flag.headers["content-type"]), (200, &"image/svg+xml".parse().expect("ASCII")));
    assert!(flag.text().starts_with("<svg"), "{}", flag.text());
    for file in ["xx.svg", "br.png", "br", "..%2fbr.svg"] {
        let flag = server.get(&format!("/lab/flags/{file}?latency_ms=0")).send().await;
        flag.refused(404, ErrorCode::NotFound, None);
    }
    for query in ["latency_ms=10001", "latency_ms=5&jitter_ms=6", "latency_ms=x"] {
        assert_eq!(server.get(&format!("/lab/second?{query}")).send().await.status.as_u16(), 400, "{query}");
    }
}

#[tokio::test]
async fn the_explanation_is_there_to_be_read() {
    let server = TestServer::start().await;
    let guide = server.get(api::LAB_GUIDE).send().await;
    assert_eq!(guide.status, 200);
    assert_eq!(guide.headers["content-type"], "text/plain; charset=utf-8");
    assert!(guide.text().contains("## What waits, and what need not"));
}

#[tokio::test]
async fn waiting_runs_and_runs_per_address_are_limited() {
    let server = TestServer::start().await;
    start(&server, id(0), &long()).await.ok::<LabRun>();
    eventually("the first runs", async || (show(&server, id(0)).await.state == JobState::Running).then_some(())).await;
    for number in 1..=20 {
        start(&server, id(number), &long()).await.ok::<LabRun>();
    }
    let message = start(&server, id(21), &long()).await.refused(429, ErrorCode::TooMany, None);
    assert!(message.contains("20 runs wait"), "{message}");
    start(&server, id(20), &long()).await.ok::<LabRun>();
    // Cancels a waiting run before each start, until the limit per address is reached.
    let mut number = 20;
    let message = loop {
        server.post_json("/api/lab/runs/cancel", &json!({"id": id(number)})).send().await.ok::<()>();
        number += 1;
        let answer = start(&server, id(number), &long()).await;
        if !answer.status.is_success() {
            break answer.refused(429, ErrorCode::TooMany, None);
        }
    };
    assert!(message.contains("within 5 min"), "{message}");
    assert_eq!(number, 60, "id 0 to 59 were started");
    let elsewhere = server.post_json("/api/lab/runs/start", &json!({"id": id(61), "spec": long()})).peer("192.0.2.7");
    elsewhere.send().await.ok::<LabRun>();
}
