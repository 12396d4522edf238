//! A disk that fills up.

use std::fs;
use std::time::Duration;

use api::Recorded;
use tests::server_process::{Installation, ServerProcess};

use crate::journal::Journal;
use crate::small_disk::SmallDisk;
use crate::table::Tables;
use crate::verdict::{all_receipts_done, assert_ledger_adds_up};
use crate::yardstick::Yardstick;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn searches_go_on_while_the_disk_is_full() {
    let installation = Installation::new();
    let disk = SmallDisk::of_mebibytes(24, installation.folder()).await;
    let installation = disk.holds(installation);
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let yardstick = Yardstick::hold_to(&installation);
    let load = journal.load(&server.client(), 4);
    for _ in 0..2 {
        disk.fill();
        journal.counts_more(Recorded::Spooled, 50).await;
        disk.free();
        journal.counts_more(Recorded::Accepted, 50).await;
    }
    load.stop().await;
    yardstick.assert_nobody_waited(&journal);
    assert_eq!(journal.count(Recorded::NotRecorded), 0, "the spool has its room already");
    assert_whole_elsewhere(&installation, server, &disk, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_is_full_too_is_said_and_nothing_that_was_promised_is_lost() {
    let installation = Installation::new();
    let disk = SmallDisk::of_mebibytes(16, installation.folder()).await;
    let installation = disk.holds(installation);
    let journal = Journal::default();
    let server = installation.start(&["--spool-mib", "1"]).await;
    disk.fill();
    let load = journal.load(&server.client(), 8);
    journal.counts_more(Recorded::NotRecorded, 50).await;
    disk.free();
    journal.counts_more(Recorded::Accepted, 50).await;
    load.stop().await;
    assert!(journal.count(Recorded::Spooled) > 0);
    assert_whole_elsewhere(&installation, server, &disk, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_finds_its_disk_full_says_so_and_loses_nothing() {
    let installation = Installation::new();
    let disk = SmallDisk::of_mebibytes(16, installation.folder()).await;
    let installation = disk.holds(installation);
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    for _ in 0..20 {
        assert!(journal.search(&server.client()).await.is_some());
    }
    server.kill().await;
    disk.fill();
    let refused = installation.run(&[]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert_eq!(refused.output.lines().count(), 1, "{}", refused.output);
    assert!(refused.output.contains("is full. Free some space and start again"), "{}", refused.output);

    disk.free();
    let server = installation.start(&[]).await;
    assert_whole_elsewhere(&installation, server, &disk, &journal).await;
}

/// The same as [`crate::verdict::assert_whole`], for a database that only the server can open where it is: its file is
/// looked at elsewhere, once the server has done all that is to do and has ended.
async fn assert_whole_elsewhere(
    installation: &Installation,
    server: ServerProcess,
    disk: &SmallDisk,
    journal: &Journal,
) {
    let client = server.client();
    for recorded in [Recorded::Accepted, Recorded::Spooled] {
        all_receipts_done(&client, journal.receipts(recorded)).await;
    }
    assert_ledger_adds_up(installation).await;
    assert!(server.terminate(PATIENCE).await.success());
    let copy = installation.folder().join("copy.db");
    fs::copy(disk.data().join("search4letters.db"), &copy).expect("the server has made its database");
    Tables::open(&copy).await.assert_logged(journal).await;
}
