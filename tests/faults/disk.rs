//! A disk that fails, is slow, or is full.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use api::Recorded;
use tests::server_process::{Installation, ServerProcess};

use crate::client_log::{ClientLog, LatencyBaseline};
use crate::disk_faults::{Fault, SmallDisk};
use crate::tables::Tables;
use crate::verdict::{all_receipts_done, assert_complete, assert_ledger_adds_up, only_reason};

const WRITES: &str = "write,pwrite64,writev,pwritev";

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_synced_loses_nothing() {
    the_database_fails("fsync,fdatasync:error=EIO").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_written_loses_nothing() {
    the_database_fails(&format!("{WRITES}:error=EIO")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room_loses_nothing() {
    the_database_fails(&format!("{WRITES}:error=ENOSPC")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_syncs_slowly_delays_no_search() {
    the_database_fails("fsync,fdatasync:delay_enter=2s").await;
}

/// The database's files fail; the spool's files do not.
async fn the_database_fails(how: &str) {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let baseline = LatencyBaseline::measure(&installation);
    let mut load = client_log.load(&server.client(), 4);
    load.answered_more(50).await;
    let fault = Fault::inject(&server, how, &database_files(&installation), installation.folder()).await;
    client_log.counts_more(Recorded::Spooled, 40).await;
    fault.lift().await;
    client_log.counts_more(Recorded::Accepted, 20).await;
    baseline.assert_no_client_waited(&client_log);
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);

    // The fault may have left traces in the files that only the next process reads.
    server.kill().await;
    load.ended().await;
    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_its_disk_fails_keeps_its_promises() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let load = client_log.load(&server.client(), 4);
    let files = database_files(&installation);
    let fault = Fault::inject(&server, "fsync,fdatasync:error=EIO", &files, installation.folder()).await;
    client_log.counts_more(Recorded::Spooled, 40).await;
    server.kill().await;
    load.ended().await;
    drop(fault);
    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn if_database_and_spool_fail_the_answer_says_so() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let load = client_log.load(&server.client(), 4);
    let mut files = database_files(&installation);
    files.push(installation.folder().join("spool/records"));
    let fault = Fault::inject(&server, "fsync,fdatasync:error=EIO", &files, installation.folder()).await;
    // After these, no search is in progress that began before both failed.
    client_log.counts_more(Recorded::NotRecorded, 40).await;
    let promised = client_log.promised().len();
    client_log.counts_more(Recorded::NotRecorded, 20).await;
    assert_eq!(client_log.promised().len(), promised, "a promise was made while nothing could be stored");
    fault.lift().await;
    client_log.counts_more(Recorded::Accepted, 20).await;
    server.kill().await;
    load.ended().await;
    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

fn database_files(installation: &Installation) -> Vec<PathBuf> {
    let database = installation.database();
    ["", "-wal"].iter().map(|ending| PathBuf::from(format!("{}{ending}", database.display()))).collect()
}

const END_TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn searches_continue_while_the_disk_is_full() {
    let installation = Installation::new();
    let disk = SmallDisk::of_mebibytes(24, installation.folder()).await;
    let installation = disk.holds(installation);
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let baseline = LatencyBaseline::measure(&installation);
    let load = client_log.load(&server.client(), 4);
    for _ in 0..2 {
        disk.fill();
        client_log.counts_more(Recorded::Spooled, 50).await;
        disk.free();
        client_log.counts_more(Recorded::Accepted, 50).await;
    }
    load.stop().await;
    baseline.assert_no_client_waited(&client_log);
    assert_eq!(client_log.count(Recorded::NotRecorded), 0, "the spool has its room already");
    assert_complete_in_copy(&installation, server, &disk, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_continue_while_no_file_may_grow() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let mut server = installation.start(&["--spool-mib", "1"]).await;
    let load = client_log.load(&server.client(), 4);
    // The spool has its size already, and the write-ahead log reaches this one soon.
    server.limit_file_size(Some(2 << 20));
    client_log.counts_more(Recorded::Spooled, 50).await;
    server.assert_running();
    server.limit_file_size(None);
    client_log.counts_more(Recorded::Accepted, 50).await;
    load.stop().await;
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_is_reported_and_no_promise_is_lost() {
    let installation = Installation::new();
    let disk = SmallDisk::of_mebibytes(16, installation.folder()).await;
    let installation = disk.holds(installation);
    let client_log = ClientLog::default();
    let server = installation.start(&["--spool-mib", "1"]).await;
    disk.fill();
    let load = client_log.load(&server.client(), 8);
    client_log.counts_more(Recorded::NotRecorded, 50).await;
    disk.free();
    client_log.counts_more(Recorded::Accepted, 50).await;
    load.stop().await;
    assert!(client_log.count(Recorded::Spooled) > 0);
    assert_complete_in_copy(&installation, server, &disk, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_on_a_full_disk_says_so_and_loses_nothing() {
    let installation = Installation::new();
    let disk = SmallDisk::of_mebibytes(16, installation.folder()).await;
    let installation = disk.holds(installation);
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    for _ in 0..20 {
        assert!(client_log.search(&server.client()).await.is_some());
    }
    server.kill().await;
    disk.fill();
    let refused = installation.run(&[]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert!(only_reason(&refused.output).contains("is full. Free some space and start again"), "{}", refused.output);

    disk.free();
    let server = installation.start(&[]).await;
    assert_complete_in_copy(&installation, server, &disk, &client_log).await;
}

/// The same as [`crate::verdict::assert_complete`], for a database that only the server can open in place. After the
/// server has done all jobs and ended, a copy of the file is checked.
async fn assert_complete_in_copy(
    installation: &Installation,
    server: ServerProcess,
    disk: &SmallDisk,
    client_log: &ClientLog,
) {
    let client = server.client();
    for recorded in [Recorded::Accepted, Recorded::Spooled] {
        all_receipts_done(&client, client_log.receipts(recorded)).await;
    }
    assert_ledger_adds_up(installation).await;
    assert!(server.terminate(END_TIMEOUT).await.success());
    let copy = installation.folder().join("copy.db");
    fs::copy(disk.data().join("search4letters.db"), &copy).expect("the server has created its database");
    Tables::open(&copy).await.assert_logged(client_log).await;
}
