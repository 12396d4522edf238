//! A database file that is locked, damaged, moved or unusable.

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::time::Duration;

use api::{FaultKind, Recorded};
use rustix::process::geteuid;
use tests::server_process::Installation;
use tests::workload::usual_or_long;
use tokio::time::sleep;

use crate::client_log::{ClientLog, LatencyBaseline};
use crate::disk_faults::SmallDisk;
use crate::tables::{Lock, Tables};
use crate::verdict::{all_receipts_done, assert_complete, ready, refused, unready, used};

/// A few busy clients. More would only fill the spool sooner.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn searches_continue_while_the_database_is_locked() {
    // SQLite's busy timeout is 5 s: shorter locks delay a write, longer ones make it fail.
    let holds_ms: &[u64] = usual_or_long(&[100, 1_000, 6_000], &[100, 1_000, 6_000, 30_000]);
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let baseline = LatencyBaseline::measure(&installation);
    let client = server.client();
    let mut load = client_log.load(&client, CLIENTS);
    for hold_ms in holds_ms {
        load.answered_more(20).await;
        let spooled = client_log.count(Recorded::Spooled);
        let lock = Lock::take(&installation.database()).await;
        sleep(Duration::from_millis(*hold_ms)).await;
        lock.release().await;
        baseline.assert_no_client_waited(&client_log);
        let is_long = *hold_ms >= 1_000;
        assert!(
            !is_long || client_log.count(Recorded::Spooled) > spooled,
            "locked for {hold_ms} ms, and nothing spooled"
        );
    }
    load.stop().await;
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    assert_complete(&installation, &client_log).await;
    all_receipts_done(&client, client_log.receipts(Recorded::Spooled)).await;
}

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
async fn damage_under_a_running_server_is_noticed_and_searches_are_spooled() {
    let (installation, client_log) = used().await;
    let server = installation.start(&[]).await;
    let client = server.client();
    let database = installation.database();
    let backup = fs::read(&database).expect("the server has created it");
    fs::write(&database, vec![0xA5; backup.len()]).expect("our own file");
    // SQLite does not reread cached pages, so a search has to make it read. A slow disk has it spooled.
    let first = client_log.search(&client).await;
    assert!(matches!(first, Some(Recorded::Accepted | Recorded::Spooled)), "{first:?}");
    unready(&client, FaultKind::ConnectionError).await;
    for _ in 0..20 {
        assert_eq!(client_log.search(&client).await, Some(Recorded::Spooled));
    }
    server.kill().await;

    // The write-ahead log with the changes since the backup still exists.
    fs::write(&database, backup).expect("our own file");
    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

/// Damages a database that has some rows, and restores it at the end.
async fn damaged(damage: impl FnOnce(&File) -> std::io::Result<()>) {
    let (installation, client_log) = used().await;
    let database = installation.database();
    let backup = fs::read(&database).expect("the server has created it");
    damage(&File::options().read(true).write(true).open(&database).expect("our own file")).expect("damaged");
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

    fs::write(&database, backup).expect("our own file");
    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_database_is_noticed_and_used_again() {
    away_for_a_while(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_its_place_is_not_changed() {
    let other = Installation::new();
    assert!(other.start(&[]).await.terminate(Duration::from_secs(20)).await.success());
    away_for_a_while(Some(&fs::read(other.database()).expect("the server has created it"))).await;
}

async fn away_for_a_while(instead: Option<&[u8]>) {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let baseline = LatencyBaseline::measure(&installation);
    let client = server.client();
    let mut load = client_log.load(&client, 4);
    for _ in 0..2 {
        load.answered_more(50).await;
        let (place, aside) = (installation.database(), installation.folder().join("moved away"));
        fs::rename(&place, &aside).expect("our own folder");
        if let Some(instead) = instead {
            fs::write(&place, instead).expect("our own folder");
        }
        client_log.counts_more(Recorded::Spooled, 20).await;
        unready(&client, FaultKind::ConnectionError).await;
        assert_eq!(fs::read(&place).ok().as_deref(), instead, "the server has written in its place");
        fs::rename(&aside, &place).expect("our own folder");
        ready(&client).await;
    }
    load.stop().await;
    baseline.assert_no_client_waited(&client_log);
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused() {
    let (installation, client_log) = used().await;
    let mut tables = Tables::open(&installation.database()).await;
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'of the future', true, x'00', 0)";
    tables.run(newer).await;
    tables.run("pragma wal_checkpoint(truncate)").await;
    let before = fs::read(installation.database()).expect("it is there");
    refused(&installation, &["serve"], "was written by a newer version (schema 9999", "Install that version").await;
    assert!(fs::read(installation.database()).expect("it is there") == before, "it was changed");

    tables.run("delete from _sqlx_migrations where version = 9999").await;
    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_is_refused() {
    let installation = Installation::new();
    let disk = SmallDisk::of_mebibytes(16, installation.folder()).await;
    let installation = disk.holds(installation);
    assert!(installation.start(&[]).await.terminate(Duration::from_secs(20)).await.success());
    disk.make_read_only().await;
    refused(&installation, &["serve"], "cannot be written to", "choose another with --data").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_a_file_without_rights_are_refused() {
    let (installation, client_log) = used().await;
    let database = installation.database();
    let folder = database.parent().expect("it is in a folder").to_owned();
    let installation = without_privileges(installation);
    for (path, mode, what) in [
        (&folder, 0o500, "cannot be written to"),
        (&database, 0o400, "cannot be written to"),
        (&database, 0o000, "cannot be opened"),
    ] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("our own file");
        refused(&installation, &["serve"], what, "this user").await;
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("our own file");
        // SQLite gives the files beside the database the permissions of the database.
        let files = ["", "-wal", "-shm"].map(|ending| format!("{}{ending}", database.display()));
        for file in files.iter().filter(|file| fs::exists(file).expect("our own folder")) {
            fs::set_permissions(file, Permissions::from_mode(0o600)).expect("our own file");
        }
    }
    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

/// Root ignores permissions unless it is started without these capabilities.
fn without_privileges(installation: Installation) -> Installation {
    if geteuid().is_root() {
        installation.started_by(["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"])
    } else {
        installation
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_link_that_cannot_be_created_is_created_later() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    assert!(installation.start(&[]).await.terminate(Duration::from_secs(20)).await.success());
    let mut tables = Tables::open(&installation.database()).await;
    tables
        .run("create trigger no_links before insert on setup_link begin select raise(abort, 'of this test'); end")
        .await;

    let mut server = installation.start(&[]).await;
    server.prints("the setup link could not be created").await;
    for _ in 0..20 {
        assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Accepted));
    }
    tables.run("drop trigger no_links").await;
    let token = server.setup_token().await;
    server.client().set_up(&token, "ada", "correct horse battery staple").await;
    assert_complete(&installation, &client_log).await;
}
