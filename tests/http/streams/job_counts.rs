//! How many jobs are in each state and of each kind, live.

use std::sync::Arc;
use std::time::Duration;

use api::{JobCounts, JobKind, TimeMs};
use store::AttemptResult;
use tests::{HeldClock, builders};

use crate::site::Site;

#[tokio::test]
async fn counts_come_at_once_and_when_they_change() {
    let site = Site::plan().without_worker().start().await;
    let mut events = site.get("/api/admin/jobs/events").cookie(&site.admin().await).listen().await;
    assert_eq!(events.expect("counts").await.json::<JobCounts>(), JobCounts::default());
    assert_eq!(events.expect("kinds").await.json::<Vec<JobKind>>(), []);
    site.search(&[("phrase", "hello")]).await;
    let counts: JobCounts = events.expect("counts").await.json();
    assert_eq!(counts, JobCounts { waiting: 1, ..JobCounts::default() });
    let kind = JobKind { kind: "log_request".to_owned(), paused: false, limit: None, counts };
    assert_eq!(events.expect("kinds").await.json::<Vec<JobKind>>(), std::slice::from_ref(&kind));
    // What is decided for a kind changes no count.
    site.store().pause_kind("log_request", true).await.expect("paused");
    assert_eq!(events.expect("kinds").await.json::<Vec<JobKind>>(), [JobKind { paused: true, ..kind }]);
    site.env.stop.cancel();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn however_much_happens_they_come_five_times_a_second() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let site = Site::plan().clock(clock.clone()).without_worker().start().await;
    let mut events = site.get("/api/admin/jobs/events").cookie(&site.admin().await).listen().await;
    events.expect("counts").await;
    events.expect("kinds").await;
    // The stream pauses now, and what happens meanwhile becomes one event.
    let happens = async {
        for number in 0..20 {
            site.search(&[("phrase", &number.to_string())]).await;
        }
        clock.task_sleeps().await;
        clock.advance(Duration::from_millis(200));
    };
    let (event, ()) = tokio::join!(events.expect("counts"), happens);
    assert_eq!(event.json::<JobCounts>().waiting, 20);
}

#[tokio::test]
async fn reports_of_jobs_are_told_five_times_a_second() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let site = Site::plan().clock(clock.clone()).without_worker().start().await;
    let store = site.store();
    store.enqueue(builders::job("lab")).await.expect("enqueued");
    let job = store.claim(builders::claim("w", 1, builders::START)).await.expect("claimed").remove(0);
    let mut events = site.get("/api/admin/jobs/events").cookie(&site.admin().await).listen().await;
    events.expect("counts").await;
    events.expect("kinds").await;
    let report = async || assert!(store.report(builders::report(&job, "w")).await.expect("reported"));
    let happens = async {
        clock.task_sleeps().await;
        for _ in 0..5 {
            report().await;
        }
        clock.advance(Duration::from_millis(200));
    };
    let (event, ()) = tokio::join!(events.expect("progress"), happens);
    assert_eq!(event.json::<()>(), ());
    // The five were one event, and the next waits for the pause after it.
    let finished = builders::finished(&job, "w", AttemptResult::Done, builders::START);
    let happens = async {
        clock.task_sleeps().await;
        report().await;
        store.finish(vec![finished]).await.expect("finished");
        clock.advance(Duration::from_millis(200));
    };
    let (event, ()) = tokio::join!(events.expect("counts"), happens);
    assert_eq!(event.json::<JobCounts>(), JobCounts { done: 1, ..JobCounts::default() });
    events.expect("kinds").await;
    let happens = async {
        clock.task_sleeps().await;
        clock.advance(Duration::from_millis(200));
    };
    tokio::join!(events.expect("progress"), happens);
}

#[tokio::test]
async fn a_store_that_failed_is_asked_again_although_nothing_happens() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let site = Site::plan().clock(clock.clone()).without_worker().start().await;
    let admin = site.admin().await;
    site.search(&[("phrase", "hello")]).await;
    let broken = site.break_table("job_count").await;
    let mut events = site.get("/api/admin/jobs/events").cookie(&admin).listen().await;
    events.are_silent_until(async { _ = clock.task_sleeps().await }).await;
    broken.mend().await;
    clock.advance(Duration::from_secs(1));
    assert_eq!(events.expect("counts").await.json::<JobCounts>().waiting, 1);
}
