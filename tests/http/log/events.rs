//! New rows as events, after which a browser resumes, until the session ends.

use std::sync::Arc;
use std::time::Duration;

use api::{ErrorCode, JobCounts, LogRow, LogSeq, Role, TimeMs};
use serde_json::json;
use store::Clock;
use tests::HeldClock;

use crate::request::{Events, TestRequest};
use crate::test_server::TestServer;
use crate::test_server::write_log;

fn listen(server: &TestServer, admin: &str, query: &str) -> TestRequest {
    server.get(&format!("/api/admin/log/events{query}")).cookie(admin)
}

async fn next_row(events: &mut Events) -> LogRow {
    let event = events.expect("row").await;
    let row: LogRow = event.json();
    assert_eq!(event.id, Some(row.seq.0.to_string()));
    row
}

/// The row through which the log is complete, from the event's data and id.
async fn through(events: &mut Events) -> LogSeq {
    let event = events.expect("through").await;
    assert_eq!(event.id.as_deref(), Some(event.data.as_str()));
    event.json()
}

#[tokio::test]
async fn an_empty_log_is_complete_at_once() {
    let server = TestServer::start().await;
    let mut events = listen(&server, &server.admin().await, "").listen().await;
    assert_eq!(through(&mut events).await, LogSeq(0));
    let answer = server.search(&[("phrase", "hello")]).await;
    let row = next_row(&mut events).await;
    assert_eq!((row.search_id, row.phrase.as_str()), (answer.id, "hello"));
    assert_eq!(through(&mut events).await, row.seq);
}

#[tokio::test]
async fn rows_arrive_in_order_without_gaps_or_duplicates() {
    let server = TestServer::start().await;
    let mut events = listen(&server, &server.admin().await, "").listen().await;
    assert_eq!(through(&mut events).await, LogSeq(0));
    let count = 200;
    let phrases: Vec<String> = (0..count).map(|number| format!("number {number}")).collect();
    futures::future::join_all(phrases.iter().map(async |phrase| server.search(&[("phrase", phrase)]).await)).await;
    let mut seqs = Vec::new();
    while seqs.len() < count {
        let event = events.next().await.expect("the stream goes on");
        match event.name.as_str() {
            "row" => seqs.push(event.json::<LogRow>().seq),
            _ => assert_eq!(Some(&event.json::<LogSeq>()), seqs.last(), "complete through the last row that came"),
        }
    }
    let expected: Vec<LogSeq> = server.log().await.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, expected);
}

#[tokio::test]
async fn a_reconnected_reader_gets_exactly_the_missed_rows() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let seqs = write_log(&server, (0..1_200).map(|number| number.to_string())).await;
    let from = seqs[99];
    for request in [
        listen(&server, &admin, &format!("?after={}", from.0)),
        listen(&server, &admin, "").header("last-event-id", from.0.to_string()),
        listen(&server, &admin, "?after=3").header("last-event-id", from.0.to_string()),
        listen(&server, &admin, &format!("?after={}", from.0)).header("last-event-id", "nonsense"),
    ] {
        let mut events = request.listen().await;
        for expected in &seqs[100..] {
            let event = loop {
                let event = events.next().await.expect("the stream goes on");
                if event.name == "row" {
                    break event;
                }
            };
            assert_eq!(event.json::<LogRow>().seq, *expected);
        }
        assert_eq!(through(&mut events).await, *seqs.last().expect("1,200 rows"));
    }
}

#[tokio::test]
async fn rows_hidden_by_the_filter_count_as_complete() {
    let server = TestServer::builder().without_worker().start().await;
    write_log(&server, ["apple", "pear", "pineapple", "plum"]).await;
    let mut events = listen(&server, &server.admin().await, "?q=APPLE").listen().await;
    assert_eq!(next_row(&mut events).await.phrase, "apple");
    assert_eq!(next_row(&mut events).await.phrase, "pineapple");
    assert_eq!(through(&mut events).await, LogSeq(4));
    write_log(&server, ["cherry"]).await;
    assert_eq!(through(&mut events).await, LogSeq(5), "also where no text is shown");
    write_log(&server, ["apples"]).await;
    assert_eq!(next_row(&mut events).await.seq, LogSeq(6));
}

#[tokio::test]
async fn a_reader_ahead_of_a_restored_log_still_gets_new_rows() {
    let server = TestServer::builder().without_worker().start().await;
    write_log(&server, ["one", "two"]).await;
    // Simulates a database that was restored from a backup: the reader has seen rows that it no longer has.
    let mut events = listen(&server, &server.admin().await, "?after=1000").listen().await;
    assert_eq!(through(&mut events).await, LogSeq(2));
    write_log(&server, ["three"]).await;
    assert_eq!(next_row(&mut events).await.phrase, "three");
}

#[tokio::test]
async fn a_reader_is_told_of_a_log_that_is_restored_beside_it() {
    let server = TestServer::builder().without_worker().start().await;
    write_log(&server, ["one", "two", "three"]).await;
    let mut events = listen(&server, &server.admin().await, "?after=3").listen().await;
    assert_eq!(through(&mut events).await, LogSeq(3));
    server.tamper("delete from log where id > 1").await;
    server.tamper("update sqlite_sequence set seq = 1 where name = 'log'").await;
    write_log(&server, ["instead of two"]).await;
    assert_eq!(through(&mut events).await, LogSeq(2), "the page reads these rows again");
    write_log(&server, ["instead of three"]).await;
    assert_eq!(next_row(&mut events).await.phrase, "instead of three");
}

#[tokio::test]
async fn the_stream_ends_when_the_server_stops() {
    let server = TestServer::builder().without_worker().start().await;
    let mut events = listen(&server, &server.admin().await, "").listen().await;
    through(&mut events).await;
    server.state.stop.cancel();
    assert_eq!(events.next().await, None);
}

/// The interval between checks of the session.
const SESSION_CHECK: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A server with a held clock, an administrator's session, and its stream of the log.
async fn watched() -> (TestServer, Arc<HeldClock>, String, Events) {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let cookie = server.session_of(Role::Viewer).await;
    let mut events = server.get("/api/admin/log/events").cookie(&cookie).listen().await;
    events.expect("through").await;
    (server, clock, cookie, events)
}

async fn row_comes(server: &TestServer, events: &mut Events, phrase: &str) {
    write_log(server, [phrase]).await;
    assert_eq!(events.expect("row").await.json::<LogRow>().phrase, phrase);
    events.expect("through").await;
}

async fn log_out(server: &TestServer, cookie: &str) {
    server.post_json("/api/logout", &json!({})).cookie(cookie).send().await.ok::<()>();
}

#[tokio::test]
async fn nothing_is_sent_after_the_logout() {
    let (server, clock, cookie, mut events) = watched().await;
    clock.advance(SESSION_CHECK);
    row_comes(&server, &mut events, "before").await;
    log_out(&server, &cookie).await;
    clock.advance(SESSION_CHECK);
    write_log(&server, ["after"]).await;
    assert_eq!(events.next().await, None);
    let again = server.get("/api/admin/log/events").cookie(&cookie).send().await;
    again.refused(401, ErrorCode::SignedOut, None);
}

#[tokio::test]
async fn an_open_stream_does_not_prolong_the_session() {
    let (server, clock, _, mut events) = watched().await;
    for hour in 0..11 {
        clock.advance(HOUR);
        row_comes(&server, &mut events, &format!("hour {hour}")).await;
    }
    clock.advance(HOUR);
    write_log(&server, ["twelve hours without a click"]).await;
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn counts_end_with_the_session_too() {
    let (server, clock, cookie, _) = watched().await;
    let mut events = server.get("/api/admin/jobs/events").cookie(&cookie).listen().await;
    assert_eq!(events.expect("counts").await.json::<JobCounts>(), JobCounts::default());
    events.expect("kinds").await;
    log_out(&server, &cookie).await;
    // The new counts and a heartbeat are both due after this pause. The first of them meets the ended session.
    server.search(&[("phrase", "hello")]).await;
    clock.advance(SESSION_CHECK);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn nothing_is_sent_while_the_session_cannot_be_checked() {
    let (server, clock, _, mut events) = watched().await;
    clock.advance(SESSION_CHECK);
    let broken = server.break_table("session").await;
    write_log(&server, ["hello"]).await;
    let until_it_asks_again = Duration::from_secs(1);
    events.assert_silent_until(clock.task_sleeps_until(clock.steady().after(until_it_asks_again))).await;
    broken.mend().await;
    clock.advance(until_it_asks_again);
    assert_eq!(events.expect("row").await.json::<LogRow>().phrase, "hello");
}
