//! Faults of a disk, put into the system calls of a running server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tests::eventually;
use tests::server_process::ServerProcess;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long strace may take to get hold of all threads, and to let go of them.
const PATIENCE: Duration = Duration::from_secs(30);

/// While it is there, some system calls on some files go wrong. They are well again when it is lifted or dropped.
pub(crate) struct Fault {
    strace: Child,
    trace: PathBuf,
}

impl Fault {
    /// What is to happen to which calls, in strace's words: `fsync,fdatasync:error=EIO`.
    pub(crate) async fn inject(server: &ServerProcess, what: &str, files: &[PathBuf], folder: &Path) -> Self {
        let calls = what.split_once(':').map(|(calls, _)| calls).expect("strace wants CALLS:FAULT");
        let trace = folder.join("trace");
        let mut command = Command::new("strace");
        // Only the calls in question are written down, so that the trace stays short.
        command.args(["-f", "-e", &format!("trace={calls}"), "-e", &format!("inject={what}")]);
        command.arg("-o").arg(&trace).args(["-p", &server.pid().to_string()]);
        for file in files {
            command.arg("-P").arg(file);
        }
        let strace = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut strace = strace.spawn().expect("strace is there: cargo xtask faults installs it");
        let mut said = BufReader::new(strace.stderr.take().expect("piped above")).lines();
        let first = timeout(PATIENCE, said.next_line()).await.expect("strace says what it does").expect("text");
        let is_attached = first.as_ref().is_some_and(|line| line.contains("attached"));
        assert!(is_attached, "strace cannot be attached, which needs root or kernel.yama.ptrace_scope=0: {first:?}");
        // What it says later must not stop it, so somebody reads it.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Self { strace, trace }
    }

    /// Ends it, once a call has gone wrong: otherwise nothing was tried.
    pub(crate) async fn lift(mut self) {
        eventually("a call goes wrong", async || {
            let trace = fs::read_to_string(&self.trace).expect("strace has made its file");
            (trace.contains("(INJECTED)") || trace.contains("(DELAYED)")).then_some(())
        })
        .await;
        let pid = self.strace.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.expect("nobody has waited for it"), Signal::INT).expect("our own child");
        timeout(PATIENCE, self.strace.wait()).await.expect("strace lets go").expect("our own child");
    }
}
