//! kill -9 under load, again and again.

use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;

/// How many answers to wait for before each kill: early ones meet the server while it still recovers.
const KILL_AFTER: [u64; 8] = [1, 400, 30, 900, 7, 250, 1200, 90];
/// Enough that each group commit holds several, and that a kill always meets some that are not answered.
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_logged_once_though_the_server_is_killed() {
    let mut installation = Installation::new();
    let journal = Journal::default();
    for answers in KILL_AFTER {
        let server = installation.start(&[]).await;
        let mut load = journal.load(&server.client(), CLIENTS);
        load.answered(answers).await;
        server.kill().await;
        load.ended().await;
    }
    let answered = journal.answered().len() as u64;
    assert!(answered >= KILL_AFTER.iter().sum(), "only {answered} searches were answered");

    let _server = installation.start(&[]).await;
    let mut tables = Tables::open(&installation.database()).await;
    tables.all_jobs_done().await;
    tables.assert_logged(&journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_killed_server_left_running_is_written_by_the_next() {
    let mut installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&["--log-delay", "1h"]).await;
    assert!(journal.search(&server.client()).await);
    let mut tables = Tables::open(&installation.database()).await;
    tests::eventually::eventually("the job runs", async || tables.jobs().await.contains_key("running").then_some(()))
        .await;
    server.kill().await;

    let _server = installation.start(&[]).await;
    tables.all_jobs_done().await;
    tables.assert_logged(&journal).await;
    assert_eq!(tables.number("select count(*) from attempt where outcome = 'lost'").await, 1);
}
