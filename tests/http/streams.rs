//! What every event stream says about itself: that it lives, and how it ended.

use std::sync::Arc;
use std::time::Duration;

use api::{Heartbeat, JobState, ReceiptState, Role, StreamEnd, TimeMs};
use serde_json::json;
use store::Clock;
use tests::HeldClock;

use crate::request::Events;
use crate::test_server::TestServer;

const START: TimeMs = TimeMs(1_700_000_000_000);
const EVERY: Duration = Duration::from_secs(3);

async fn held() -> (TestServer, Arc<HeldClock>) {
    let clock = Arc::new(HeldClock::at(START));
    (TestServer::builder().clock(clock.clone()).without_worker().start().await, clock)
}

fn beat(seconds: u64, is_current: bool) -> Heartbeat {
    Heartbeat { every_ms: 3_000, now: START.after(Duration::from_secs(seconds)), is_current }
}

#[tokio::test]
async fn a_quiet_stream_shows_that_it_lives() {
    let (server, clock) = held().await;
    let cookie = server.session_of(Role::Viewer).await;
    let receipt = server.search(&[("phrase", "hello")]).await.receipt.0;
    for (path, first) in [
        ("/api/admin/log/events".to_owned(), "through"),
        ("/api/admin/jobs/events".to_owned(), "counts"),
        (format!("/api/receipts/{receipt}/events"), "message"),
    ] {
        let seconds = u64::try_from(clock.steady().since(START) / 1_000).expect("not negative");
        let (_, headers, body) = server.get(&path).cookie(&cookie).open().await;
        assert_eq!(headers["x-accel-buffering"], "no", "{path}");
        let mut events = Events::of(body);
        assert_eq!(events.heartbeat().await, beat(seconds, true), "{path}");
        events.expect(first).await;
        if first == "counts" {
            events.expect("kinds").await;
        }
        for count in 1..3 {
            events.assert_silent_until(clock.task_sleeps_until(clock.steady().after(EVERY))).await;
            clock.advance(EVERY);
            assert_eq!(events.heartbeat().await, beat(seconds + 3 * count, true), "{path}");
        }
    }
}

#[tokio::test]
async fn a_complete_stream_is_not_opened_again() {
    let server = TestServer::start().await;
    let receipt = server.search(&[("phrase", "hello")]).await.receipt.0;
    let path = format!("/api/receipts/{receipt}/events");
    let mut events = server.get(&path).listen().await;
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.json::<ReceiptState>().state);
    }
    assert_eq!((last, events.received.end), (Some(JobState::Done), Some(StreamEnd::Complete)));
    let again = server.get(&path).header("last-event-id", StreamEnd::COMPLETE_ID).send().await;
    assert_eq!((again.status.as_u16(), again.text().as_str()), (204, ""));
    let mut anew = server.get(&path).listen().await;
    assert_eq!(anew.expect("message").await.json::<ReceiptState>().state, JobState::Done, "a new page wants to know");
}

#[tokio::test]
async fn a_quiet_stream_ends_with_its_session() {
    let (server, clock) = held().await;
    let cookie = server.session_of(Role::Viewer).await;
    let mut events = server.get("/api/admin/log/events").cookie(&cookie).listen().await;
    events.expect("through").await;
    server.post_json("/api/logout", &json!({})).cookie(&cookie).send().await.ok::<()>();
    // Every other heartbeat checks the session.
    clock.advance(2 * EVERY);
    assert_eq!(events.next().await, None);
    assert_eq!(events.received.end, Some(StreamEnd::SignedOut));
}

#[tokio::test]
async fn a_stream_lives_on_while_its_session_cannot_be_looked_up() {
    let (server, clock) = held().await;
    let cookie = server.session_of(Role::Viewer).await;
    let (_, _, body) = server.get("/api/admin/log/events").cookie(&cookie).open().await;
    let mut events = Events::of(body);
    assert_eq!(events.heartbeat().await, beat(0, true));
    events.expect("through").await;
    let broken = server.break_table("session").await;
    for count in 1..4 {
        events.assert_silent_until(clock.task_sleeps_until(clock.steady().after(EVERY))).await;
        clock.advance(EVERY);
        assert_eq!(events.heartbeat().await, beat(3 * count, true));
    }
    broken.mend().await;
    server.post_json("/api/logout", &json!({})).cookie(&cookie).send().await.ok::<()>();
    events.assert_silent_until(clock.task_sleeps_until(clock.steady().after(EVERY))).await;
    clock.advance(EVERY);
    assert_eq!(events.next().await, None);
    assert_eq!(events.received.end, Some(StreamEnd::SignedOut));
}

#[tokio::test]
async fn a_stream_says_that_the_server_stops() {
    let (server, _) = held().await;
    let receipt = server.search(&[("phrase", "hello")]).await.receipt.0;
    let mut events = server.get(&format!("/api/receipts/{receipt}/events")).listen().await;
    events.expect("message").await;
    server.state.stop.cancel();
    assert_eq!(events.next().await, None);
    assert_eq!(events.received.end, Some(StreamEnd::Stopping));
}
