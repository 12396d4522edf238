//! A database whose file is damaged.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use api::{FaultKind, Recorded};

use crate::used::{refused, used};
use crate::verdict::{assert_whole, unready};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_its_header_is_refused() {
    damaged(|file| file.write_all_at(&[0xA5; 100], 0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_a_damaged_page_is_refused() {
    damaged(|file| {
        let middle = file.metadata()?.len() / 2 / 4096 * 4096;
        file.write_all_at(&[0xA5; 4096], middle)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_database_is_refused() {
    damaged(|file| file.set_len(file.metadata()?.len() / 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_damaged_under_a_running_server_is_noticed_and_searches_are_kept() {
    let (installation, journal) = used().await;
    let server = installation.start(&[]).await;
    let client = server.client();
    let database = installation.database();
    let backup = fs::read(&database).expect("the server has made it");
    fs::write(&database, vec![0xA5; backup.len()]).expect("it is ours");
    // What SQLite has in its caches it does not read again: a search makes it look.
    assert_eq!(journal.search(&client).await, Some(Recorded::Accepted));
    unready(&client, FaultKind::ConnectionError).await;
    for _ in 0..20 {
        assert_eq!(journal.search(&client).await, Some(Recorded::Spooled));
    }
    server.kill().await;

    // The log of what was written since the backup lies beside it still.
    fs::write(&database, backup).expect("it is ours");
    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}

/// Does the damage to a database that has some rows, and puts it right in the end.
async fn damaged(damage: impl FnOnce(&File) -> std::io::Result<()>) {
    let (installation, journal) = used().await;
    let database = installation.database();
    let backup = fs::read(&database).expect("the server has made it");
    damage(&File::options().read(true).write(true).open(&database).expect("it is ours")).expect("damaged");
    let broken = fs::read(&database).expect("it is there");
    assert_ne!(broken, backup);
    for command in ["serve", "migrate"] {
        refused(&installation, &[command], "is no database, or is damaged", "restore a backup").await;
        assert!(fs::read(&database).expect("it is there") == broken, "{command} has changed it");
    }
    let check = installation.run(&["check"]).await;
    assert_eq!(check.code, Some(1), "{}", check.output);
    assert!(check.output.contains("is no database, or is damaged"), "{}", check.output);
    assert!(fs::read(&database).expect("it is there") == broken, "check has changed it");

    fs::write(&database, backup).expect("it is ours");
    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}
