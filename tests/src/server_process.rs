//! The real server as a process of its own, on a data folder of its own.

use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::eventually::eventually;
use crate::http_client::HttpClient;

/// Below Linux's range for outgoing connections, which begins at 32768.
const PORTS: Range<u16> = 20_000..32_000;
/// Far above what any command takes that ends by itself.
const LONGEST_COMMAND: Duration = Duration::from_secs(60);

/// A server's data folder and port, which outlive its processes.
pub struct Installation {
    /// Where the data folder is, unless the test names another.
    folder: TempDir,
    data: PathBuf,
    port: u16,
    wrapper: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Installation {
    #[must_use]
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let data = folder.path().to_owned();
        Self { folder, data, port: free_port(), wrapper: Vec::new(), environment: Vec::new() }
    }

    /// With its data in another folder, which the server makes where it is missing.
    #[must_use]
    pub fn with_data(mut self, data: &Path) -> Self {
        data.clone_into(&mut self.data);
        self
    }

    /// Started by another program, which becomes the server: `wrapper` and then the server's own command line.
    #[must_use]
    pub fn started_by<W: Into<OsString>>(mut self, wrapper: impl IntoIterator<Item = W>) -> Self {
        self.wrapper = wrapper.into_iter().map(Into::into).collect();
        self
    }

    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// On a database server that others may use too, instead of a file of its own.
    #[must_use]
    pub fn with_database(self, url: &str) -> Self {
        self.with_variable("DATABASE_URL", url)
    }

    /// A folder of this installation's own, which is the data folder unless that was put elsewhere.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database's file, in which any SQLite client can read.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("search4letters.db")
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(&self, arguments: &[&str]) -> ServerProcess {
        let mut server = self.launch(arguments);
        server.ready().await;
        server
    }

    /// Starts a process that only runs jobs, and waits until it does.
    pub async fn start_worker(&self, arguments: &[&str]) -> ServerProcess {
        let mut worker = self.launch(&[&["work"], arguments].concat());
        worker.says("running jobs as ").await;
        worker
    }

    /// Starts the server and waits for nothing.
    #[must_use]
    pub fn launch(&self, arguments: &[&str]) -> ServerProcess {
        let mut child = self.spawn(arguments);
        let output = Output::default();
        output.gather(child.stdout.take().expect("piped when it was spawned"));
        output.gather(child.stderr.take().expect("piped when it was spawned"));
        ServerProcess { child, url: self.url(), output }
    }

    /// Runs the server's program until it ends by itself, and panics if it does not.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        let ended = timeout(LONGEST_COMMAND, self.spawn(arguments).wait_with_output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{arguments:?} still runs after {LONGEST_COMMAND:?}"));
        let ended = ended.expect("our own child can be waited for");
        let printed = [ended.stdout, ended.stderr].concat();
        Ended { code: ended.status.code(), output: String::from_utf8_lossy(&printed).into_owned() }
    }

    /// `http://127.0.0.1:PORT`, whether a server runs or not.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    #[must_use]
    pub fn client(&self) -> HttpClient {
        HttpClient::new(&self.url())
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let program = built_beside_us("search4letters");
        let mut line: Vec<OsString> = self.wrapper.clone();
        line.extend([program.clone().into(), "--data".into(), self.data.clone().into(), "--listen".into()]);
        line.push(format!("127.0.0.1:{}", self.port).into());
        line.extend(arguments.iter().map(OsString::from));
        Command::new(&line[0])
            .args(&line[1..])
            // What a developer has set for a server of their own is not for this one.
            .env_clear()
            .envs(self.environment.clone())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started (cargo build -p server): {error}", program.display()))
    }
}

impl Default for Installation {
    fn default() -> Self {
        Self::new()
    }
}

/// A port that nobody listens on, from below those that systems give to outgoing connections: such a
/// connection could otherwise sit on the port while a server is restarted.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run side by side begin at different places.
    let begin = std::process::id() % u32::from(PORTS.end - PORTS.start) * 97;
    for _ in PORTS {
        let offset = (begin + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % u32::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(offset).expect("smaller than the range");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port in {PORTS:?} is free");
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// All that it has printed.
    pub output: String,
}

/// A running server. Killed when dropped.
pub struct ServerProcess {
    child: Child,
    url: String,
    output: Output,
}

impl ServerProcess {
    /// Waits until it says where it listens, and that it can work.
    pub async fn ready(&mut self) {
        self.says("listening on ").await;
        let client = self.client();
        eventually("the server is ready", async || {
            client.get("/readyz").await.ok().filter(|answer| answer.status == 200).map(drop)
        })
        .await;
    }

    /// Waits until it has printed this, and returns the word behind it. Panics if it ends instead.
    pub async fn says(&mut self, text: &str) -> String {
        eventually(&format!("the server says {text:?}"), async || {
            self.assert_lives();
            self.output.word_after(text)
        })
        .await
    }

    /// Panics with what it has printed if it has ended by itself.
    pub fn assert_lives(&mut self) {
        let ended = self.child.try_wait().expect("our own child");
        assert!(ended.is_none(), "the server has ended ({ended:?}):\n{}", self.output.text());
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub fn client(&self) -> HttpClient {
        HttpClient::new(&self.url)
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("nobody has waited for it")
    }

    /// The token of the one-use link that a server without accounts prints soon after it started.
    pub async fn setup_token(&self) -> String {
        eventually("the server prints a setup link", async || self.output.word_after("/setup?token=")).await
    }

    /// All that it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// SIGSTOP: from now on it does nothing, and knows nothing of it.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT: it goes on where it was.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// How much memory it holds, in KiB.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let file = format!("/proc/{}/statm", self.pid());
        let sizes = std::fs::read_to_string(file).expect("a running process has its sizes there");
        let pages: u64 = sizes.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("the second is a number");
        pages * rustix::param::page_size() as u64 / 1024
    }

    /// Lowers the number of files that it may have open, from now on.
    pub fn limit_open_files(&self, files: u64) {
        let limit = Rlimit { current: Some(files), maximum: Some(files) };
        prlimit(Some(self.process()), Resource::Nofile, limit).expect("our own child");
    }

    /// kill -9: nothing in the process gets to say a last word.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("our own child can be killed");
    }

    /// SIGTERM; returns how it ended, and panics if it does not within `patience`.
    pub async fn terminate(mut self, patience: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        let ended = timeout(patience, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("still running {patience:?} after SIGTERM:\n{}", self.output.text()))
            .expect("our own child can be waited for")
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).expect("our own child");
    }

    fn process(&self) -> Pid {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        pid.expect("process ids are positive")
    }
}

/// The lines that a process has printed.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<String>>>);

impl Output {
    fn gather(&self, stream: impl AsyncRead + Send + Unpin + 'static) {
        let lines = Arc::clone(&self.0);
        let mut stream = BufReader::new(stream).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stream.next_line().await {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// What stands between `marker` and the next white space.
    fn word_after(&self, marker: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(marker)?;
        rest.split_whitespace().next().map(ToOwned::to_owned)
    }
}

/// A program of this workspace, in the profile's folder of the target directory, where our own executable is too.
#[must_use]
pub fn built_beside_us(name: &str) -> PathBuf {
    profile_folder().join(name)
}

/// For instance `target/debug`.
#[must_use]
pub fn profile_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("a running executable has a path");
    let folder = executable.parent().expect("an executable is in a folder");
    // Tests are one folder deeper than programs.
    if folder.ends_with("deps") { folder.parent().expect("deps is in a folder").to_owned() } else { folder.to_owned() }
}
