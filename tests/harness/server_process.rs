//! The real server as a process, with its own data folder.

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

use crate::eventually;
use crate::http_client::HttpClient;

/// Below Linux's range for outgoing connections, which begins at 32768.
const PORTS: Range<u16> = 20_000..32_000;
/// Far longer than any command that ends by itself.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// A server's data folder and port, which are kept when its process ends.
pub struct Installation {
    /// Contains the data, unless the test names another folder.
    folder: TempDir,
    program: PathBuf,
    data: PathBuf,
    port: u16,
    wrapper: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Installation {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let data = folder.path().to_owned();
        let program = workspace_program("search4letters");
        Self { folder, program, data, port: free_port(), wrapper: Vec::new(), environment: Vec::new() }
    }

    /// Starts another build of the server.
    pub fn with_program(mut self, program: &Path) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// Puts the data into another folder, which the server creates if it is missing.
    pub fn with_data(mut self, data: &Path) -> Self {
        data.clone_into(&mut self.data);
        self
    }

    /// Starts the server through another program: `wrapper` precedes the server's command line.
    pub fn started_by<W: Into<OsString>>(mut self, wrapper: impl IntoIterator<Item = W>) -> Self {
        self.wrapper = wrapper.into_iter().map(Into::into).collect();
        self
    }

    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Uses a PostgreSQL database instead of its own SQLite file.
    pub fn with_database(self, url: &str) -> Self {
        self.with_variable("DATABASE_URL", url)
    }

    /// The installation's folder, which is the data folder unless the test names another.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The SQLite file.
    pub fn database(&self) -> PathBuf {
        self.data.join("search4letters.db")
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(&self, arguments: &[&str]) -> ServerProcess {
        let mut server = self.launch(arguments);
        server.ready().await;
        server
    }

    /// Starts a process that only runs jobs, and waits until it is ready.
    pub async fn start_worker(&self, arguments: &[&str]) -> ServerProcess {
        let mut worker = self.launch(&[&["work"], arguments].concat());
        worker.prints("running jobs as ").await;
        worker
    }

    /// Starts the server without waiting for it.
    pub fn launch(&self, arguments: &[&str]) -> ServerProcess {
        self.launch_with(arguments, Stdio::piped())
    }

    /// The same, with another standard error than a pipe that the test reads.
    pub fn launch_with(&self, arguments: &[&str], stderr: impl Into<Stdio>) -> ServerProcess {
        let mut child = self.spawn(arguments, Stdio::piped(), stderr.into());
        let output = Output::default();
        output.collect(child.stdout.take().expect("piped when it was spawned"));
        if let Some(stderr) = child.stderr.take() {
            output.collect(stderr);
        }
        ServerProcess { child, url: self.url(), output }
    }

    /// Runs a command of the server's program until it ends by itself. Panics if it does not end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, Stdio::piped()).await
    }

    /// The same, with another standard output than a pipe that the test reads.
    pub async fn run_with(&self, arguments: &[&str], stdout: impl Into<Stdio>) -> Ended {
        let child = self.spawn(arguments, stdout.into(), Stdio::piped());
        let ended = timeout(COMMAND_TIMEOUT, child.wait_with_output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{arguments:?} still runs after {COMMAND_TIMEOUT:?}"));
        let ended = ended.expect("our own child can be waited for");
        let printed = [ended.stdout, ended.stderr].concat();
        Ended { code: ended.status.code(), output: String::from_utf8_lossy(&printed).into_owned() }
    }

    /// `http://127.0.0.1:PORT`, whether a server runs or not.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn client(&self) -> HttpClient {
        HttpClient::new(&self.url())
    }

    fn spawn(&self, arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Child {
        let program = &self.program;
        let mut line: Vec<OsString> = self.wrapper.clone();
        line.extend([program.into(), "--data".into(), self.data.clone().into(), "--listen".into()]);
        line.push(format!("127.0.0.1:{}", self.port).into());
        line.extend(arguments.iter().map(OsString::from));
        Command::new(&line[0])
            .args(&line[1..])
            // Variables in the developer's environment are for other servers.
            .env_clear()
            .envs(self.environment.clone())
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
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

/// A free port below the range for outgoing connections, which could otherwise take the port while a server restarts.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Concurrent test programs start at different ports.
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
    /// Both output streams.
    pub output: String,
}

/// A running server. Killed when dropped.
pub struct ServerProcess {
    child: Child,
    url: String,
    output: Output,
}

impl ServerProcess {
    /// Waits until it listens and is ready.
    pub async fn ready(&mut self) {
        self.prints("listening on ").await;
        let client = self.client();
        eventually("the server is ready", async || {
            client.get("/readyz").await.ok().filter(|answer| answer.status == 200).map(drop)
        })
        .await;
    }

    /// Waits until it has printed `text`, and returns the next word. Panics if it ends instead.
    pub async fn prints(&mut self, text: &str) -> String {
        eventually(&format!("the server prints {text:?}"), async || {
            self.assert_running();
            self.output.word_after(text)
        })
        .await
    }

    /// Panics with its output if it has ended by itself.
    pub fn assert_running(&mut self) {
        let ended = self.child.try_wait().expect("our own child");
        assert!(ended.is_none(), "the server has ended ({ended:?}):\n{}", self.output.text());
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn client(&self) -> HttpClient {
        HttpClient::new(&self.url)
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("the child has not been waited for")
    }

    /// The token of the one-use link that a server without accounts prints soon after its start.
    pub async fn setup_token(&self) -> String {
        eventually("the server prints a setup link", async || self.output.word_after("/setup#token=")).await
    }

    /// Its output so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// SIGSTOP: suspends the process.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT: resumes the process.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Its resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let file = format!("/proc/{}/statm", self.pid());
        let sizes = std::fs::read_to_string(file).expect("a running process has its sizes there");
        let pages: u64 = sizes.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("the second is a number");
        pages * rustix::param::page_size() as u64 / 1024
    }

    /// Lowers the limit on its open files.
    pub fn limit_open_files(&self, files: u64) {
        let limit = Rlimit { current: Some(files), maximum: Some(files) };
        prlimit(Some(self.process()), Resource::Nofile, limit).expect("our own child");
    }

    /// Sets the limit on the size of its files in bytes. `None` lifts it.
    pub fn limit_file_size(&self, bytes: Option<u64>) {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(self.process()), Resource::Fsize, limit).expect("our own child, and nobody has limited it");
    }

    /// SIGKILL: the process cannot clean up.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("our own child can be killed");
    }

    /// SIGTERM. Returns the exit status. Panics if the process does not end in time.
    pub async fn terminate(self, limit: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended(limit).await
    }

    /// Waits for its end. Panics if the process does not end in time.
    pub async fn ended(mut self, limit: Duration) -> ExitStatus {
        let ended = timeout(limit, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("still running after {limit:?}:\n{}", self.output.text()))
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

/// The lines of a process's output.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<String>>>);

impl Output {
    fn collect(&self, stream: impl AsyncRead + Send + Unpin + 'static) {
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

    /// The word after `marker`.
    fn word_after(&self, marker: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(marker)?;
        rest.split_whitespace().next().map(ToOwned::to_owned)
    }
}

/// A program of this workspace, built with the same profile as the running one.
pub fn workspace_program(name: &str) -> PathBuf {
    profile_folder().join(name)
}

/// For instance `target/debug`.
pub fn profile_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("a running executable has a path");
    let folder = executable.parent().expect("an executable is in a folder");
    // Tests are one folder deeper than programs.
    if folder.ends_with("deps") { folder.parent().expect("deps is in a folder").to_owned() } else { folder.to_owned() }
}
