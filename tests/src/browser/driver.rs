//! chromedriver, as a process of its own.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs, io, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::AsyncBufReadExt;
use tokio::process::{Child, Command};

use crate::server_process::profile_folder;

/// Killed when dropped, and its browser with it.
pub(super) struct Driver {
    _child: Child,
    port: u16,
    session: RefCell<Option<String>>,
}

impl Driver {
    pub(super) async fn start() -> Self {
        let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let mut child = Command::new(&program)
            // The system chooses the port.
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()));
        let mut lines = tokio::io::BufReader::new(child.stdout.take().expect("piped above")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("chromedriver prints text");
            let line = line.expect("chromedriver says on which port it listens before it ends");
            if let Some((_, rest)) = line.split_once("started successfully on port ") {
                break rest.trim_end_matches('.').parse().expect("a port is a number");
            }
        };
        // It must not be stopped by a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _child: child, port, session: RefCell::default() }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The session to end when the driver is dropped.
    pub(super) fn remember(&self, session: String) {
        self.session.replace(Some(session));
    }

    /// The session was ended.
    pub(super) fn forget(&self) {
        self.session.replace(None);
    }

    /// Asks without the test's runtime, which may be gone when a test has panicked.
    fn ask(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let size = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n{body}")?;
        // chromedriver keeps the connection open, whatever it is asked: the answer ends where it says.
        let mut answer = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            answer.read_line(&mut line)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = String::new();
        answer.take(length).read_to_string(&mut body)?;
        Ok(body)
    }

    fn print_console(&self, session: &str) {
        match self.ask("POST", &format!("/session/{session}/se/log"), r#"{"type": "browser"}"#) {
            Ok(said) => eprintln!("the console says: {said}"),
            Err(error) => eprintln!("the console cannot be read: {error}"),
        }
    }

    fn save_picture(&self, session: &str) -> Option<()> {
        let answer = self.ask("GET", &format!("/session/{session}/screenshot"), "").ok()?;
        let picture: Value = serde_json::from_str(&answer).ok()?;
        let picture = STANDARD.decode(picture["value"].as_str()?).ok()?;
        let folder = profile_folder().parent()?.join("browser");
        fs::create_dir_all(&folder).ok()?;
        let test = thread::current().name().unwrap_or("test").replace("::", "-");
        let file = folder.join(format!("{test}.png"));
        fs::write(&file, picture).ok()?;
        eprintln!("the page as it was: {}", file.display());
        Some(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if thread::panicking() {
            self.print_console(&session);
            if self.save_picture(&session).is_none() {
                eprintln!("no picture of the page could be taken");
            }
        }
        // Ends the browser, which would outlive a driver that is merely killed.
        if let Err(error) = self.ask("DELETE", &format!("/session/{session}"), "") {
            eprintln!("the browser's session could not be ended: {error}");
        }
    }
}
