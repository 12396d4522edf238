//! Who may cancel a run, and what is left of it.

use api::{ErrorCode, JobState, LabRun, Role, SearchId};
use serde_json::json;
use tests::eventually;

use super::{events_path, id, long, show, start, whole};
use crate::request::Ask;
use crate::site::Site;

fn cancelling(site: &Site, id: SearchId) -> Ask {
    site.post_json("/api/lab/runs/cancel", &json!({"id": id}))
}

async fn running(site: &Site, id: SearchId) -> LabRun {
    eventually("the run is running", async || Some(show(site, id).await).filter(|run| run.state == JobState::Running))
        .await
}

#[tokio::test]
async fn whoever_has_started_it_may_cancel_it() {
    let site = Site::start().await;
    start(&site, id(1), &long()).await.ok::<LabRun>();
    assert!(running(&site, id(1)).await.can_cancel);
    let events = site.get(&events_path(id(1))).listen().await;
    cancelling(&site, id(1)).send().await.ok::<()>();
    let (trace, _, run) = whole(events).await;
    assert_eq!((run.state, run.summary, run.can_cancel), (JobState::Cancelled, None, false));
    assert_eq!(trace.items.len(), 4, "what was told stays");
    cancelling(&site, id(1)).send().await.refused(409, ErrorCode::Conflict, None);
}

#[tokio::test]
async fn the_next_run_has_its_turn_after_one_that_was_cancelled() {
    let site = Site::start().await;
    start(&site, id(1), &long()).await.ok::<LabRun>();
    running(&site, id(1)).await;
    start(&site, id(2), &long()).await.ok::<LabRun>();
    let waiting = show(&site, id(2)).await;
    assert_eq!((waiting.state, waiting.ahead, waiting.percent), (JobState::Waiting, 0, 0));
    cancelling(&site, id(1)).send().await.ok::<()>();
    running(&site, id(2)).await;
}

#[tokio::test]
async fn one_that_waits_never_begins() {
    let site = Site::start().await;
    start(&site, id(1), &long()).await.ok::<LabRun>();
    running(&site, id(1)).await;
    start(&site, id(2), &long()).await.ok::<LabRun>();
    cancelling(&site, id(2)).send().await.ok::<()>();
    let (trace, last, run) = whole(site.get(&events_path(id(2))).listen().await).await;
    assert_eq!((run.state, trace.items.len(), last), (JobState::Cancelled, 0, 0));
}

#[tokio::test]
async fn nobody_else_may_but_operators() {
    let site = Site::start().await;
    start(&site, id(1), &long()).await.ok::<LabRun>();
    running(&site, id(1)).await;
    let elsewhere = "192.0.2.7";
    let seen = site.post_json("/api/lab/runs/show", &json!({"id": id(1)})).peer(elsewhere).send().await.ok::<LabRun>();
    assert!(!seen.can_cancel);
    let viewer = site.session_of(Role::Viewer).await;
    for ask in [cancelling(&site, id(1)), cancelling(&site, id(1)).cookie(&viewer)] {
        let message = ask.peer(elsewhere).send().await.refused(403, ErrorCode::Forbidden, None);
        assert!(message.contains("operators"), "{message}");
    }
    assert_eq!(show(&site, id(1)).await.state, JobState::Running);
    let operator = site.session_of(Role::Operator).await;
    cancelling(&site, id(1)).peer(elsewhere).cookie(&operator).send().await.ok::<()>();
}
