//! The real server as a process of its own, on a data folder of its own.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::eventually::eventually;
use crate::http_client::HttpClient;

/// A server's data folder and port, which outlive its processes.
pub struct Installation {
    data: TempDir,
    /// The system chooses the first time; a restarted server is where it was.
    address: String,
    /// `RUST_LOG`, where it is not the usual.
    log: Option<&'static str>,
}

impl Installation {
    #[must_use]
    pub fn new() -> Self {
        let data = TempDir::new().expect("a temporary folder can be made");
        Self { data, address: "127.0.0.1:0".to_owned(), log: None }
    }

    /// Its servers log as much as `RUST_LOG` asks for here.
    #[must_use]
    pub fn logging(self, log: &'static str) -> Self {
        Self { log: Some(log), ..self }
    }

    /// The database's file, in which any SQLite client can read.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        let is_database = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "sqlite" || ending == "db");
        let files = std::fs::read_dir(self.data.path()).expect("the data folder can be listed");
        let found = files.filter_map(Result::ok).map(|file| file.path()).find(is_database);
        found.expect("a server that has been ready has made its database")
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(&mut self, arguments: &[&str]) -> ServerProcess {
        let server = ServerProcess::spawn(self, arguments).await;
        self.address = server.url.trim_start_matches("http://").to_owned();
        server
    }
}

impl Default for Installation {
    fn default() -> Self {
        Self::new()
    }
}

/// A running server. Killed when dropped.
pub struct ServerProcess {
    child: Child,
    url: String,
    output: Output,
}

impl ServerProcess {
    async fn spawn(installation: &Installation, arguments: &[&str]) -> Self {
        let program = built_beside_us("search4letters");
        let mut child = Command::new(&program)
            .args(["--data".as_ref(), installation.data.path().as_os_str()])
            .args(["--listen", &installation.address])
            .args(arguments)
            // What a developer has set for a server of their own is not for this one.
            .env_clear()
            .envs(installation.log.map(|log| ("RUST_LOG", log)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started (cargo build -p server): {error}", program.display()));
        let output = Output::default();
        output.gather(child.stdout.take().expect("piped above"));
        output.gather(child.stderr.take().expect("piped above"));

        let url = eventually("the server says where it listens", async || {
            let ended = child.try_wait().expect("our own child");
            assert!(ended.is_none(), "the server ended at once ({ended:?}):\n{}", output.text());
            output.word_after("listening on ")
        })
        .await;
        let server = Self { child, url, output };
        let client = server.client();
        eventually("the server is ready", async || {
            client.get("/readyz").await.ok().filter(|answer| answer.status == 200).map(drop)
        })
        .await;
        server
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

    /// The token of the one-use link that a server without accounts prints when it starts.
    #[must_use]
    pub fn setup_token(&self) -> String {
        self.output.word_after("/setup?token=").unwrap_or_else(|| panic!("no setup link in:\n{}", self.output.text()))
    }

    /// All that it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.text()
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
        prlimit(Some(self.pid()), Resource::Nofile, limit).expect("our own child");
    }

    fn pid(&self) -> Pid {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        pid.expect("it runs, for nobody has waited for it")
    }

    /// kill -9: nothing in the process gets to say a last word.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("our own child can be killed");
    }

    /// SIGTERM; returns how it ended, and panics if it does not within `patience`.
    pub async fn terminate(mut self, patience: Duration) -> ExitStatus {
        kill_process(self.pid(), Signal::TERM).expect("our own child");
        let ended = timeout(patience, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("still running {patience:?} after SIGTERM:\n{}", self.output.text()))
            .expect("our own child can be waited for")
    }
}

/// The lines that a process has printed.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<String>>>);

impl Output {
    fn gather(&self, stream: impl AsyncRead + Send + Unpin + 'static) {
        let lines = Arc::clone(&self.0);
        // Not `lines`: to those, a carriage return is no part of its line, and what is no UTF-8 is the end.
        let mut stream = BufReader::new(stream).split(b'\n');
        tokio::spawn(async move {
            while let Ok(Some(line)) = stream.next_segment().await {
                let line = String::from_utf8_lossy(&line).into_owned();
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
