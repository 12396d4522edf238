//! Receipts: what their holders can learn, and no one else.

use std::sync::Arc;
use std::time::Duration;

use api::{ErrorCode, JobId, JobState, JobSummary, ReceiptState, TimeMs};
use http::Method;
use serde_json::{Value, json};
use store::Clock;
use tests::HeldClock;
use tests::builders::signed;
use tests::eventually;

use crate::request::Events;
use crate::test_server::TestServer;

const DELAY: Duration = Duration::from_secs(15);
/// The shortest interval between two events of a stream.
const PAUSE: Duration = Duration::from_millis(200);

async fn state_of(server: &TestServer, receipt: &str) -> ReceiptState {
    server.get(&format!("/api/receipts/{receipt}")).send().await.ok()
}

#[tokio::test]
async fn a_receipt_ends_with_the_number_of_its_row() {
    let server = TestServer::start().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    let done = eventually("the search is recorded", async || {
        Some(state_of(&server, &answer.receipt.0).await).filter(|state| state.state == JobState::Done)
    })
    .await;
    let row = &server.log().await[0];
    assert_eq!((done.attempt, done.ahead, done.row), (1, 0, Some(row.seq)));
    assert_eq!((done.accepted_at, done.recorded_at), (Some(row.searched_at), Some(row.recorded_at)));
    assert!(done.started_at.is_some_and(|started| started <= row.recorded_at), "{done:?}");
}

#[tokio::test]
async fn a_receipt_outlives_its_job() {
    let server = TestServer::start().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    eventually("the job is done and pruned", async || {
        let pruned = server.store().prune_jobs(TimeMs(i64::MAX), 100).await.expect("the store answers");
        (pruned == 1).then_some(())
    })
    .await;
    let state = state_of(&server, &answer.receipt.0).await;
    assert_eq!((state.state, state.row), (JobState::Done, Some(server.log().await[0].seq)));
}

#[tokio::test]
async fn what_is_written_stays_written_if_its_job_runs_again() {
    let server = TestServer::start().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    server.log_with_rows(1).await;
    let written = state_of(&server, &answer.receipt.0).await;
    assert!(server.store().pause_kind("log_request", &signed()).await.expect("the store answers"));
    let job = server.store().jobs(store::JobSelection::default(), None, 1).await.expect("the store answers").jobs[0].id;
    assert!(server.store().retry_job(job, server.state.clock.steady(), &signed()).await.expect("the store answers"));
    assert_eq!(state_of(&server, &answer.receipt.0).await.row, written.row);
    cancel(&server, job).await;
    let cancelled = state_of(&server, &answer.receipt.0).await;
    assert_eq!((cancelled.state, cancelled.row), (JobState::Done, written.row));
}

#[tokio::test]
async fn an_attempt_that_began_after_the_row_did_not_write_it() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).start().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    let row = server.log_with_rows(1).await[0].clone();
    let written = eventually("the receipt is final", async || {
        Some(state_of(&server, &answer.receipt.0).await).filter(|state| state.state == JobState::Done)
    })
    .await;
    assert_eq!(written.started_at, Some(row.recorded_at), "no time has passed");

    clock.advance(Duration::from_secs(3_600));
    let job = server.store().jobs(store::JobSelection::default(), None, 1).await.expect("the store answers").jobs[0].id;
    eventually("the first attempt is over", async || {
        server.store().retry_job(job, clock.steady(), &signed()).await.expect("the store answers").then_some(())
    })
    .await;
    let again = eventually("the second attempt is over", async || {
        Some(state_of(&server, &answer.receipt.0).await).filter(|state| state.attempt == 2)
    })
    .await;
    assert_eq!((again.state, again.started_at), (JobState::Done, None), "{again:?}");
    assert_eq!((again.row, again.recorded_at), (written.row, written.recorded_at));
}

#[tokio::test]
async fn a_waiting_receipt_shows_how_many_searches_are_ahead() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).log_delay(DELAY).slots(1).start().await;
    let mut receipts = Vec::new();
    for number in 0..4 {
        receipts.push(server.search(&[("phrase", &format!("number {number}"))]).await.receipt.0);
        if number == 0 {
            eventually("the first runs", async || {
                (state_of(&server, &receipts[0]).await.state == JobState::Running).then_some(())
            })
            .await;
        }
    }
    let running = state_of(&server, &receipts[0]).await;
    assert_eq!((running.state, running.attempt, running.row), (JobState::Running, 1, None));
    assert_eq!((running.started_at, running.recorded_at), (Some(clock.steady()), None));
    for (receipt, ahead) in receipts[1..].iter().zip(0..) {
        let waiting = state_of(&server, receipt).await;
        assert_eq!((waiting.state, waiting.ahead, waiting.attempt), (JobState::Waiting, ahead, 0));
        assert_eq!((waiting.accepted_at, waiting.started_at), (Some(clock.steady()), None));
    }
    assert_eq!(server.log().await, [], "nothing is written before its time");
    eventually("all are recorded once their time has passed", async || {
        clock.advance(DELAY);
        (server.log().await.len() == 4).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_stream_sends_each_change_and_ends_with_the_row() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).log_delay(DELAY).start().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    let mut events = server.get(&format!("/api/receipts/{}/events", answer.receipt.0)).listen().await;
    let mut state: ReceiptState = events.expect("message").await.json();
    if state.state == JobState::Waiting {
        state = after_the_pause(&mut events, &clock).await;
    }
    assert_eq!((state.state, state.attempt, state.row), (JobState::Running, 1, None));
    let time_passes = async {
        loop {
            clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let last = tokio::select! { last = events.expect("message") => last, never = time_passes => never };
    let state: ReceiptState = last.json();
    assert_eq!((state.state, state.row), (JobState::Done, Some(server.log().await[0].seq)));
    assert_eq!(events.next().await, None, "after a final state nothing comes");
    let mut again = server.get(&format!("/api/receipts/{}/events", answer.receipt.0)).listen().await;
    assert_eq!(again.expect("message").await.json::<ReceiptState>(), state);
    assert_eq!(again.next().await, None);
}

/// Three waiting searches on a server with a held clock, and the last one's stream.
async fn last_of_three() -> (TestServer, Arc<HeldClock>, [JobId; 3], Events) {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    server.search(&[("phrase", "one")]).await;
    server.search(&[("phrase", "two")]).await;
    let receipt = server.search(&[("phrase", "three")]).await.receipt.0;
    let page = server.store().jobs(store::JobSelection::default(), None, 3).await.expect("the store answers");
    let [three, two, one] = page.jobs.iter().map(|job| job.id).collect::<Vec<_>>().try_into().expect("three jobs");
    let mut events = server.get(&format!("/api/receipts/{receipt}/events")).listen().await;
    assert_eq!(events.expect("message").await.json::<ReceiptState>().ahead, 2);
    (server, clock, [one, two, three], events)
}

async fn cancel(server: &TestServer, job: JobId) {
    assert!(
        server.store().cancel_job(job, server.state.clock.steady(), Some(&signed())).await.expect("the store answers")
    );
}

/// Lets the stream sleep this long, and checks that it sends nothing meanwhile.
async fn sleeps(events: &mut Events, clock: &HeldClock, length: Duration) {
    events.assert_silent_until(clock.task_sleeps_until(clock.steady().after(length))).await;
}

/// The next event of a pausing stream, after its pause of a fifth of a second.
async fn after_the_pause(events: &mut Events, clock: &HeldClock) -> ReceiptState {
    sleeps(events, clock, PAUSE).await;
    clock.advance(PAUSE);
    events.expect("message").await.json()
}

#[tokio::test]
async fn changes_are_sent_at_most_five_times_a_second() {
    let (server, clock, [one, two, _], mut events) = last_of_three().await;
    cancel(&server, one).await;
    cancel(&server, two).await;
    assert_eq!(after_the_pause(&mut events, &clock).await.ahead, 0);
}

#[tokio::test]
async fn a_failed_read_is_told_and_repeated_without_a_wake_up() {
    let (server, clock, [_, _, three], mut events) = last_of_three().await;
    cancel(&server, three).await;
    let broken = server.break_table("log").await;
    sleeps(&mut events, &clock, PAUSE).await;
    clock.advance(PAUSE);
    let until_it_asks_again = Duration::from_secs(1);
    sleeps(&mut events, &clock, until_it_asks_again).await;
    let is_current = |events: &Events| events.received.heartbeats.back().map(|heartbeat| heartbeat.is_current);
    assert_eq!(is_current(&events), Some(false), "the page is told that it may be outdated");
    broken.mend().await;
    clock.advance(until_it_asks_again);
    let event = events.expect("message").await;
    assert_eq!(event.json::<ReceiptState>().state, JobState::Cancelled);
    assert_eq!(is_current(&events), Some(true));
}

#[tokio::test]
async fn the_stream_ends_when_the_server_stops() {
    let server = TestServer::builder().without_worker().start().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    let mut events = server.get(&format!("/api/receipts/{}/events", answer.receipt.0)).listen().await;
    assert_eq!(events.expect("message").await.json::<ReceiptState>().state, JobState::Waiting);
    server.state.stop.cancel();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn an_invalid_receipt_is_not_found() {
    let server = TestServer::start().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    let receipt = answer.receipt.0;
    let other_case = receipt.to_uppercase();
    assert_ne!(other_case, receipt);
    let mut last_digit_changed = receipt.clone();
    let last = last_digit_changed.pop();
    last_digit_changed.push(if last == Some('0') { '1' } else { '0' });
    let id = answer.id.to_string();
    let cases =
        [&other_case, &last_digit_changed, &id, "%ff%fe", "..", "%00", &"0".repeat(32), "a%2Fb", &receipt[1..], "💥"];
    for wrong in cases {
        let wrong = wrong.replace('💥', "%F0%9F%92%A5");
        for path in [format!("/api/receipts/{wrong}"), format!("/api/receipts/{wrong}/events")] {
            server.get(&path).send().await.refused(404, ErrorCode::NotFound, None);
        }
    }
    server.ask(Method::POST, &format!("/api/receipts/{receipt}")).send().await.refused(
        405,
        ErrorCode::WrongMethod,
        None,
    );
}

#[tokio::test]
async fn a_receipt_reveals_its_progress_and_nothing_of_the_search() {
    let server = TestServer::start().await;
    let first = server.search(&[("phrase", "secret phrase")]).await;
    let second = server.search(&[("phrase", "secret phrase")]).await;
    server.log_with_rows(2).await;
    let Value::Object(state) = server.get(&format!("/api/receipts/{}", first.receipt.0)).send().await.ok() else {
        panic!("an object")
    };
    let mut members: Vec<&str> = state.keys().map(String::as_str).collect();
    members.sort_unstable();
    let progress =
        ["accepted_at", "ahead", "attempt", "paused", "recorded_at", "row", "spooled", "started_at", "state"];
    assert_eq!(members, progress);
    // The id begins with the time. If a receipt revealed any of it, consecutive receipts would look alike.
    let (one, other) = (&first.receipt.0, &second.receipt.0);
    let same = one.chars().zip(other.chars()).filter(|(a, b)| a == b).count();
    assert!(same < one.len() / 2, "{one} and {other} have {same} characters in common");
    assert!(!one.contains(&format!("{:032x}", first.id.0)[..10]), "the time is in the receipt");
}

#[tokio::test]
async fn an_administrator_finds_the_row_of_a_receipt() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    server.search(&[("phrase", "another")]).await;
    server.log_with_rows(2).await;
    for (receipt, found) in [(answer.receipt.0.clone(), 1), ("0123456789abcdef0123456789abcdef".to_owned(), 0)] {
        for path in ["rows", "export"] {
            let request = server.get(&format!("/api/admin/log/{path}?q=receipt:{receipt}"));
            let text = request.cookie(&admin).send().await.text();
            let rows: Vec<_> = text.lines().filter(|line| line.contains("\"phrase\"")).collect();
            assert!(rows.len() == found && rows.iter().all(|row| row.contains("hello")), "{path} {receipt}: {text}");
        }
    }
}

#[tokio::test]
async fn an_administrator_finds_the_job_of_a_receipt_without_a_row() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    let job = async |search: &str| {
        let request = server.post_json("/api/admin/jobs/find", &json!({ "search": search }));
        request.cookie(&admin).send().await.ok::<Option<JobSummary>>()
    };
    for search in [answer.receipt.0.clone(), answer.id.to_string()] {
        let waiting = job(&search).await.expect("it is accepted");
        assert_eq!((waiting.state, waiting.about.as_str()), (JobState::Waiting, "hello"));
    }
    for nothing in ["", "x", "0123456789abcdef0123456789abcdef", "01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        assert!(job(nothing).await.is_none(), "{nothing}");
    }
    let signed_out = server.post_json("/api/admin/jobs/find", &json!({ "search": "x" })).send().await;
    signed_out.refused(401, ErrorCode::SignedOut, None);
}
