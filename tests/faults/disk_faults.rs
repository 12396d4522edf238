//! Faults of a disk: system calls that fail, and a disk of a few megabytes.

use std::fs;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tests::eventually;
use tests::server_process::{Installation, ServerProcess};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long strace may take to attach to all threads, and to detach from them.
const STRACE_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes system calls on some files fail until it is lifted or dropped.
pub(crate) struct Fault {
    strace: Child,
    trace: PathBuf,
}

impl Fault {
    /// Injects a fault in strace's notation: `fsync,fdatasync:error=EIO`.
    pub(crate) async fn inject(server: &ServerProcess, what: &str, files: &[PathBuf], folder: &Path) -> Self {
        let calls = what.split_once(':').map(|(calls, _)| calls).expect("strace wants CALLS:FAULT");
        let trace = folder.join("trace");
        let mut command = Command::new("strace");
        // Only these calls are traced, so that the trace stays short.
        command.args(["-f", "-e", &format!("trace={calls}"), "-e", &format!("inject={what}")]);
        command.arg("-o").arg(&trace).args(["-p", &server.pid().to_string()]);
        for file in files {
            command.arg("-P").arg(file);
        }
        let strace = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut strace = strace.spawn().expect("strace is there: cargo xtask faults installs it");
        let mut said = BufReader::new(strace.stderr.take().expect("piped above")).lines();
        let first =
            timeout(STRACE_TIMEOUT, said.next_line()).await.expect("strace prints that it is attached").expect("text");
        let is_attached = first.as_ref().is_some_and(|line| line.contains("attached"));
        assert!(is_attached, "strace cannot be attached, which needs root or kernel.yama.ptrace_scope=0: {first:?}");
        // A full pipe would block strace.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Self { strace, trace }
    }

    /// Ends the fault once a call has failed: otherwise nothing was tested.
    pub(crate) async fn lift(mut self) {
        eventually("a call goes wrong", async || {
            let trace = fs::read_to_string(&self.trace).expect("strace has made its file");
            (trace.contains("(INJECTED)") || trace.contains("(DELAYED)")).then_some(())
        })
        .await;
        let pid = self.strace.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.expect("the child has not been waited for"), Signal::INT).expect("our own child");
        timeout(STRACE_TIMEOUT, self.strace.wait()).await.expect("strace detaches").expect("our own child");
    }
}

/// A disk in its own mount namespace. The namespace ends with the process that holds it, so no test leaves a mount
/// behind.
pub(crate) struct SmallDisk {
    holder: Child,
    /// The mount point, as seen inside the namespace.
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

    /// Fills the disk completely.
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

    /// Frees the space that [`SmallDisk::fill`] took.
    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    /// Remounts the disk read-only.
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

    /// The data folder as seen by this process, outside the namespace.
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
        self.holder.id().expect("the child has not been waited for")
    }
}

/// The namespace options: without root a user namespace is needed too.
pub(crate) fn inside(options: &[&'static str]) -> Vec<&'static str> {
    let options = options.iter().copied();
    if geteuid().is_root() {
        options.filter(|option| !USER_NAMESPACE.contains(option)).collect()
    } else {
        options.collect()
    }
}

const USER_NAMESPACE: [&str; 3] = ["--map-root-user", "--user", "--preserve-credentials"];
