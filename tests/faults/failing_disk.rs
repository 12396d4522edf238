//! A disk whose writes fail, or take long.

use std::path::PathBuf;

use api::Recorded;
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::strace::Fault;
use crate::verdict::assert_whole;
use crate::yardstick::Yardstick;

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
async fn a_database_that_takes_seconds_to_sync_keeps_nobody_waiting() {
    the_database_fails("fsync,fdatasync:delay_enter=2s").await;
}

/// The spool's disk is well meanwhile.
async fn the_database_fails(how: &str) {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let yardstick = Yardstick::hold_to(&installation);
    let mut load = journal.load(&server.client(), 4);
    load.answered_more(50).await;
    let fault = Fault::inject(&server, how, &database_files(&installation), installation.folder()).await;
    journal.counts_more(Recorded::Spooled, 40).await;
    fault.lift().await;
    journal.counts_more(Recorded::Accepted, 20).await;
    yardstick.assert_nobody_waited(&journal);
    assert_eq!(journal.count(Recorded::NotRecorded), 0);

    // What went wrong may have left a trace in the files that only the next process meets.
    server.kill().await;
    load.ended().await;
    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_its_disk_fails_keeps_what_it_promised() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let load = journal.load(&server.client(), 4);
    let files = database_files(&installation);
    let fault = Fault::inject(&server, "fsync,fdatasync:error=EIO", &files, installation.folder()).await;
    journal.counts_more(Recorded::Spooled, 40).await;
    server.kill().await;
    load.ended().await;
    drop(fault);
    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_database_and_spool_both_fail_the_answer_says_that_nothing_is_recorded() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let load = journal.load(&server.client(), 4);
    let mut files = database_files(&installation);
    files.push(installation.folder().join("spool/records"));
    let fault = Fault::inject(&server, "fsync,fdatasync:error=EIO", &files, installation.folder()).await;
    // After these, none is under way any more that began before both failed.
    journal.counts_more(Recorded::NotRecorded, 40).await;
    let promised = journal.promised().len();
    journal.counts_more(Recorded::NotRecorded, 20).await;
    assert_eq!(journal.promised().len(), promised, "something was promised while nothing could be kept");
    fault.lift().await;
    journal.counts_more(Recorded::Accepted, 20).await;
    server.kill().await;
    load.ended().await;
    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}

fn database_files(installation: &Installation) -> Vec<PathBuf> {
    let database = installation.database();
    ["", "-wal"].iter().map(|ending| PathBuf::from(format!("{}{ending}", database.display()))).collect()
}
