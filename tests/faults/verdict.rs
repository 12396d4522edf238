//! Checks that hold for every installation once its faults are over.

use std::time::Duration;

use api::{FaultKind, JobState, Receipt, ReceiptState, SystemState};
use serde_json::json;
use tests::http_client::HttpClient;
use tests::server_process::Installation;
use tests::{eventually, within};

use crate::client_log::ClientLog;
use crate::tables::Tables;

/// How long the server may take to empty its spool, and to notice that its database is back.
const SETTLES: Duration = Duration::from_secs(30);

/// Waits until the running server has done its jobs. Panics unless each promised row is in the log once and the server's
/// counts agree.
pub(crate) async fn assert_complete(installation: &Installation, client_log: &ClientLog) {
    let mut tables = Tables::open(&installation.database()).await;
    assert_promises_kept(&mut tables, installation, client_log).await;
}

/// The same for either database.
pub(crate) async fn assert_promises_kept(tables: &mut Tables, installation: &Installation, client_log: &ClientLog) {
    tables.all_promises_kept(client_log).await;
    tables.assert_logged(client_log).await;
    tables.assert_job_counts_match().await;
    assert_ledger_adds_up(installation).await;
}

/// Panics unless an administrator sees that no accepted search is missing or doubled.
pub(crate) async fn assert_ledger_adds_up(installation: &Installation) {
    let client = administrator(installation).await;
    // A search on its way from the spool to the database may briefly be counted in both.
    let mut last = None;
    let adds_up = within(SETTLES, async || {
        let answer = client.post_json("/api/admin/system/show", &json!({})).await.expect("the server answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let state: SystemState = answer.json();
        let adds_up = state.ledger.is_some_and(|ledger| ledger.drift() == 0) && state.missing.is_empty();
        last = Some((state.ledger, state.missing));
        adds_up.then_some(())
    });
    assert!(adds_up.await.is_some(), "after {SETTLES:?} the ledger does not add up: {last:?}");
}

/// A client with a new administrator's session.
pub(crate) async fn administrator(installation: &Installation) -> HttpClient {
    let link = installation.run(&["admin", "link"]).await;
    let token = link.output.split_once("token=").and_then(|(_, rest)| rest.split_whitespace().next());
    let token = token.unwrap_or_else(|| panic!("no link in:\n{}", link.output));
    let mut client = installation.client();
    client.set_up(token, &format!("judge-{}", &token[..8]), "a passphrase of some length").await;
    client
}

/// Waits until each receipt shows that its row is written.
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

/// Waits until the server is ready.
pub(crate) async fn ready(client: &HttpClient) {
    eventually("the server is ready again", async || {
        client.get("/readyz").await.ok().filter(|answer| answer.status == 200).map(drop)
    })
    .await;
}

/// Waits until the server is not ready, with this fault and its advice.
pub(crate) async fn unready(client: &HttpClient, fault: FaultKind) {
    eventually("the server says what is wrong", async || {
        let answer = client.get("/readyz").await.ok().filter(|answer| answer.status == 503)?;
        (answer.body.contains(fault.as_str()) && answer.body.contains(fault.advice())).then_some(())
    })
    .await;
}

/// A stopped installation with some rows.
pub(crate) async fn used() -> (Installation, ClientLog) {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let mut load = client_log.load(&server.client(), 4);
    load.answered(200).await;
    load.stop().await;
    assert_complete(&installation, &client_log).await;
    assert!(server.terminate(Duration::from_secs(20)).await.success());
    (installation, client_log)
}

/// The one line with which a process has ended. A server says first which data folder it uses.
pub(crate) fn only_reason(output: &str) -> &str {
    let mut lines = output.lines().filter(|line| !line.starts_with("data folder: "));
    let reason = lines.next().unwrap_or_else(|| panic!("no reason in:\n{output}"));
    assert_eq!(lines.next(), None, "more than a reason in:\n{output}");
    reason
}

/// Panics unless the command fails with one sentence that says `what` is wrong and names the `fix`.
pub(crate) async fn refused(installation: &Installation, command: &[&str], what: &str, fix: &str) {
    let ended = installation.run(command).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let reason = only_reason(&ended.output);
    assert!(reason.contains(what) && reason.contains(fix), "{reason}");
}
