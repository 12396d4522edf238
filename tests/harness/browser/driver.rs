//! A driver's process, and commands outside the WebDriver standard.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs, io, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

use super::engine::Display;
use super::{Browser, Engine, Medium, Scheme};
use crate::eventually;
use crate::server_process::{free_port, profile_folder};

/// When dropped, it ends its browser and is killed.
pub(super) struct Driver {
    _child: Child,
    engine: Engine,
    port: u16,
    session: RefCell<Option<String>>,
    /// Dropped after the browser that it shows.
    _display: Option<Display>,
}

impl Driver {
    /// `home` is an empty folder, for whatever the browser keeps.
    pub(super) async fn start(engine: Engine, home: &Path) -> Self {
        let display = match engine {
            Engine::WebKit => Some(Display::start(home).await),
            Engine::Chromium | Engine::Firefox => None,
        };
        let name = engine.driver();
        let program = env::var_os(name.to_uppercase()).unwrap_or_else(|| name.into());
        // WebKit's driver does not say which port it has chosen.
        let port = free_port();
        let mut child = Command::new(&program)
            .arg(format!("--port={port}"))
            .env("HOME", home)
            // Containers have none of the rights that the sandbox needs.
            .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
            .envs(display.iter().map(|display| ("DISPLAY", &display.name)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()));
        eventually(&format!("{name} listens"), async || {
            let ended = child.try_wait().expect("our own child can be asked");
            assert_eq!(ended, None, "{name} has ended");
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        Self { _child: child, engine, port, session: RefCell::default(), _display: display }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets the session to end when the driver is dropped.
    pub(super) fn remember(&self, session: String) {
        self.session.replace(Some(session));
    }

    /// The session has ended.
    pub(super) fn forget(&self) {
        self.session.replace(None);
    }

    /// Sends a request without the test's runtime, which may no longer exist after a panic.
    fn request(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let size = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n{body}")?;
        // The driver keeps the connection open: the response ends where its header says.
        let mut response = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            response.read_line(&mut line)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = String::new();
        response.take(length).read_to_string(&mut body)?;
        Ok(body)
    }

    fn print_console(&self, session: &str) {
        if self.engine != Engine::Chromium {
            return;
        }
        match self.request("POST", &format!("/session/{session}/se/log"), r#"{"type": "browser"}"#) {
            Ok(messages) => eprintln!("the console: {messages}"),
            Err(error) => eprintln!("the console cannot be read: {error}"),
        }
    }

    fn save_screenshot(&self, session: &str) -> Option<()> {
        let response = self.request("GET", &format!("/session/{session}/screenshot"), "").ok()?;
        let screenshot: Value = serde_json::from_str(&response).ok()?;
        let screenshot = STANDARD.decode(screenshot["value"].as_str()?).ok()?;
        let folder = profile_folder().parent()?.join("browser");
        fs::create_dir_all(&folder).ok()?;
        let test = thread::current().name().unwrap_or("test").replace("::", "-");
        let file = folder.join(format!("{test}.png"));
        fs::write(&file, screenshot).ok()?;
        eprintln!("screenshot of the page: {}", file.display());
        Some(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if thread::panicking() {
            self.print_console(&session);
            if self.save_screenshot(&session).is_none() {
                eprintln!("no screenshot of the page could be taken");
            }
        }
        // A browser outlives its killed driver, so its session is ended first.
        if let Err(error) = self.request("DELETE", &format!("/session/{session}"), "") {
            eprintln!("the browser's session could not be ended: {error}");
        }
    }
}

/// A command below `/session/ID/`.
#[derive(Debug)]
pub(super) struct SessionCommand {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl SessionCommand {
    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None }
    }

    pub(super) fn post(path: &str, body: Value) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body: Some(body) }
    }
}

impl WebDriverCompatibleCommand for SessionCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (self.method.clone(), self.body.as_ref().map(ToString::to_string))
    }
}

impl Browser {
    pub(super) async fn command(&self, command: SessionCommand) -> Value {
        let shown = format!("{command:?}");
        self.client.issue_cmd(command).await.unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// Runs a command of Chromium's DevTools protocol, for instance `Runtime.getHeapUsage`.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.command(SessionCommand::post("goog/cdp/execute", json!({"cmd": method, "params": parameters}))).await
    }

    /// Puts a slow line between Chromium and the server.
    pub(super) async fn slow_down(&self, latency_ms: u32) {
        let line = json!({"offline": false, "latency": latency_ms, "throughput": 10_000_000});
        self.command(SessionCommand::post("chromium/network_conditions", json!({"network_conditions": line}))).await;
    }

    /// Sets the page's size in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        if self.engine != Engine::Chromium {
            self.resize_window(width, height).await;
            return;
        }
        // A window cannot be as narrow as a phone.
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// The bars of the window stay as high as they are.
    async fn resize_window(&self, width: u32, height: u32) {
        let bars = self.script("return window.outerHeight - window.innerHeight", vec![]).await;
        let height = u64::from(height) + bars.as_u64().unwrap_or_default();
        self.command(SessionCommand::post("window/rect", json!({"width": width, "height": height}))).await;
    }

    /// Shows the page enlarged by `factor` in a window of this size in physical pixels.
    pub async fn zoom(&self, width: u32, height: u32, factor: u32) {
        let (width, height) = (width / factor, height / factor);
        let size = json!({"width": width, "height": height, "deviceScaleFactor": factor, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Sets the system's preference, which the page's own control overrides.
    pub async fn prefer(&self, scheme: Scheme) {
        self.emulate(Medium::Screen(scheme)).await;
    }

    /// Shows the page as on this medium.
    pub async fn emulate(&self, medium: Medium) {
        let (media, scheme, forced) = match medium {
            Medium::Screen(scheme) => ("", scheme, "none"),
            Medium::ForcedColours => ("", Scheme::Dark, "active"),
            Medium::Print => ("print", Scheme::Light, "none"),
        };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme.as_str()},
            {"name": "forced-colors", "value": forced},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"media": media, "features": features})).await;
    }

    /// A picture of the page from its top, also of what is below the window, up to `longest` CSS pixels. As PNG.
    pub async fn whole_page(&self, longest: u32) -> Vec<u8> {
        // A scroll bar takes part of the width in the window, and none in the picture.
        self.devtools("Emulation.setScrollbarsHidden", json!({"hidden": true})).await;
        // Nothing is taken on its way. What turns for ever has no end, and says so by an error.
        let finish = "document.getAnimations().forEach(animation => { try { animation.finish() } catch {} })";
        self.script(finish, vec![]).await;
        let size = self.devtools("Page.getLayoutMetrics", json!({})).await;
        let (width, height) = (&size["cssLayoutViewport"]["clientWidth"], size["cssContentSize"]["height"].as_f64());
        let height = height.expect("a page has a height").min(f64::from(longest));
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let parameters = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.devtools("Page.captureScreenshot", parameters).await;
        STANDARD.decode(picture["data"].as_str().expect("a picture is text")).expect("a picture is in base 64")
    }
}
