//! SIGTERM: what a deploy does.

use std::time::Duration;

use tests::eventually;
use tests::server_process::Installation;
use tokio::time::Instant;

use crate::chance::chance;
use crate::extent::{Rounds, by_extent};
use crate::journal::Journal;
use crate::table::Tables;
use crate::verdict::assert_whole;

/// Far above the grace time of these tests, far below the delay of their jobs.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_outlive_the_grace_time_go_back_to_waiting_at_once() {
    const SEARCHES: i64 = 20;
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&["--log-delay", "1h", "--grace", "1s"]).await;
    for _ in 0..SEARCHES {
        assert!(journal.search(&server.client()).await.is_some());
    }
    let mut tables = Tables::open(&installation.database()).await;
    eventually("all jobs run", async || (tables.jobs().await.get("running") == Some(&SEARCHES)).then_some(())).await;

    let asked = Instant::now();
    let ended = server.terminate(PATIENCE).await;
    assert!(ended.success(), "{ended:?}");
    assert!(asked.elapsed() >= Duration::from_secs(1), "running jobs were not given their grace time");
    assert_eq!(tables.jobs().await, [("waiting".to_owned(), SEARCHES)].into(), "nobody has to find out who held them");
    assert_eq!(tables.number("select count(*) from attempt where outcome <> 'released'").await, 0);

    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_end_within_the_grace_time_are_written_before_the_server_ends() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&["--log-delay", "2s", "--grace", "15s"]).await;
    assert!(journal.search(&server.client()).await.is_some());
    let mut tables = Tables::open(&installation.database()).await;
    eventually("the job runs", async || tables.jobs().await.contains_key("running").then_some(())).await;

    assert!(server.terminate(PATIENCE).await.success());
    assert_eq!(tables.jobs().await, [("done".to_owned(), 1)].into());
    tables.assert_logged(&journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_after_deploy_under_load_ends_well_and_loses_nothing() {
    let mut chance = chance("deploys");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let journal = Journal::default();
        let mut load = journal.stubborn_load(&installation.client(), 8);
        for _ in 0..by_extent(6, 100) {
            let server = installation.start(&["--log-delay", "20ms"]).await;
            load.answered_more(chance.u64(1..400)).await;
            let ended = server.terminate(PATIENCE).await;
            assert!(ended.success(), "{ended:?}");
        }
        let _server = installation.start(&[]).await;
        load.stop().await;
        assert!(journal.asked_again() > 0, "nobody has noticed the deploys");
        assert_whole(&installation, &journal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_that_are_being_answered_are_answered() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let mut load = journal.load(&server.client(), 8);
    load.answered(100).await;
    assert!(server.terminate(PATIENCE).await.success());
    load.ended().await;

    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}
