//! Searches continue during a database outage, and their promises are kept.

use std::time::Duration;

use api::{ErrorCode, FaultKind, HealthStatus, JobState, ReceiptState, Recorded};
use tests::eventually;

use crate::test_server::{TestServer, untimed};

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/// Short, because every spooled search waits this long.
const DEADLINE: Duration = Duration::from_millis(50);

async fn server() -> TestServer {
    TestServer::builder().accept_deadline(DEADLINE).start().await
}

/// Waits until the database accepts a search within the short deadline, which a busy disk may miss.
async fn accepts_again(server: &TestServer, phrase: &str) {
    eventually("searches are accepted again", async || {
        (server.search(&[("phrase", phrase)]).await.recorded == Recorded::Accepted).then_some(())
    })
    .await;
}

async fn receipt(server: &TestServer, receipt: &str) -> ReceiptState {
    server.get(&format!("/api/receipts/{receipt}")).send().await.ok()
}

async fn is_done(server: &TestServer, receipt_text: &str) {
    eventually("the receipt is done", async || {
        (receipt(server, receipt_text).await.state == JobState::Done).then_some(())
    })
    .await;
}

/// Waits until the spool is empty. Panics if a search is lost or duplicated.
async fn is_settled(server: &TestServer, rows: usize) {
    assert_eq!(server.log_with_rows(rows).await.len(), rows);
    eventually("the spool is empty and the ledger adds up", async || {
        let ledger = server.store().ledger().await.expect("read");
        let settled = server.state.search.ingest.spool().state().records == 0 && ledger.recorded == rows as u64;
        settled.then(|| assert_eq!(ledger.drift(), 0))
    })
    .await;
    assert_eq!(server.log().await.len(), rows);
}

#[tokio::test]
async fn while_the_database_is_locked_searches_are_spooled_and_later_logged() {
    let server = server().await;
    let lock = server.lock().await;
    let mut receipts = Vec::new();
    for number in 0..20 {
        let answer = server.search(&[("phrase", &format!("number {number}"))]).await;
        assert_eq!(answer.recorded, Recorded::Spooled);
        receipts.push(answer.receipt.0);
    }
    let waiting = receipt(&server, &receipts[7]).await;
    assert_eq!((waiting.state, waiting.attempt, waiting.row), (JobState::Waiting, 0, None));
    assert!(waiting.spooled && waiting.started_at.is_none());
    assert_eq!(server.log().await.len(), 0);
    lock.release().await;
    for receipt in &receipts {
        is_done(&server, receipt).await;
    }
    is_settled(&server, 20).await;
    accepts_again(&server, "afterwards").await;
}

#[tokio::test]
async fn a_search_is_one_search_in_the_spool_too() {
    let server = server().await;
    let lock = server.lock().await;
    let fields = [("phrase", "hello"), ("id", ID)];
    let first = server.search(&fields).await;
    assert_eq!(first.recorded, Recorded::Spooled);
    assert_eq!(untimed(server.search(&fields).await), untimed(first));
    let other = server.searching(&[("phrase", "another"), ("id", ID)]).send().await;
    other.refused(409, ErrorCode::Conflict, Some("id"));
    lock.release().await;
    is_settled(&server, 1).await;
}

#[tokio::test]
async fn a_hundred_concurrent_requests_with_one_id_are_one_spooled_search() {
    let server = server().await;
    let lock = server.lock().await;
    let answers = futures::future::join_all((0..100).map(|_| server.search(&[("phrase", "hello"), ("id", ID)]))).await;
    assert!(answers.iter().all(|answer| answer.recorded == Recorded::Spooled));
    lock.release().await;
    is_settled(&server, 1).await;
}

#[tokio::test]
async fn an_sql_error_is_reported_until_the_store_recovers() {
    let server = server().await;
    let broken = server.break_table("job_count").await;
    let answer = server.search(&[("phrase", "hello")]).await;
    assert_eq!((answer.text.as_str(), answer.recorded), ("{'e', 'o'}", Recorded::Spooled));
    let ready = server.get("/readyz").send().await;
    assert_eq!(ready.status, 503);
    let text = ready.text();
    assert!(text.starts_with("SqlError: Is your query correct?"), "{text}");
    assert!(!text.contains("job_count") && text.contains("kept in the spool: 1"), "{text}");
    let fault = server.state.search.ingest.watch().fault().expect("it is known");
    assert_eq!(fault.error.kind(), FaultKind::SqlError);
    broken.mend().await;
    is_settled(&server, 1).await;
    assert_eq!(server.get("/readyz").send().await.status, 200);
}

#[tokio::test]
async fn a_full_spool_is_reported_and_earlier_searches_are_kept() {
    let server = server().await;
    let admin = server.admin().await;
    let lock = server.lock().await;
    let phrase = "x".repeat(9_000);
    let mut kept = 0;
    while server.search(&[("phrase", &phrase)]).await.recorded == Recorded::Spooled {
        kept += 1;
    }
    assert!(kept >= 5, "{kept}");
    let state: api::SystemState =
        server.post_json("/api/admin/system/show", &serde_json::json!({})).cookie(&admin).send().await.ok();
    assert_eq!((state.health.light, state.spool.not_recorded), (HealthStatus::Failing, 1));
    assert!(server.get("/readyz").send().await.text().contains("not recorded"));
    lock.release().await;
    is_settled(&server, kept).await;
    accepts_again(&server, &phrase).await;
}

#[tokio::test]
async fn a_spooled_record_with_a_used_id_is_quarantined_and_reported() {
    let server = server().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "first"), ("id", ID)]).await;
    server.log_with_rows(1).await;
    let lock = server.lock().await;
    // The database is unreachable, so the conflict is still unknown.
    assert_eq!(server.search(&[("phrase", "second"), ("id", ID)]).await.recorded, Recorded::Spooled);
    lock.release().await;
    is_settled(&server, 1).await;
    assert_eq!(server.log().await[0].phrase, "first");
    let show = server.post_json("/api/admin/system/show", &serde_json::json!({})).cookie(&admin);
    let state: api::SystemState = show.send().await.ok();
    assert_eq!((state.spool.quarantined, state.health.light), (1, HealthStatus::Degraded));
    let file = state.spool.quarantine_file.expect("it is named");
    assert!(std::fs::read_to_string(file).expect("it can be read").contains("second"));
}

#[tokio::test]
async fn a_spool_that_was_removed_is_noticed_before_it_is_needed() {
    let server = server().await;
    let folder = server.folder.path().join("spool");
    std::fs::rename(&folder, server.folder.path().join("away")).expect("our own folder");
    let lines = server.get("/readyz").send().await.text();
    assert!(lines.starts_with("ready\nThe spool cannot help out"), "{lines}");
    assert!(lines.contains("put it back, or restart"), "{lines}");
    std::fs::rename(server.folder.path().join("away"), &folder).expect("our own folder");
    assert_eq!(server.get("/readyz").send().await.text(), "ready\n");
}
