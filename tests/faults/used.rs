//! An installation that has been used and is stopped, and how it refuses to start.

use std::time::Duration;

use tests::server_process::Installation;

use crate::journal::Journal;
use crate::verdict::assert_whole;

/// A stopped installation with some rows.
pub(crate) async fn used() -> (Installation, Journal) {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let mut load = journal.load(&server.client(), 4);
    load.answered(200).await;
    load.stop().await;
    assert_whole(&installation, &journal).await;
    assert!(server.terminate(Duration::from_secs(20)).await.success());
    (installation, journal)
}

/// Panics unless the command ends at once with one sentence that says `what` is wrong and names the `way_out`.
pub(crate) async fn refused(installation: &Installation, command: &[&str], what: &str, way_out: &str) {
    let ended = installation.run(command).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let is_one_line = ended.output.lines().count() == 1;
    assert!(is_one_line && ended.output.contains(what) && ended.output.contains(way_out), "{}", ended.output);
}
