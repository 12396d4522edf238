//! kill -9 under load, again and again.

use std::time::Duration;

use api::Recorded;
use tests::eventually;
use tests::server_process::Installation;
use tokio::time::sleep;

use crate::chance::chance;
use crate::extent::{Rounds, by_extent};
use crate::journal::Journal;
use crate::lock::Lock;
use crate::table::Tables;
use crate::verdict::assert_whole;

/// How many answers to wait for before each kill: early ones meet the server while it still recovers.
const KILL_AFTER: [u64; 8] = [1, 400, 30, 900, 7, 250, 1200, 90];
/// Enough that each group commit holds several, and that a kill always meets some that are not answered.
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_logged_once_though_the_server_is_killed() {
    let installation = Installation::new();
    let journal = Journal::default();
    for answers in KILL_AFTER {
        let server = installation.start(&[]).await;
        let mut load = journal.load(&server.client(), CLIENTS);
        load.answered(answers).await;
        server.kill().await;
        load.ended().await;
    }
    let answered = journal.promised().len() as u64;
    assert!(answered >= KILL_AFTER.iter().sum(), "only {answered} searches were answered");

    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_ask_again_are_logged_once_though_the_server_is_killed_at_any_moment() {
    let mut chance = chance("kill");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let journal = Journal::default();
        let load = journal.stubborn_load(&installation.client(), CLIENTS);
        for _ in 0..by_extent(12, 200) {
            let server = installation.launch(&[]);
            // Most find a server that works, the earliest one that has not got that far.
            sleep(Duration::from_millis(chance.u64(0..600))).await;
            server.kill().await;
        }
        let _server = installation.start(&[]).await;
        load.stop().await;
        assert!(journal.asked_again() > 0, "no kill has met a search that was under way");
        assert_whole(&installation, &journal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_can_be_killed_too() {
    const SEARCHES: u64 = 300;
    let mut chance = chance("recovery");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let journal = Journal::default();
        let server = installation.start(&["--log-delay", "1h"]).await;
        let mut load = journal.load(&server.client(), CLIENTS);
        load.answered(SEARCHES).await;
        server.kill().await;
        load.ended().await;
        for _ in 0..by_extent(8, 100) {
            // Each leaves orphans for the next, where it lives long enough to claim what the last one left.
            let server = installation.launch(&["--log-delay", "1h"]);
            sleep(Duration::from_millis(chance.u64(0..300))).await;
            server.kill().await;
        }
        let _server = installation.start(&[]).await;
        assert_whole(&installation, &journal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replaying_the_spool_can_be_killed_too() {
    let mut chance = chance("replay");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let journal = Journal::default();
        let server = installation.start(&[]).await;
        let lock = Lock::take(&installation.database()).await;
        let load = journal.stubborn_load(&server.client(), CLIENTS);
        journal.counts_more(Recorded::Spooled, by_extent(200, 1_000)).await;
        server.kill().await;
        lock.release().await;
        for _ in 0..by_extent(8, 100) {
            let server = installation.launch(&[]);
            sleep(Duration::from_millis(chance.u64(0..400))).await;
            server.kill().await;
        }
        let _server = installation.start(&[]).await;
        load.stop().await;
        assert_whole(&installation, &journal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_killed_server_left_running_is_written_by_the_next() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&["--log-delay", "1h"]).await;
    assert!(journal.search(&server.client()).await.is_some());
    let mut tables = Tables::open(&installation.database()).await;
    eventually("the job runs", async || tables.jobs().await.contains_key("running").then_some(())).await;
    server.kill().await;

    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
    assert_eq!(tables.number("select count(*) from attempt where outcome = 'lost'").await, 1);
}
