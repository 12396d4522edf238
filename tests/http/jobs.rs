//! Jobs: read and changed by administrators, and counted live.

use std::sync::Arc;
use std::time::Duration;

use api::{AttemptOutcome, ErrorCode, JobCounts, JobDetail, JobId, JobKind, JobProgress, JobState, JobsPage, TimeMs};
use serde_json::{Value, json};
use store::{AttemptResult, Clock, JobReport};
use tests::{HeldClock, builders, eventually};

use crate::log::rows::Striding;
use crate::request::TestResponse;
use crate::test_server::TestServer;

/// How long the stream pauses after an event.
const PAUSE: Duration = Duration::from_millis(200);

async fn order(server: &TestServer, admin: &str, function: &str, body: &Value) -> TestResponse {
    server.post_json(&format!("/api/admin/jobs/{function}"), body).cookie(admin).send().await
}

async fn list(server: &TestServer, admin: &str, state: Option<JobState>, before: Option<JobId>) -> JobsPage {
    let q = state.map(|state| format!("state:{}", state.as_str())).unwrap_or_default();
    filtered(server, admin, &q, before).await
}

async fn filtered(server: &TestServer, admin: &str, q: &str, before: Option<JobId>) -> JobsPage {
    order(server, admin, "list", &json!({"q": q, "before": before})).await.ok()
}

async fn show(server: &TestServer, admin: &str, id: JobId) -> JobDetail {
    order(server, admin, "show", &json!({"id": id})).await.ok()
}

async fn in_state(server: &TestServer, admin: &str, id: JobId, state: JobState) -> JobDetail {
    eventually(&format!("job {} is {}", id.0, state.as_str()), async || {
        Some(show(server, admin, id).await).filter(|job| job.summary.state == state)
    })
    .await
}

#[tokio::test]
async fn a_done_job_shows_its_attempts() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let answer = server.search(&[("phrase", "hello\u{1b}[31m")]).await;
    let row = server.log_with_rows(1).await.remove(0);
    let job = in_state(&server, &admin, row.job_id, JobState::Done).await;
    assert_eq!((job.summary.kind.as_str(), job.summary.about.as_str()), ("log_request", "hello\u{1b}[31m"));
    assert_eq!((job.log_row, job.why_not_running.as_deref()), (Some(row.seq), None));
    assert!(job.payload.contains(&answer.id.to_string()) && job.payload.contains("\n  "), "{}", job.payload);
    let outcomes: Vec<_> = job.attempts.iter().map(|attempt| (attempt.number, attempt.outcome)).collect();
    assert_eq!(outcomes, [(1, AttemptOutcome::Done)]);
}

#[tokio::test]
async fn a_job_shows_its_progress_and_its_result() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let store = server.store();
    store.enqueue(builders::job("lab")).await.expect("enqueued");
    let job = store.claim(builders::claim("w", 1, builders::START)).await.expect("claimed").remove(0);
    let silent = show(&server, &admin, job.id).await;
    assert_eq!((silent.summary.progress, silent.result), (None, None));
    let report = JobReport {
        percent: 42,
        note: "42 of 100\u{1b}[31m".to_owned(),
        result: Some(r#"{"done":42}"#.to_owned()),
        ..builders::report(&job, "w")
    };
    assert!(store.report(report).await.expect("reported"));
    let progress = Some(JobProgress { percent: 42, note: "42 of 100\u{1b}[31m".to_owned() });
    let shown = show(&server, &admin, job.id).await;
    assert_eq!((&shown.summary.progress, shown.result.as_deref()), (&progress, Some("{\n  \"done\": 42\n}")));
    assert_eq!(list(&server, &admin, None, None).await.jobs[0].progress, progress);
}

#[tokio::test]
async fn jobs_are_listed_by_kind() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "hello")]).await;
    server.store().enqueue(builders::job("lab")).await.expect("enqueued");
    for kind in ["lab", "log_request"] {
        let page = filtered(&server, &admin, &format!("kind:{kind}"), None).await;
        assert_eq!(page.jobs.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), [kind]);
    }
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages_and_by_state() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    for number in 0..120 {
        server.search(&[("phrase", &number.to_string())]).await;
    }
    let mut about = Vec::new();
    let mut before = None;
    loop {
        let page = list(&server, &admin, None, before).await;
        about.extend(page.jobs.into_iter().map(|job| job.about));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(about, (0..120).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    let first = list(&server, &admin, None, None).await.jobs[0].id;
    order(&server, &admin, "cancel", &json!({"id": first})).await.ok::<()>();
    let cancelled = list(&server, &admin, Some(JobState::Cancelled), None).await;
    assert_eq!(cancelled.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [first]);
    let counts: JobCounts = order(&server, &admin, "counts", &json!({})).await.ok();
    assert_eq!((counts.waiting, counts.cancelled), (119, 1));
}

#[tokio::test]
async fn a_waiting_job_shows_why_it_does_not_run() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "hello")]).await;
    let job = list(&server, &admin, None, None).await.jobs.remove(0);
    let why = show(&server, &admin, job.id).await.why_not_running.expect("a sentence");
    assert!(why.contains("--no-worker"), "{why}");
}

#[tokio::test]
async fn cancelling_a_waiting_job_keeps_its_row_from_being_written_and_retrying_writes_it() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let delay = Duration::from_secs(15);
    let server = TestServer::builder().clock(clock.clone()).log_delay(delay).slots(1).start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "first")]).await;
    let first = list(&server, &admin, None, None).await.jobs[0].id;
    in_state(&server, &admin, first, JobState::Running).await;
    let second_receipt = server.search(&[("phrase", "second")]).await.receipt.0;
    let second = list(&server, &admin, Some(JobState::Waiting), None).await.jobs[0].id;
    order(&server, &admin, "cancel", &json!({"id": second})).await.ok::<()>();
    let receipt: api::ReceiptState = server.get(&format!("/api/receipts/{second_receipt}")).send().await.ok();
    assert_eq!((receipt.state, receipt.row), (JobState::Cancelled, None));
    // A running job is stopped.
    order(&server, &admin, "cancel", &json!({"id": first})).await.ok::<()>();
    let stopped = in_state(&server, &admin, first, JobState::Cancelled).await;
    assert_eq!(stopped.attempts[0].outcome, AttemptOutcome::Cancelled);
    assert_eq!(server.log().await, []);

    order(&server, &admin, "retry", &json!({"id": second})).await.ok::<()>();
    in_state(&server, &admin, second, JobState::Running).await;
    eventually("the retried job has written its row", async || {
        clock.advance(delay);
        (!server.log().await.is_empty()).then_some(())
    })
    .await;
    assert_eq!(server.log().await[0].phrase, "second");
}

#[tokio::test]
async fn retrying_a_done_job_writes_nothing_twice() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "hello")]).await;
    let job = server.log_with_rows(1).await[0].job_id;
    in_state(&server, &admin, job, JobState::Done).await;
    order(&server, &admin, "retry", &json!({"id": job})).await.ok::<()>();
    eventually("it has run again", async || {
        let again = show(&server, &admin, job).await;
        (again.summary.state == JobState::Done && again.attempts.len() == 2).then_some(())
    })
    .await;
    assert_eq!(server.log().await.len(), 1);
}

#[tokio::test]
async fn impossible_actions_are_refused_with_a_reason() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "hello")]).await;
    let job = list(&server, &admin, None, None).await.jobs[0].id;
    let id = json!({"id": job});
    let message = order(&server, &admin, "retry", &id).await.refused(409, ErrorCode::Conflict, None);
    assert!(message.contains("waiting"), "{message}");
    order(&server, &admin, "cancel", &id).await.ok::<()>();
    let message = order(&server, &admin, "cancel", &id).await.refused(409, ErrorCode::Conflict, None);
    assert!(message.contains("cancelled"), "{message}");
    for function in ["show", "retry", "cancel"] {
        for nobodys in [0, -1, 999, i64::MAX, i64::MIN] {
            let answer = order(&server, &admin, function, &json!({"id": nobodys})).await;
            answer.refused(404, ErrorCode::NotFound, None);
        }
        for nonsense in [json!({"id": "1"}), json!({"id": 1.5}), json!({}), json!({"id": null})] {
            order(&server, &admin, function, &nonsense).await.refused(400, ErrorCode::Malformed, None);
        }
    }
}

#[tokio::test]
async fn jobs_are_found_by_a_filter() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let first = server.search(&[("phrase", "the first")]).await;
    server.search(&[("phrase", "the second"), ("letters", "xyz")]).await;
    let row = server.log_with_rows(2).await.into_iter().find(|row| row.search_id == first.id).expect("recorded");
    in_state(&server, &admin, row.job_id, JobState::Done).await;
    let found = async |q: &str| {
        let page = filtered(&server, &admin, q, None).await;
        assert_eq!((page.next, page.is_cut), (None, false), "{q}");
        page.jobs.into_iter().map(|job| job.about).collect::<Vec<_>>()
    };
    for q in [
        "phrase:~first",
        "\"the first\" state:done",
        "-letters:xyz kind:log_request",
        &format!("search:{}", first.id),
        &format!("receipt:{}", first.receipt.0),
        &format!("row:{}", row.seq.0),
        &format!("job:{}", row.job_id.0),
        "first since:1h took:<1h attempts:1",
    ] {
        assert_eq!(found(q).await, ["the first"], "{q}");
    }
    assert_eq!(found("").await, ["the second", "the first"]);
    for q in ["third", "state:dead", "row:99", "receipt:0123456789abcdef0123456789abcdef", "kind:nothing", "since:0s"] {
        assert!(found(q).await.is_empty(), "{q}");
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_with_the_mend() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    for (q, says) in [
        ("state:ded", "Did you mean “dead”?"),
        ("state:dead OR state:done", "no “or”"),
        ("recorded:1h", "is a field of the log"),
    ] {
        let answer = order(&server, &admin, "list", &json!({"q": q, "before": null})).await;
        let message = answer.refused(400, ErrorCode::Invalid, Some("q"));
        assert!(message.contains(says) && message.contains("(at character "), "{message}");
    }
    order(&server, &admin, "list", &json!({"q": 1, "before": null})).await.refused(400, ErrorCode::Malformed, None);
}

#[tokio::test]
async fn a_scan_for_rare_jobs_is_cut_and_goes_on() {
    let server = TestServer::builder().without_worker().clock(Arc::new(Striding::by(1_000))).start().await;
    let admin = server.admin().await;
    let store = server.store();
    let new = |number: u32| {
        let payload = format!(r#"{{"version":1,"is":"{}"}}"#, if number == 3 { "rare" } else { "usual" });
        store.enqueue(store::NewJob { payload, ..builders::job("lab") })
    };
    futures::future::try_join_all((0..900).map(new)).await.expect("enqueued");
    let (mut requests, mut compared, mut before, mut found) = (0, 0, None, 0);
    loop {
        let page = filtered(&server, &admin, "rare", before).await;
        (requests, compared, found) = (requests + 1, compared + page.compared, found + page.jobs.len());
        assert_eq!(page.is_cut, page.next.is_some(), "{page:?}");
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((compared, found), (900, 1), "each job is compared once");
    assert!(requests > 2, "no request looks at all jobs: {requests}");
}

#[tokio::test]
async fn counts_are_sent_at_once_and_after_changes() {
    let server = TestServer::builder().without_worker().start().await;
    let mut events = server.get("/api/admin/jobs/events").cookie(&server.admin().await).listen().await;
    assert_eq!(events.expect("counts").await.json::<JobCounts>(), JobCounts::default());
    assert_eq!(events.expect("kinds").await.json::<Vec<JobKind>>(), []);
    server.search(&[("phrase", "hello")]).await;
    let counts: JobCounts = events.expect("counts").await.json();
    assert_eq!(counts, JobCounts { waiting: 1, ..JobCounts::default() });
    let kind = JobKind { kind: "log_request".to_owned(), paused: false, limit: None, counts };
    assert_eq!(events.expect("kinds").await.json::<Vec<JobKind>>(), std::slice::from_ref(&kind));
    // Pausing a kind changes no count.
    server.store().pause_kind("log_request", &tests::builders::signed()).await.expect("paused");
    assert_eq!(events.expect("kinds").await.json::<Vec<JobKind>>(), [JobKind { paused: true, ..kind }]);
    server.state.stop.cancel();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn counts_are_sent_at_most_five_times_a_second() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let mut events = server.get("/api/admin/jobs/events").cookie(&server.admin().await).listen().await;
    events.expect("counts").await;
    events.expect("kinds").await;
    // The stream pauses now, and merges changes during the pause into one event.
    let happens = async {
        for number in 0..20 {
            server.search(&[("phrase", &number.to_string())]).await;
        }
        clock.task_sleeps_until(clock.steady().after(PAUSE)).await;
        clock.advance(PAUSE);
    };
    let (event, ()) = tokio::join!(events.expect("counts"), happens);
    assert_eq!(event.json::<JobCounts>().waiting, 20);
}

#[tokio::test]
async fn progress_is_sent_at_most_five_times_a_second() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let store = server.store();
    store.enqueue(builders::job("lab")).await.expect("enqueued");
    let job = store.claim(builders::claim("w", 1, builders::START)).await.expect("claimed").remove(0);
    let mut events = server.get("/api/admin/jobs/events").cookie(&server.admin().await).listen().await;
    events.expect("counts").await;
    events.expect("kinds").await;
    let report = async || assert!(store.report(builders::report(&job, "w")).await.expect("reported"));
    let happens = async {
        clock.task_sleeps_until(clock.steady().after(PAUSE)).await;
        for _ in 0..5 {
            report().await;
        }
        clock.advance(PAUSE);
    };
    let (event, ()) = tokio::join!(events.expect("progress"), happens);
    assert_eq!(event.json::<()>(), ());
    // The five reports became one event. The next one waits for its pause.
    let finished = builders::finished(&job, "w", AttemptResult::Done, builders::START);
    let happens = async {
        clock.task_sleeps_until(clock.steady().after(PAUSE)).await;
        report().await;
        store.finish(vec![finished]).await.expect("finished");
        clock.advance(PAUSE);
    };
    let (event, ()) = tokio::join!(events.expect("counts"), happens);
    assert_eq!(event.json::<JobCounts>(), JobCounts { done: 1, ..JobCounts::default() });
    events.expect("kinds").await;
    let happens = async {
        clock.task_sleeps_until(clock.steady().after(PAUSE)).await;
        clock.advance(PAUSE);
    };
    tokio::join!(events.expect("progress"), happens);
}

#[tokio::test]
async fn a_failed_read_is_repeated_without_a_wake_up() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "hello")]).await;
    let broken = server.break_table("job_count").await;
    let mut events = server.get("/api/admin/jobs/events").cookie(&admin).listen().await;
    let until_it_asks_again = Duration::from_secs(1);
    events.assert_silent_until(clock.task_sleeps_until(clock.steady().after(until_it_asks_again))).await;
    broken.mend().await;
    clock.advance(until_it_asks_again);
    assert_eq!(events.expect("counts").await.json::<JobCounts>().waiting, 1);
}
