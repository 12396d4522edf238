//! What a run tells, live and afterwards.

use api::{ErrorCode, FetchSpec, ItemState, JobState, LabSpec, LabStyle};
use serde_json::json;

use super::{ended, events_path, flags, id, lab, show, start, whole};
use crate::site::Site;

#[tokio::test]
async fn a_run_is_told_whole_and_its_summary_says_the_same() {
    let site = Site::start().await;
    let spec = LabSpec::Fetch(flags());
    start(&site, id(1), &spec).await.ok::<api::LabRun>();
    let (trace, last, run) = whole(site.get(&events_path(id(1))).listen().await).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (20, 20));
    assert!(trace.has_ended && last > 0);
    let summary = run.summary.clone().expect("it has ended by itself");
    assert_eq!((summary.done, summary.failed, summary.cancelled), (20, 0, 0));
    let first = trace.items.iter().filter_map(|item| item.started_us).min().expect("all have begun");
    let end = trace.items.iter().filter_map(|item| item.ended_us).max().expect("all have ended");
    assert!(summary.elapsed_us.abs_diff(end - first) < 100_000, "{} and {}", summary.elapsed_us, end - first);
    assert!(summary.work_us >= 20 * 10_000, "twenty waits of 10 ms: {summary:?}");
    assert_eq!((run.percent, run.spec.clone()), (100, spec));
    assert_eq!(show(&site, id(1)).await, run);
    assert_eq!(lab(&site).await.runs, [run]);
}

#[tokio::test]
async fn each_style_does_the_same_work() {
    let site = Site::start().await;
    for (number, style) in (1..).zip(LabStyle::ALL) {
        let spec = LabSpec::Fetch(FetchSpec { style, ..flags() });
        start(&site, id(number), &spec).await.ok::<api::LabRun>();
        let summary = ended(&site, id(number)).await.summary.expect("a summary");
        assert_eq!((summary.done, summary.failed), (20, 0), "{style:?}");
    }
    let styles = lab(&site).await.runs.into_iter().map(|run| match run.spec {
        LabSpec::Fetch(spec) => spec.style,
        other => panic!("{other:?}"),
    });
    assert_eq!(styles.collect::<Vec<_>>(), LabStyle::ALL.into_iter().rev().collect::<Vec<_>>(), "newest first");
}

#[tokio::test]
async fn who_comes_back_is_told_the_rest() {
    let site = Site::start().await;
    // Long enough for several parts.
    let spec = LabSpec::Fetch(FetchSpec { style: LabStyle::Sequential, latency_ms: 50, ..flags() });
    start(&site, id(1), &spec).await.ok::<api::LabRun>();
    ended(&site, id(1)).await;
    let all = whole(site.get(&events_path(id(1))).listen().await).await.1;
    assert!(all >= 3, "{all} parts");
    let mut after = site.get(&format!("{}?after={}", events_path(id(1)), all - 1)).listen().await;
    assert_eq!(after.expect("part").await.id, Some(all.to_string()));
    after.expect("run").await;
    // What the browser has seen counts for more than what the page began with.
    let back = site.get(&format!("{}?after=0", events_path(id(1)))).header("last-event-id", all.to_string());
    let mut back = back.listen().await;
    back.expect("run").await;
    assert_eq!(back.next().await, None);
}

#[tokio::test]
async fn what_there_is_not_is_not_found() {
    let site = Site::start().await;
    let none = json!({"id": id(9)});
    for function in ["show", "cancel"] {
        let answer = site.post_json(&format!("/api/lab/runs/{function}"), &none).send().await;
        answer.refused(404, ErrorCode::NotFound, None);
    }
    for path in [events_path(id(9)), "/api/lab/runs/nonsense/events".to_owned(), "/api/lab/runs/%ff/events".to_owned()]
    {
        site.get(&path).send().await.refused(404, ErrorCode::NotFound, None);
    }
}

#[tokio::test]
async fn a_run_that_is_deleted_ends_its_stream() {
    let site = Site::start().await;
    start(&site, id(1), &LabSpec::Fetch(flags())).await.ok::<api::LabRun>();
    let run = ended(&site, id(1)).await;
    assert!(site.store().delete_job(run.job).await.expect("the store answers"));
    site.get(&events_path(id(1))).send().await.refused(404, ErrorCode::NotFound, None);
    assert_eq!(lab(&site).await.runs, []);
}
