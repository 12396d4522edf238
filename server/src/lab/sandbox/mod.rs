//! Sandboxes: servers that may be killed. Each is a process of this program on an empty folder. It ends with the process
//! that has started it, and leaves nothing behind.

mod client;
mod routes;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, stdin};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use api::SearchId;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub(super) use self::client::{Client, REQUEST_TIMEOUT};
pub(super) use self::routes::{AWAITED, BARE_TASK, SandboxSearch};
pub use self::routes::{SandboxState, routes};

/// A sandbox starts only in a folder beside a file of this name. Its end removes everything beside that file, which
/// must never be a folder with real data.
const MARKER: &str = "search4letters-sandboxes";
/// Far more than a start takes: a busy machine must not fail a run.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a dropped sandbox may take to clean up; then it is killed.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(2);
const CLEANUP_POLL: Duration = Duration::from_millis(5);
/// How often removal is tried: other sandboxes may write into the folder until they notice the end too.
const REMOVALS: u32 = 200;

/// How sandboxes are started.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The program `search4letters`.
    pub program: PathBuf,
    /// Where the temporary folders are created.
    pub folder: PathBuf,
}

impl Sandbox {
    /// Starts this program itself, in the system's folder for temporary files.
    pub fn of_this_program() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        Ok(Self { program, folder: std::env::temp_dir() })
    }

    /// Creates the folder for the sandboxes of one run.
    pub(super) fn create_dir(&self) -> anyhow::Result<SandboxDir> {
        let create = || {
            let folder = tempfile::Builder::new().prefix("search4letters-lab-").tempdir_in(&self.folder)?;
            File::create(folder.path().join(MARKER))?;
            io::Result::Ok(SandboxDir { program: self.program.clone(), folder: Arc::new(folder) })
        };
        let parent = self.folder.display();
        create()
            .with_context(|| format!("a sandbox needs a temporary folder, and none can be made in {parent} (TMPDIR)"))
    }
}

/// The folder of one run, removed with its last sandbox.
pub(super) struct SandboxDir {
    program: PathBuf,
    folder: Arc<TempDir>,
}

impl SandboxDir {
    /// Starts the server `name`, whose writes take `delay`. It continues with the data of an earlier server of this
    /// name. Returns once it answers.
    pub(super) async fn start(&self, name: &str, delay: Duration) -> anyhow::Result<Process> {
        let log = self.folder.path().join(format!("{name}.stderr"));
        let spawned = self.spawn(name, delay, &log);
        let mut child = spawned.with_context(|| format!("{} cannot be started", self.program.display()))?;
        let stdout = child.stdout.take().expect("it was piped");
        let stdin = child.stdin.take().expect("it was piped");
        // From here on the sandbox is cleaned up, even when this future is dropped.
        let running = Running { child, stdin, folder: self.folder.clone() };
        let mut process = Process { running: Some(running), address: ([127, 0, 0, 1], 0).into() };
        let first_line = spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let address = match timeout(START_TIMEOUT, first_line).await {
            Ok(Ok(Ok(line))) => line.trim().parse().ok(),
            _ => None,
        };
        process.address = address.ok_or_else(|| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            let last_line = log.lines().last().unwrap_or("it said nothing").trim();
            anyhow!("the sandbox {name} did not start: {last_line}")
        })?;
        // Warms up the server, so that the request that counts does not wait for its start.
        process.client().searches_in_log(SearchId::from_parts(0, 0), Duration::ZERO).await?;
        Ok(process)
    }

    /// The process inherits nothing that names real data. It has its own process group: a terminal's Ctrl-C reaches it
    /// only through this process.
    fn spawn(&self, name: &str, delay: Duration, log: &Path) -> io::Result<Child> {
        Command::new(&self.program)
            .args(["lab", "sandbox", "--folder"])
            .arg(self.folder.path().join(name))
            .arg("--delay")
            .arg(format!("{}ms", delay.as_millis()))
            .env_clear()
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .process_group(0)
            .spawn()
    }
}

/// A running sandbox. Dropping it ends the whole run: its standard input closes, and it removes the run's folder and
/// ends.
pub(super) struct Process {
    running: Option<Running>,
    address: SocketAddr,
}

struct Running {
    child: Child,
    /// The kernel closes it too when this process is killed.
    stdin: ChildStdin,
    folder: Arc<TempDir>,
}

impl Process {
    pub(super) fn client(&self) -> Client {
        Client { address: self.address }
    }

    /// `kill -9`. Returns once the process is gone.
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        let killed = spawn_blocking(move || {
            running.child.kill()?;
            running.child.wait()?;
            // Only now: otherwise the sandbox would remove the folder, and a restart would find no data.
            drop(running.stdin);
            drop(running.folder);
            io::Result::Ok(())
        });
        killed.await?.context("a sandbox cannot be killed")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // A thread of its own: a destructor must not block, and the runtime may be about to end.
            thread::spawn(move || running.clean_up());
        }
    }
}

impl Running {
    fn clean_up(mut self) {
        drop(self.stdin);
        let deadline = Instant::now() + CLEANUP_TIMEOUT;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() >= deadline {
                // A stopped process, or no sandbox at all. The folder is removed with the last `Running`.
                drop(self.child.kill());
                drop(self.child.wait());
                break;
            }
            thread::park_timeout(CLEANUP_POLL);
        }
    }
}

/// Called in a sandbox before it touches anything: checks that `own` is a sandbox's folder. From then on, the end of
/// standard input removes the folder of the whole run and ends the process.
pub fn end_with_stdin(own: &Path) -> anyhow::Result<()> {
    let folder = own.parent().filter(|folder| folder.join(MARKER).is_file()).map(Path::to_owned);
    let folder = folder.ok_or_else(|| {
        anyhow!("{} is no folder for a sandbox: there is no {MARKER} beside it. Use `lab request`", own.display())
    })?;
    // A thread that does nothing else notices the end even if all others hang.
    thread::spawn(move || {
        // Nothing is ever written to it. However reading ends, the other process is gone.
        while let Ok(1..) = stdin().lock().read(&mut [0; 64]) {}
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => thread::park_timeout(CLEANUP_POLL),
                _ => break,
            }
        }
        std::process::exit(0);
    });
    Ok(())
}
