//! The engines of browsers, and how each is started.

use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// An engine, in the browser that the tests drive for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Chromium,
    Firefox,
    /// Safari's engine, in WebKitGTK's MiniBrowser.
    WebKit,
}

impl Engine {
    /// The name of the driver's program. In capitals it is the variable with another path to it.
    pub(super) fn driver(self) -> &'static str {
        match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
            Self::WebKit => "WebKitWebDriver",
        }
    }

    /// What the driver is asked for when it starts the browser. `profile` is an empty folder.
    pub(super) fn capabilities(self, profile: &Path) -> Map<String, Value> {
        let capabilities = match self {
            Self::Chromium => json!({
                "goog:chromeOptions": {"args": chromium_arguments(profile)},
                "goog:loggingPrefs": {"browser": "ALL"},
            }),
            Self::Firefox => json!({"moz:firefoxOptions": {
                "args": ["-headless", "-profile", profile],
                // No requests besides the test's own: no settings, no experiments, no detection of log-in pages.
                "prefs": {
                    "services.settings.server": "data:,",
                    "messaging-system.rsexperimentloader.enabled": false,
                    "network.captive-portal-service.enabled": false,
                    "network.connectivity-service.enabled": false,
                },
            }}),
            // MiniBrowser has no options: the driver starts it for a private session.
            Self::WebKit => json!({}),
        };
        capabilities.as_object().expect("written as objects above").clone()
    }
}

fn chromium_arguments(profile: &Path) -> Value {
    json!([
        format!("--user-data-dir={}", profile.display()),
        "--headless",
        "--no-first-run",
        // No requests besides the test's own: no updates, no field trials, no reports.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        // Tests search faster than people. Chromium drops page addresses beyond 200 in 10 s otherwise.
        "--disable-ipc-flooding-protection",
        // Containers have no GPU, little shared memory, and none of the rights that the sandbox needs.
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-sandbox",
        "--force-device-scale-factor=1",
        "--lang=en-US",
    ])
}

/// An X server that draws nowhere, for an engine that cannot do without one. Ended when dropped.
pub(super) struct Display {
    server: Child,
    /// As in the variable DISPLAY, for instance `:1`.
    pub(super) name: String,
}

impl Display {
    pub(super) async fn start(home: &Path) -> Self {
        let mut server = Command::new("Xvfb")
            // The server chooses the display's number, and prints it when it is ready.
            .args(["-displayfd", "1", "-screen", "0", "1920x1280x24", "-nolisten", "tcp"])
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("Xvfb cannot be started (apt-get install xvfb): {error}"));
        let mut lines = BufReader::new(server.stdout.take().expect("piped above")).lines();
        let number = lines.next_line().await.expect("Xvfb prints text").expect("Xvfb prints its number before it ends");
        Self { server, name: format!(":{number}") }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Asked to end, it removes its lock file. A killed server leaves it.
        if let Some(pid) = self.server.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}
