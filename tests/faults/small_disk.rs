//! A disk of a few megabytes, on which a data folder can lie.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::geteuid;
use tests::server_process::Installation;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Mounted in a namespace of its own, where nobody else sees it and which goes with the process that holds it:
/// no test, however it ends, leaves a mount behind.
pub(crate) struct SmallDisk {
    holder: Child,
    /// Where it is mounted, as those inside the namespace see it.
    folder: PathBuf,
}

impl SmallDisk {
    pub(crate) async fn of_mebibytes(size: u32, mount_point: &Path) -> Self {
        let folder = mount_point.join("disk");
        fs::create_dir(&folder).expect("the mount point can be made");
        let script = "mount -t tmpfs -o size=$1m tmpfs \"$2\" && echo mounted && exec cat";
        let mut holder = Command::new("unshare")
            .args(inside(&["--mount", "--map-root-user"]))
            .args(["sh", "-c", script, "sh", &size.to_string()])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("unshare is there: it is part of util-linux");
        let said = BufReader::new(holder.stdout.take().expect("piped above")).lines().next_line().await;
        let is_mounted = said.expect("text").is_some_and(|line| line == "mounted");
        assert!(
            is_mounted,
            "no disk can be mounted here: this test needs root, or users that may make namespaces (unshare -rm)"
        );
        Self { holder, folder }
    }

    /// The installation, with its data on this disk.
    pub(crate) fn holds(&self, installation: Installation) -> Installation {
        let target = self.pid().to_string();
        let enter = ["nsenter", "--target", &target];
        let into = inside(&["--mount", "--user", "--preserve-credentials"]);
        installation.with_data(&self.folder.join("data")).started_by(enter.into_iter().chain(into))
    }

    /// Leaves no room for anything more.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("a file can be made");
        for block in [1024 * 1024, 4096, 1] {
            let bytes = vec![b'.'; block];
            let full = loop {
                if let Err(error) = filler.write_all(&bytes) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
    }

    /// Gives back what [`SmallDisk::fill`] took.
    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    /// From now on, nothing on it can be changed.
    pub(crate) async fn make_read_only(&self) {
        let mut enter = Command::new("nsenter");
        enter.args(["--target", &self.pid().to_string()]).args(inside(&[
            "--mount",
            "--user",
            "--preserve-credentials",
        ]));
        let mount = enter.args(["mount", "-o", "remount,ro"]).arg(&self.folder).status().await;
        assert!(mount.expect("nsenter is part of util-linux").success());
    }

    /// The data folder as this process sees it, which is outside.
    pub(crate) fn data(&self) -> PathBuf {
        self.seen_from_outside().join("data")
    }

    fn filler(&self) -> PathBuf {
        self.seen_from_outside().join("filler")
    }

    fn seen_from_outside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.pid()));
        root.join(self.folder.strip_prefix("/").expect("temporary folders have absolute paths"))
    }

    fn pid(&self) -> u32 {
        self.holder.id().expect("nobody has waited for it")
    }
}

/// The options for a namespace's own mounts; who is not root needs a namespace of users too.
fn inside(options: &[&'static str]) -> Vec<&'static str> {
    let options = options.iter().copied();
    if geteuid().is_root() { options.take(1).collect() } else { options.collect() }
}
