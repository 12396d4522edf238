//! The ledger of all searches, as every visitor may read it.

use std::sync::Arc;
use std::time::Duration;

use api::{PublicLedger, TimeMs};
use serde_json::json;
use tests::{HeldClock, eventually};

use crate::test_server::TestServer;

async fn ledger(server: &TestServer) -> Option<PublicLedger> {
    server.post_json("/api/ledger", &json!({})).send().await.ok()
}

#[tokio::test]
async fn each_search_is_in_one_place() {
    let server = TestServer::start().await;
    for phrase in ["one", "two", "three"] {
        server.search(&[("phrase", phrase)]).await;
    }
    server.log_with_rows(3).await;
    let settled = PublicLedger { accepted: 3, in_the_log: 3, being_written: 0, held: 0, lost: 0 };
    eventually("the ledger has them", async || (ledger(&server).await == Some(settled)).then_some(())).await;
}

#[tokio::test]
async fn what_waits_is_being_written() {
    let server = TestServer::builder().without_worker().start().await;
    server.search(&[("phrase", "one")]).await;
    let waiting = PublicLedger { accepted: 1, in_the_log: 0, being_written: 1, held: 0, lost: 0 };
    eventually("the ledger has it", async || (ledger(&server).await == Some(waiting)).then_some(())).await;
}

#[tokio::test]
async fn what_the_spool_keeps_is_being_written() {
    let server = TestServer::start().await;
    let lock = server.lock().await;
    server.search(&[("phrase", "one")]).await;
    // SQLite is read beside a writer.
    let spooled = PublicLedger { accepted: 1, in_the_log: 0, being_written: 1, held: 0, lost: 0 };
    eventually("the ledger has it", async || (ledger(&server).await == Some(spooled)).then_some(())).await;
    lock.release().await;
}

#[tokio::test]
async fn a_closed_lab_shows_no_ledger() {
    let server = TestServer::builder().without_lab().start().await;
    server.search(&[("phrase", "one")]).await;
    assert_eq!(ledger(&server).await, None);
}

#[tokio::test]
async fn one_reading_serves_for_a_second() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    server.search(&[("phrase", "one")]).await;
    assert_eq!(ledger(&server).await.map(|ledger| ledger.accepted), Some(1));
    server.search(&[("phrase", "two")]).await;
    assert_eq!(ledger(&server).await.map(|ledger| ledger.accepted), Some(1));
    clock.advance(Duration::from_secs(1));
    assert_eq!(ledger(&server).await.map(|ledger| ledger.accepted), Some(2));
}
