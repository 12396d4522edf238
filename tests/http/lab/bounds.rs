//! What the lab does not let anybody do.

use api::{DatabaseSpec, ErrorCode, FetchSpec, JobState, LabRun, LabSpec, RequestSpec};
use serde_json::json;
use tests::eventually;

use super::{flags, id, lab, long, show, start};
use crate::site::Site;

#[tokio::test]
async fn the_same_id_is_one_run_and_no_other() {
    let site = Site::start().await;
    let spec = LabSpec::Fetch(flags());
    let first: LabRun = start(&site, id(1), &spec).await.ok();
    let again: LabRun = start(&site, id(1), &spec).await.ok();
    assert_eq!((again.id, again.job), (first.id, first.job));
    let other = LabSpec::Fetch(FetchSpec { count: 19, ..flags() });
    start(&site, id(1), &other).await.refused(409, ErrorCode::Conflict, None);
    assert_eq!(lab(&site).await.runs.len(), 1);
}

#[tokio::test]
async fn what_is_too_much_is_refused_at_its_field() {
    let site = Site::start().await;
    let database =
        DatabaseSpec { batches: 1, tasks_per_batch: 10_001, hold_ms: 0, failing: 0, panicking: 0, aborted: 0 };
    for (spec, field) in [
        (LabSpec::Fetch(FetchSpec { count: 1_001, ..flags() }), "count"),
        (LabSpec::Fetch(FetchSpec { workers: 0, ..flags() }), "workers"),
        (LabSpec::Fetch(FetchSpec { latency_ms: u32::MAX, ..flags() }), "latency_ms"),
        (LabSpec::Database(database), "tasks_per_batch"),
        (LabSpec::Request(RequestSpec { delay_ms: 15_001 }), "delay_ms"),
    ] {
        start(&site, id(1), &spec).await.refused(400, ErrorCode::Invalid, Some(field));
    }
    assert_eq!(lab(&site).await.runs, []);
}

#[tokio::test]
async fn a_closed_lab_shows_its_runs_and_starts_none() {
    let site = Site::plan().without_lab().start().await;
    let message = start(&site, id(1), &LabSpec::Fetch(flags())).await.refused(503, ErrorCode::Unavailable, None);
    assert_eq!(lab(&site).await.closed, Some(message.clone()));
    for path in ["/lab/second?latency_ms=0", "/lab/flags/br.svg?latency_ms=0"] {
        assert_eq!(site.get(path).send().await.refused(404, ErrorCode::NotFound, None), message);
    }
    let site = Site::plan().without_worker().start().await;
    let message = start(&site, id(1), &LabSpec::Fetch(flags())).await.refused(503, ErrorCode::Unavailable, None);
    assert!(message.contains("--no-worker"), "{message}");
}

#[tokio::test]
async fn an_open_lab_lets_wait() {
    let site = Site::start().await;
    assert!(site.get("/lab/second?latency_ms=0").send().await.text().starts_with(r#"{"second":"#));
    let flag = site.get("/lab/flags/br.svg?latency_ms=0").send().await;
    assert_eq!((flag.status.as_u16(), &flag.headers["content-type"]), (200, &"image/svg+xml".parse().expect("ASCII")));
    site.get("/lab/flags/xx.svg?latency_ms=0").send().await.refused(404, ErrorCode::NotFound, None);
}

#[tokio::test]
async fn only_so_many_runs_wait_and_each_address_starts_only_so_many() {
    let site = Site::start().await;
    start(&site, id(0), &long()).await.ok::<LabRun>();
    eventually("the first runs", async || (show(&site, id(0)).await.state == JobState::Running).then_some(())).await;
    for number in 1..=20 {
        start(&site, id(number), &long()).await.ok::<LabRun>();
    }
    let message = start(&site, id(21), &long()).await.refused(429, ErrorCode::TooMany, None);
    assert!(message.contains("20 runs wait"), "{message}");
    start(&site, id(20), &long()).await.ok::<LabRun>();
    // Makes room, and goes on until it is one too many for the address.
    let mut number = 20;
    let message = loop {
        site.post_json("/api/lab/runs/cancel", &json!({"id": id(number)})).send().await.ok::<()>();
        number += 1;
        let answer = start(&site, id(number), &long()).await;
        if !answer.status.is_success() {
            break answer.refused(429, ErrorCode::TooMany, None);
        }
    };
    assert!(message.contains("within 5 min"), "{message}");
    assert_eq!(number, 60, "id 0 to 59 were started");
    let elsewhere = site.post_json("/api/lab/runs/start", &json!({"id": id(61), "spec": long()})).peer("192.0.2.7");
    elsewhere.send().await.ok::<LabRun>();
}
