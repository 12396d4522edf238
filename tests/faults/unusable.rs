//! Data folders with which no server can work: it says why and what to do, and keeps them as they are.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustix::process::geteuid;
use tests::server_process::Installation;

use crate::small_disk::SmallDisk;
use crate::table::Tables;
use crate::used::{refused, used};
use crate::verdict::assert_whole;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused() {
    let (installation, journal) = used().await;
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
    assert_whole(&installation, &journal).await;
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
    let (installation, journal) = used().await;
    let database = installation.database();
    let folder = database.parent().expect("it is in a folder").to_owned();
    let installation = without_privileges(installation);
    for (path, mode, what) in [
        (&folder, 0o500, "cannot be written to"),
        (&database, 0o400, "cannot be written to"),
        (&database, 0o000, "cannot be opened"),
    ] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
        refused(&installation, &["serve"], what, "this user").await;
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("it is ours");
        // SQLite gives the files beside the database the rights that the database has.
        let files = ["", "-wal", "-shm"].map(|ending| format!("{}{ending}", database.display()));
        for file in files.iter().filter(|file| fs::exists(file).expect("the folder is ours")) {
            fs::set_permissions(file, Permissions::from_mode(0o600)).expect("it is ours");
        }
    }
    let _server = installation.start(&[]).await;
    assert_whole(&installation, &journal).await;
}

/// Root may do everything whatever the rights say, unless it is started without that privilege.
fn without_privileges(installation: Installation) -> Installation {
    if geteuid().is_root() {
        installation.started_by(["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"])
    } else {
        installation
    }
}
