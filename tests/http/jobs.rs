//! Jobs: read and changed by those who may, and counted live.

use std::sync::Arc;
use std::time::Duration;

use api::{AttemptOutcome, ErrorCode, JobCounts, JobDetail, JobId, JobKind, JobProgress, JobState, JobsPage, TimeMs};
use serde_json::{Value, json};
use store::{AttemptResult, JobReport};
use tests::{HeldClock, builders, eventually};

use crate::request::Answer;
use crate::test_server::Site;

async fn order(site: &Site, admin: &str, function: &str, body: &Value) -> Answer {
    site.post_json(&format!("/api/admin/jobs/{function}"), body).cookie(admin).send().await
}

async fn list(site: &Site, admin: &str, state: Option<JobState>, before: Option<JobId>) -> JobsPage {
    order(site, admin, "list", &json!({"filter": {"state": state}, "before": before})).await.ok()
}

async fn show(site: &Site, admin: &str, id: JobId) -> JobDetail {
    order(site, admin, "show", &json!({"id": id})).await.ok()
}

async fn in_state(site: &Site, admin: &str, id: JobId, state: JobState) -> JobDetail {
    eventually(&format!("job {} is {}", id.0, state.as_str()), async || {
        Some(show(site, admin, id).await).filter(|job| job.summary.state == state)
    })
    .await
}

#[tokio::test]
async fn a_done_job_shows_what_it_did() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let answer = site.search(&[("phrase", "hello\u{1b}[31m")]).await;
    let row = site.log_of(1).await.remove(0);
    let job = in_state(&site, &admin, row.job_id, JobState::Done).await;
    assert_eq!((job.summary.kind.as_str(), job.summary.about.as_str()), ("log_request", "hello\u{1b}[31m"));
    assert_eq!((job.log_row, job.why_not_running.as_deref()), (Some(row.seq), None));
    assert!(job.payload.contains(&answer.id.to_string()) && job.payload.contains("\n  "), "{}", job.payload);
    let outcomes: Vec<_> = job.attempts.iter().map(|attempt| (attempt.number, attempt.outcome)).collect();
    assert_eq!(outcomes, [(1, AttemptOutcome::Done)]);
}

#[tokio::test]
async fn a_job_shows_how_far_it_is_and_what_came_of_it() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    let store = site.store();
    store.enqueue(builders::job("lab")).await.expect("enqueued");
    let job = store.claim(builders::claim("w", 1, builders::START)).await.expect("claimed").remove(0);
    let silent = show(&site, &admin, job.id).await;
    assert_eq!((silent.summary.progress, silent.result), (None, None));
    let report = JobReport {
        percent: 42,
        note: "42 of 100\u{1b}[31m".to_owned(),
        result: Some(r#"{"done":42}"#.to_owned()),
        ..builders::report(&job, "w")
    };
    assert!(store.report(report).await.expect("reported"));
    let progress = Some(JobProgress { percent: 42, note: "42 of 100\u{1b}[31m".to_owned() });
    let shown = show(&site, &admin, job.id).await;
    assert_eq!((&shown.summary.progress, shown.result.as_deref()), (&progress, Some("{\n  \"done\": 42\n}")));
    assert_eq!(list(&site, &admin, None, None).await.jobs[0].progress, progress);
}

#[tokio::test]
async fn jobs_are_listed_in_one_kind() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    site.search(&[("phrase", "hello")]).await;
    site.store().enqueue(builders::job("lab")).await.expect("enqueued");
    for kind in ["lab", "log_request"] {
        let filter = json!({"filter": {"kind": kind}, "before": null});
        let page: JobsPage = order(&site, &admin, "list", &filter).await.ok();
        assert_eq!(page.jobs.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), [kind]);
    }
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages_and_by_state() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    for number in 0..120 {
        site.search(&[("phrase", &number.to_string())]).await;
    }
    let mut about = Vec::new();
    let mut before = None;
    loop {
        let page = list(&site, &admin, None, before).await;
        about.extend(page.jobs.into_iter().map(|job| job.about));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(about, (0..120).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    let first = list(&site, &admin, None, None).await.jobs[0].id;
    order(&site, &admin, "cancel", &json!({"id": first})).await.ok::<()>();
    let cancelled = list(&site, &admin, Some(JobState::Cancelled), None).await;
    assert_eq!(cancelled.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [first]);
    let counts: JobCounts = order(&site, &admin, "counts", &json!({})).await.ok();
    assert_eq!((counts.waiting, counts.cancelled), (119, 1));
}

#[tokio::test]
async fn a_waiting_job_says_why_it_does_not_run() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    site.search(&[("phrase", "hello")]).await;
    let job = list(&site, &admin, None, None).await.jobs.remove(0);
    let why = show(&site, &admin, job.id).await.why_not_running.expect("a sentence");
    assert!(why.contains("--no-worker"), "{why}");
}

#[tokio::test]
async fn cancelling_a_waiting_job_keeps_its_row_from_being_written_and_retrying_writes_it() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let delay = Duration::from_secs(15);
    let site = Site::plan().clock(clock.clone()).log_delay(delay).slots(1).start().await;
    let admin = site.admin().await;
    site.search(&[("phrase", "first")]).await;
    let first = list(&site, &admin, None, None).await.jobs[0].id;
    in_state(&site, &admin, first, JobState::Running).await;
    let second_receipt = site.search(&[("phrase", "second")]).await.receipt.0;
    let second = list(&site, &admin, Some(JobState::Waiting), None).await.jobs[0].id;
    order(&site, &admin, "cancel", &json!({"id": second})).await.ok::<()>();
    let receipt: api::ReceiptState = site.get(&format!("/api/receipts/{second_receipt}")).send().await.ok();
    assert_eq!((receipt.state, receipt.row), (JobState::Cancelled, None));
    // A running job is stopped where it is.
    order(&site, &admin, "cancel", &json!({"id": first})).await.ok::<()>();
    let stopped = in_state(&site, &admin, first, JobState::Cancelled).await;
    assert_eq!(stopped.attempts[0].outcome, AttemptOutcome::Cancelled);
    assert_eq!(site.log().await, []);

    order(&site, &admin, "retry", &json!({"id": second})).await.ok::<()>();
    in_state(&site, &admin, second, JobState::Running).await;
    eventually("the retried job has written its row", async || {
        clock.advance(delay);
        (!site.log().await.is_empty()).then_some(())
    })
    .await;
    assert_eq!(site.log().await[0].phrase, "second");
}

#[tokio::test]
async fn retrying_a_done_job_writes_nothing_twice() {
    let site = Site::start().await;
    let admin = site.admin().await;
    site.search(&[("phrase", "hello")]).await;
    let job = site.log_of(1).await[0].job_id;
    in_state(&site, &admin, job, JobState::Done).await;
    order(&site, &admin, "retry", &json!({"id": job})).await.ok::<()>();
    eventually("it has run again", async || {
        let again = show(&site, &admin, job).await;
        (again.summary.state == JobState::Done && again.attempts.len() == 2).then_some(())
    })
    .await;
    assert_eq!(site.log().await.len(), 1);
}

#[tokio::test]
async fn orders_that_cannot_be_carried_out_say_why() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    site.search(&[("phrase", "hello")]).await;
    let job = list(&site, &admin, None, None).await.jobs[0].id;
    let id = json!({"id": job});
    let message = order(&site, &admin, "retry", &id).await.refused(409, ErrorCode::Conflict, None);
    assert!(message.contains("waiting"), "{message}");
    order(&site, &admin, "cancel", &id).await.ok::<()>();
    let message = order(&site, &admin, "cancel", &id).await.refused(409, ErrorCode::Conflict, None);
    assert!(message.contains("cancelled"), "{message}");
    for function in ["show", "retry", "cancel"] {
        for nobodys in [0, -1, 999, i64::MAX, i64::MIN] {
            let answer = order(&site, &admin, function, &json!({"id": nobodys})).await;
            answer.refused(404, ErrorCode::NotFound, None);
        }
        for nonsense in [json!({"id": "1"}), json!({"id": 1.5}), json!({}), json!({"id": null})] {
            order(&site, &admin, function, &nonsense).await.refused(400, ErrorCode::Malformed, None);
        }
    }
    let unknown_state = json!({"filter": {"state": "asleep"}, "before": null});
    order(&site, &admin, "list", &unknown_state).await.refused(400, ErrorCode::Malformed, None);
}

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
    site.store().pause_kind("log_request").await.expect("paused");
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
