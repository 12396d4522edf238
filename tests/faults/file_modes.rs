//! Other users of the machine cannot open the data, whatever the umask of the caller is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use api::Recorded;
use rustix::fs::XattrFlags;
use tests::server_process::Installation;

use crate::client_log::ClientLog;
use crate::tables::Lock;

/// With the umask of a careless caller.
fn open_to_everybody(installation: Installation) -> Installation {
    installation.started_by(["sh", "-c", "umask 0; exec \"$@\"", "sh"])
}

#[tokio::test(flavor = "multi_thread")]
async fn only_their_user_can_open_the_files_that_a_server_makes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let installation = open_to_everybody(Installation::new().with_data(&data));
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Accepted));
    let lock = Lock::take(&installation.database()).await;
    assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Spooled));
    lock.release().await;
    let files = assert_private(&data);
    for name in ["search4letters.db", "search4letters.db-wal", "search4letters.db-shm", "spool/records"] {
        assert!(files.contains(&data.join(name)), "{name} is not in {files:?}");
    }
    server.kill().await;

    // Like the data of an earlier version.
    for file in &files {
        let open = if file.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(file, fs::Permissions::from_mode(open)).expect("our own file");
    }
    let check = installation.run(&["check"]).await;
    let database = data.join("search4letters.db").display().to_string();
    assert!(check.output.contains(&format!("WRONG  other users can open {database}")), "{}", check.output);
    let server = installation.start(&[]).await;
    let files: Vec<_> =
        assert_private(&data.join("spool")).into_iter().chain([data.join("search4letters.db")]).collect();
    for file in files {
        assert_eq!(mode(&file) & 0o077, 0, "{}", file.display());
    }
    drop(server);
}

/// Gives everybody rights on what is made in the folder: a default access list replaces the umask.
fn share_by_default(folder: &Path) {
    /// linux/posix_acl_xattr.h: the version, and entries of a tag, permissions and no id.
    const TAGS: [(u16, u16); 3] = [(1, 7), (4, 5), (0x20, 5)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions) in TAGS {
        list.extend([tag.to_le_bytes(), permissions.to_le_bytes()].concat());
        list.extend(u32::MAX.to_le_bytes());
    }
    let name = "system.posix_acl_default";
    rustix::fs::setxattr(folder, name, &list, XattrFlags::empty()).expect("the file system has access lists");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_access_list_opens_no_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    share_by_default(folder.path());
    let probe = folder.path().join("probe");
    fs::write(&probe, "").expect("our own folder");
    assert_eq!(mode(&probe), 0o644, "the list works");
    fs::remove_file(probe).expect("our own file");

    let data = folder.path().join("data");
    let installation = Installation::new().with_data(&data);
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let lock = Lock::take(&installation.database()).await;
    assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Spooled));
    lock.release().await;
    assert_eq!(assert_private(&data).len(), 8, "two folders and six files");
    for (format, name) in [("ndjson", "log.ndjson"), ("sqlite", "log.db")] {
        let file = folder.path().join(name);
        let line = ["export", "--format", format, "--output", file.to_str().expect("our own path is UTF-8")];
        assert_eq!(installation.run(&line).await.code, Some(0));
        assert_eq!(mode(&file), 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_their_user_can_open_exports_and_copies() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let installation = open_to_everybody(Installation::new());
    drop(installation.start(&[]).await);
    for (format, name) in [("ndjson", "log.ndjson"), ("csv", "log.csv"), ("sqlite", "log.db")] {
        let file = folder.path().join(name);
        let line = ["export", "--format", format, "--output", file.to_str().expect("our own path is UTF-8")];
        assert_eq!(installation.run(&line).await.code, Some(0));
        assert_eq!(mode(&file), 0o600, "{name}");
    }
    let (from, to) = (installation.database(), folder.path().join("new/copy.db"));
    let url = |file: &Path| format!("sqlite:{}", file.display());
    let copied = installation.run(&["copy", "--from", &url(&from), "--to", &url(&to)]).await;
    assert_eq!(copied.code, Some(0), "{}", copied.output);
    assert_private(&folder.path().join("new"));
}

/// Returns the folder and everything in it.
fn assert_private(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        let private = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), private, "{}", path.display());
        if path.is_dir() {
            paths.extend(fs::read_dir(&path).expect("our own folder").map(|entry| entry.expect("readable").path()));
        }
        next += 1;
    }
    paths
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
}
