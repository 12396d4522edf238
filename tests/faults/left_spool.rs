//! The spool of a process that is gone, brought into another's database.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use api::Recorded;
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::lock::Lock;
use crate::verdict::assert_whole;

/// A server that was killed with this many searches in its spool, and what it had promised.
async fn lost(searches: usize) -> (Installation, Journal) {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let lock = Lock::take(&installation.database()).await;
    for _ in 0..searches {
        assert_eq!(journal.search(&server.client()).await, Some(Recorded::Spooled));
    }
    server.kill().await;
    lock.release().await;
    (installation, journal)
}

fn spool_of(installation: &Installation) -> String {
    installation.folder().join("spool").display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_process_has_left_is_replayed_once_however_often_it_is_done() {
    let (lost, journal) = lost(20).await;
    let copy = tempfile::tempdir().expect("a temporary folder");
    fs::copy(lost.folder().join("spool/records"), copy.path().join("records")).expect("copied");
    let there = Installation::new();
    for (spool, said) in [
        (spool_of(&lost), "recorded: 20, already known: 0, set aside: 0, left: 0"),
        (spool_of(&lost), "recorded: 0, already known: 0, set aside: 0, left: 0"),
        // As where a process was killed before it could empty its spool.
        (copy.path().display().to_string(), "recorded: 0, already known: 20, set aside: 0, left: 0"),
    ] {
        let replayed = there.run(&["spool", "replay", &spool]).await;
        assert_eq!(replayed.code, Some(0), "{}", replayed.output);
        assert!(replayed.output.contains(said), "{}", replayed.output);
    }
    let _server = there.start(&[]).await;
    assert_whole(&there, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_whose_process_lives_is_left_to_it() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let there = Installation::new();
    let refused = there.run(&["spool", "replay", &spool_of(&installation)]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert!(refused.output.contains("still lives"), "{}", refused.output);
    assert!(!there.database().exists(), "nothing was to be done there");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_a_spool_is_left_as_it_is() {
    let installation = Installation::new();
    drop(installation.start(&[]).await);
    let there = Installation::new();
    let data = installation.folder().display().to_string();
    let refused = there.run(&["spool", "replay", &data]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert!(refused.output.contains(&format!("there is one in {}", spool_of(&installation))), "{}", refused.output);
    let nowhere = there.folder().join("nowhere");
    let refused = there.run(&["spool", "replay", &nowhere.display().to_string()]).await;
    assert!(refused.output.contains("has no spool in it; name the folder"), "{}", refused.output);
    assert!(!nowhere.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_read_are_set_aside_and_told_of_until_they_are_moved_away() {
    let (lost, journal) = lost(20).await;
    let records = lost.folder().join("spool/records");
    let text = fs::read(&records).expect("read");
    let at = text.windows(9).position(|window| window == b"search 7\"").expect("the record of search 7");
    let file = File::options().write(true).open(&records).expect("opened");
    file.write_all_at(b"#", at as u64).expect("damaged");
    let there = Installation::new();
    for said in ["recorded: 19, already known: 0, set aside: 1", "recorded: 0, already known: 0, set aside: 1"] {
        let replayed = there.run(&["spool", "replay", &spool_of(&lost)]).await;
        assert_eq!(replayed.code, Some(1), "{}", replayed.output);
        assert!(replayed.output.contains(said) && replayed.output.contains("move it away"), "{}", replayed.output);
    }
    let set_aside = fs::read_to_string(lost.folder().join("spool/set-aside")).expect("it is named");
    assert!(set_aside.contains("#earch 7"), "{set_aside}");
    assert_eq!(journal.promised().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_server_owns_takes_no_spool_beside_it() {
    let (lost, journal) = lost(3).await;
    let there = Installation::new();
    let server = there.start(&[]).await;
    let refused = there.run(&["spool", "replay", &spool_of(&lost)]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    let process = format!("is in use by process {}", server.pid());
    assert!(refused.output.contains(&process), "{}", refused.output);
    drop(server);
    let _server = lost.start(&[]).await;
    assert_whole(&lost, &journal).await;
}
