//! A run of the waiting lab, started on one process and done by others.

use api::{ItemState, JobState};

use super::site::{Site, WEB};
use crate::lab::{at_least, start, trace};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_done_by_a_worker_and_followed_on_a_web_process() {
    let site = Site::new().await;
    let (at_web, at_worker) = (site.place(), site.place());
    let web = at_web.start(WEB).await;
    let _worker = at_worker.start_worker(&[]).await;
    let id = start(&web.client()).await;
    // To the end of the stream, which tells the parts as the worker writes them.
    let trace = trace(&web.client(), id).await;
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (5, 5));
    assert_eq!(at_least(&web.client(), id, 100).await.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_worker_is_killed_is_taken_over() {
    let site = Site::new().await;
    let (at_web, at_worker, at_other) = (site.place(), site.place(), site.place());
    let web = at_web.start(WEB).await;
    let worker = at_worker.start_worker(&[]).await;
    let id = start(&web.client()).await;
    at_least(&web.client(), id, 20).await;
    worker.kill().await;
    let _other = at_other.start_worker(&[]).await;
    let trace = trace(&web.client(), id).await;
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (5, 5), "the lost attempt is told of no more");
}
