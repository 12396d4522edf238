//! The log's page in a real browser, measured from outside.

use std::time::Duration;

use ::tests::browser::{Browser, Engine, key};
use ::tests::eventually;
use ::tests::server_process::ServerProcess;
use anyhow::Context;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const NAME: &str = "bench";
const PASSWORD: &str = "a long enough password";
/// A row that does not appear within this time counts as missing.
const TIMEOUT_MS: u32 = 5000;

pub(super) struct View {
    browser: Browser,
}

/// Milliseconds until the first row was painted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct FirstRow {
    /// From the navigation.
    pub navigation: f64,
    /// From the request for the rows.
    pub request: f64,
}

/// The result of scrolling.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Scrolled {
    /// The time from each frame to the next, in milliseconds.
    pub frames: Vec<f64>,
    /// The most rows that were in the page.
    pub rows: u32,
    /// The final scroll position in pixels.
    pub top: f64,
}

/// Memory of the page, in MiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// JavaScript objects, after a garbage collection.
    pub objects: f64,
    /// WebAssembly's memory, which never shrinks.
    pub wasm: f64,
}

impl View {
    /// Opens the log as an administrator, and creates the account at the first call.
    pub(super) async fn open(server: &ServerProcess, is_first: bool) -> Self {
        let browser = Browser::start(Engine::Chromium, server.url()).await;
        browser.resize(1920, 1080).await;
        let form = if is_first { format!("/setup#token={}", server.setup_token().await) } else { "/login".to_owned() };
        browser.open(&form).await;
        browser.fill("Name", NAME).await;
        browser.fill("Password", PASSWORD).await;
        browser.press([key::ENTER]).await;
        browser.wait_for_path("the form is accepted", |path| path == "/viewlog").await;
        let hook = json!({ "source": include_str!("hook.js") });
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", hook).await;
        Self { browser }
    }

    /// Loads the page and waits for its first row.
    pub(super) async fn first_row(&self) -> anyhow::Result<FirstRow> {
        self.browser.open("/viewlog").await;
        let found = eventually("the log's first row is there", async || {
            let found = self.browser.script(include_str!("first_row.js"), vec![]).await;
            (!found.is_null()).then_some(found)
        });
        read(found.await)
    }

    /// Scrolls down by `step` pixels per frame.
    pub(super) async fn scroll(&self, time: Duration, step: u32) -> anyhow::Result<Scrolled> {
        read(
            self.browser
                .script_async(include_str!("scroll.js"), vec![(time.as_secs_f64() * 1000.0).into(), step.into()])
                .await,
        )
    }

    /// Goes to an address of the page. Returns the milliseconds until the row is visible; `None` if it does not appear.
    pub(super) async fn go(&self, query: &str, row: i64, is_alone: bool) -> anyhow::Result<Option<f64>> {
        let arguments = vec![format!("/viewlog{query}").into(), row.into(), is_alone.into(), TIMEOUT_MS.into()];
        read(self.browser.script_async(include_str!("go.js"), arguments).await)
    }

    /// The numbers of the rows that appear while scrolling down.
    pub(super) async fn walk(&self, screens: u32, from_top: bool) -> anyhow::Result<Vec<i64>> {
        read(self.browser.script_async(include_str!("walk.js"), vec![screens.into(), from_top.into()]).await)
    }

    /// Whether the page holds the row.
    pub(super) async fn has(&self, row: i64) -> bool {
        let look = "return document.getElementById('log-row-' + arguments[0]) !== null";
        self.browser.script(look, vec![row.into()]).await == Value::Bool(true)
    }

    pub(super) async fn memory(&self) -> anyhow::Result<Memory> {
        const MIB: f64 = 1024.0 * 1024.0;
        const WASM: &str = "return window.__seen.memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)";
        self.browser.devtools("HeapProfiler.collectGarbage", json!({})).await;
        let usage = self.browser.devtools("Runtime.getHeapUsage", json!({})).await;
        let objects = usage["usedSize"].as_f64().context("the browser says how large its heap is")?;
        let wasm = self.browser.script(WASM, vec![]).await.as_f64().context("a number")?;
        Ok(Memory { objects: objects / MIB, wasm: wasm / MIB })
    }

    pub(super) async fn close(self) {
        self.browser.finish().await;
    }
}

fn read<T: DeserializeOwned>(value: Value) -> anyhow::Result<T> {
    serde_json::from_value(value).context("a script of ours returns what we read")
}
