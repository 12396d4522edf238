//! A database server that crashes, and one whose administrator ends connections.

use std::time::Duration;

use api::Recorded;
use tokio::time::sleep;

use super::reader::Reader;
use super::site::{Site, WEB};
use crate::chance::chance;
use crate::extent::by_extent;
use crate::journal::Journal;
use crate::verdict::{administrator, ready};
use crate::yardstick::Yardstick;

const CLIENTS: usize = 4;
const WORKER: &[&str] = &["--log-delay", "20ms"];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_crashes_again_and_again_loses_nothing_and_nobody_waits() {
    let mut chance = chance("postgres restart");
    let site = Site::alone(&[]).await;
    let journal = Journal::default();
    let (at_web, at_worker) = (site.place(), site.place());
    let web = at_web.start(WEB).await;
    let mut worker = at_worker.start_worker(WORKER).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let yardstick = Yardstick::hold_to(&at_web);
    let mut load = journal.load(&web.client(), CLIENTS);
    for _ in 0..by_extent(3, 40) {
        load.answered_more(chance.u64(1..200)).await;
        site.cluster().stop_immediately().await;
        journal.counts_more(Recorded::Spooled, 20).await;
        sleep(Duration::from_millis(chance.u64(0..1_500))).await;
        site.cluster().start().await;
        journal.counts_more(Recorded::Accepted, 20).await;
    }
    load.stop().await;
    yardstick.assert_nobody_waited(&journal);
    assert_eq!(journal.count(Recorded::NotRecorded), 0);
    ready(&web.client()).await;
    worker.assert_running();
    site.assert_whole(&at_web, &journal).await;
    reader.has_read_all(&mut site.tables().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_ended_from_outside_one_by_one_lose_nothing() {
    let site = Site::new().await;
    let journal = Journal::default();
    let (at_web, at_worker) = (site.place(), site.place());
    let web = at_web.start(WEB).await;
    let mut worker = at_worker.start_worker(WORKER).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let mut load = journal.load(&web.client(), CLIENTS);
    load.answered(50).await;
    let backends = format!(
        "select pid::bigint from pg_stat_activity where datname = '{}' and application_name like 'search4letters%'",
        site.database().name()
    );
    let mut administrator = site.tables().await;
    let mut ended = 0;
    for _ in 0..by_extent(3, 30) {
        // Those that listen among them.
        for pid in administrator.numbers(&backends).await {
            administrator.text(&format!("select pg_terminate_backend({pid})::text")).await;
            ended += 1;
            load.answered_more(5).await;
        }
        site.database().terminate_backends().await;
        administrator = site.tables().await;
        load.answered_more(50).await;
    }
    println!("{ended} connections ended one by one");
    assert!(ended >= 6, "two pools and two that listen were to be ended");
    load.stop().await;
    assert_eq!(journal.count(Recorded::NotRecorded), 0);
    ready(&web.client()).await;
    worker.assert_running();
    site.assert_whole(&at_web, &journal).await;
    reader.has_read_all(&mut site.tables().await).await;
}
