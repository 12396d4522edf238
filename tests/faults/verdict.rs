//! What is true of every installation once its troubles are over.

use std::time::Duration;

use api::{JobState, Receipt, ReceiptState};
use tests::eventually::eventually;
use tests::http_client::HttpClient;
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;

/// Nobody who searches waits longer, whatever the database does: the quarter of a second after which the server
/// turns to its spool, and what a busy machine may take for all else. Less than SQLite's patience of 5 s.
pub(crate) const SLOWEST_ANSWER: Duration = Duration::from_millis(250 + 2_000);

/// Waits until the running server has done all that is to do. Panics unless each promised row stands in the log once.
pub(crate) async fn assert_whole(installation: &Installation, journal: &Journal) {
    let mut tables = Tables::open(&installation.database()).await;
    tables.all_promises_kept(journal).await;
    tables.assert_logged(journal).await;
}

/// Waits until each receipt says that its row is written.
pub(crate) async fn all_receipts_done(client: &HttpClient, receipts: Vec<Receipt>) {
    for receipt in receipts {
        eventually("a receipt says that its row is written", async || {
            let answer = client.get(&format!("/api/receipts/{}", receipt.0)).await.expect("the server answers");
            let state: ReceiptState = answer.json();
            (state.state == JobState::Done && state.row.is_some()).then_some(())
        })
        .await;
    }
}

/// Waits until the server says that it can work.
pub(crate) async fn ready(client: &HttpClient) {
    eventually("the server is ready again", async || {
        client.get("/readyz").await.ok().filter(|answer| answer.status == 200).map(drop)
    })
    .await;
}

/// Waits until the server says that it cannot work, because of this, and what to do about it.
pub(crate) async fn unready(client: &HttpClient, fault: &str) {
    eventually("the server says what is wrong", async || {
        let answer = client.get("/readyz").await.ok().filter(|answer| answer.status == 503)?;
        answer.body.contains(fault).then_some(())
    })
    .await;
}
