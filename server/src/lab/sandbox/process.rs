//! One sandbox, seen from outside.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use api::SearchId;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Client;

/// Far more than a start takes: a machine that is busy must not fail a run.
const START_WITHIN: Duration = Duration::from_secs(30);
/// How long a sandbox that is given up may take to clear up after itself; then it is killed.
const CLEARS_UP_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running sandbox. Whoever drops it gives up the whole run: the sandbox hears that its standard input has ended,
/// removes the run's folder, and ends.
pub(in crate::lab) struct Process {
    running: Option<Running>,
    address: SocketAddr,
}

struct Running {
    child: Child,
    /// Open as long as we live, whatever becomes of us: the kernel closes it too when we are killed.
    stdin: ChildStdin,
    /// Removed with the last process.
    folder: Arc<TempDir>,
}

impl Process {
    /// Returns when it can be asked, and answers.
    pub(super) async fn start(
        program: &Path,
        folder: Arc<TempDir>,
        name: &str,
        delay: Duration,
    ) -> Result<Self, String> {
        let said = folder.path().join(format!("{name}.stderr"));
        let spawned = spawn(program, folder.path(), name, delay, &said);
        let mut child = spawned.map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
        let stdout = child.stdout.take().expect("it was piped");
        let stdin = child.stdin.take().expect("it was piped");
        // From here on it is cleared up after, also where nobody waits any more.
        let mut process = Self { running: Some(Running { child, stdin, folder }), address: ([127, 0, 0, 1], 0).into() };
        let first_line = spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let address = match timeout(START_WITHIN, first_line).await {
            Ok(Ok(Ok(line))) => line.trim().parse().ok(),
            _ => None,
        };
        process.address = address.ok_or_else(|| {
            let said = fs::read_to_string(&said).unwrap_or_default();
            format!("the sandbox {name} did not start: {}", said.lines().last().unwrap_or("it said nothing").trim())
        })?;
        // One question before the others, so that the first of them does not wait for the server's start.
        process.client().searches_in_log(SearchId::from_parts(0, 0), Duration::ZERO).await?;
        Ok(process)
    }

    pub(in crate::lab) fn client(&self) -> Client {
        Client { address: self.address }
    }

    /// `kill -9`: nothing in it gets to say a last word. Returns when it is gone.
    pub(in crate::lab) async fn kill(mut self) -> Result<(), String> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        let killed = spawn_blocking(move || {
            running.child.kill()?;
            running.child.wait()?;
            // Not before: it would clear up, and there would be nothing to restart on.
            drop(running.stdin);
            drop(running.folder);
            io::Result::Ok(())
        });
        let killed = killed.await.map_err(|error| error.to_string())?;
        killed.map_err(|error| format!("a sandbox cannot be killed: {error}"))
    }
}

/// The server `name` in a folder of that name. It inherits nothing that says where real data is, and is in no group of
/// processes that a terminal interrupts: it shall hear of an interruption from us alone.
fn spawn(program: &Path, folder: &Path, name: &str, delay: Duration, said: &Path) -> io::Result<Child> {
    Command::new(program)
        .args(["lab", "sandbox", "--folder"])
        .arg(folder.join(name))
        .arg("--delay")
        .arg(format!("{}ms", delay.as_millis()))
        .env_clear()
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(said)?)
        .process_group(0)
        .spawn()
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // A thread of its own: a destructor must not wait, and the runtime may be about to end.
            thread::spawn(move || running.give_up());
        }
    }
}

impl Running {
    fn give_up(mut self) {
        drop(self.stdin);
        let deadline = Instant::now() + CLEARS_UP_WITHIN;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() >= deadline {
                // One that was stopped, or is no sandbox at all. It is gone a moment later, and its folder with it.
                drop(self.child.kill());
                drop(self.child.wait());
                break;
            }
            thread::park_timeout(LOOK_EVERY);
        }
    }
}
