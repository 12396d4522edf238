//! The waiting lab: its command line, its runs, and that they leave nothing behind.

mod database;
mod output;
mod request;
mod styles;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tests::server_process::workspace_program;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Far longer than any command takes.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The command, in its own empty folder.
pub struct Lab {
    folder: TempDir,
    variables: Vec<(&'static str, &'static str)>,
}

/// The exit code and the output.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A running command.
pub struct Running {
    pub child: Child,
    _folder: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder can be made"), variables: Vec::new() }
    }

    pub fn with_variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is in its folder.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder()).expect("the folder is there");
        entries.map(|entry| entry.expect("the folder can be read").path()).collect()
    }

    pub async fn run(&self, arguments: &[&str]) -> Ended {
        let ended = timeout(TIMEOUT, self.spawn(arguments).wait_with_output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{arguments:?} still runs after {TIMEOUT:?}"));
        let ended = ended.expect("our own child can be waited for");
        let text = |bytes| String::from_utf8(bytes).expect("it prints text");
        Ended { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
    }

    /// Runs the command with `--json`, and returns the document that it prints.
    pub async fn document(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat()).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
    }

    pub fn start(self, arguments: &[&str]) -> Running {
        Running { child: self.spawn(arguments), _folder: self.folder }
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let program = workspace_program("search4letters");
        Command::new(&program)
            .arg("lab")
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started (cargo build -p server): {error}", program.display()))
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the child has not been waited for")
    }

    /// Waits until it prints something.
    pub async fn first_output(&mut self) -> u8 {
        let mut out = BufReader::with_capacity(1, self.child.stdout.as_mut().expect("piped"));
        out.read_u8().await.expect("it prints before it ends")
    }

    /// Waits for the end, and returns the rest of the output.
    pub async fn end(self) -> Ended {
        let ended = timeout(TIMEOUT, self.child.wait_with_output()).await.expect("it ends");
        let ended = ended.expect("our own child can be waited for");
        let text = |bytes| String::from_utf8(bytes).expect("it prints text");
        Ended { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
    }
}
