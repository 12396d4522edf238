//! A real browser, without a window, that a test drives as a person would.

mod devtools;
mod driver;
mod find;
mod health;

use std::cell::RefCell;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::driver::Driver;
pub use self::find::Role;
use crate::eventually::eventually;

/// The special keys of WebDriver that tests press.
pub mod key {
    pub const BACKSPACE: char = '\u{e003}';
    pub const TAB: char = '\u{e004}';
    pub const ENTER: char = '\u{e007}';
    pub const ESCAPE: char = '\u{e00c}';
}

/// Trunk gives its preload of the wasm a checksum, which Chromium does not check yet and says so.
const TRUNKS_PRELOAD: &str = "The `integrity` attribute is currently ignored for preload destinations";

/// One browser with a profile of its own: no other test's cookies, storage or tabs.
///
/// A test that ends well calls [`Browser::finish`]. Where a test panics, a picture of the page is left in
/// `target/browser`.
pub struct Browser {
    client: Client,
    base: String,
    /// Parts of console messages that this test brings about on purpose.
    expected: RefCell<Vec<String>>,
    // Dropped in this order: the driver ends the browser, and then nobody writes into the profile any more.
    driver: Driver,
    _profile: TempDir,
}

/// The colours that the system asks pages for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Browser {
    /// Starts a browser that is 1280 by 800 pixels large and visits pages below `base`.
    pub async fn start(base: &str) -> Self {
        let driver = Driver::start().await;
        let profile = TempDir::new().expect("a temporary folder can be made");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&profile))
            .connect(&driver.url())
            .await
            .expect("chromedriver finds a browser of its version");
        driver.remember(client.session_id().await.expect("answered").expect("a session was opened"));
        let browser = Self {
            client,
            base: base.to_owned(),
            expected: RefCell::new(vec![TRUNKS_PRELOAD.to_owned()]),
            driver,
            _profile: profile,
        };
        browser.resize(1280, 800).await;
        browser
    }

    /// Visits a page, for instance `/viewlog`.
    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.expect("the page can be visited");
    }

    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page can be loaded again");
    }

    pub async fn back(&self) {
        self.client.back().await.expect("there is a page to go back to");
    }

    /// The address without its host, for instance `/viewlog?q=a`.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("every page has an address").to_string();
        url.strip_prefix(&self.base).map(ToOwned::to_owned).unwrap_or(url)
    }

    /// Waits until the address is one that `wanted` accepts, and returns it.
    pub async fn wait_for_path(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually(what, async || Some(self.path().await).filter(|path| wanted(path))).await
    }

    pub async fn title(&self) -> String {
        self.client.title().await.expect("every page has a title")
    }

    /// All text that can be seen.
    pub async fn text(&self) -> String {
        let text = self.script("return document.body ? document.body.innerText : ''", vec![]).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until `text` can be seen anywhere on the page.
    pub async fn wait_for_text(&self, text: &str) {
        eventually(&format!("the page says {text:?}"), async || self.text().await.contains(text).then_some(())).await;
    }

    /// Presses and releases keys, wherever the focus is.
    pub async fn press(&self, keys: impl IntoIterator<Item = char>) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.expect("keys can be pressed");
    }

    /// Types a text, wherever the focus is.
    pub async fn type_text(&self, text: &str) {
        self.press(text.chars()).await;
    }

    /// The window in front; the one to give to [`Browser::switch`].
    pub async fn window(&self) -> WindowHandle {
        self.client.window().await.expect("there is a window")
    }

    /// Opens an empty tab and goes there.
    pub async fn new_tab(&self) -> WindowHandle {
        let tab = self.client.new_window(true).await.expect("a tab can be opened").handle;
        self.switch(&tab).await;
        tab
    }

    pub async fn switch(&self, window: &WindowHandle) {
        self.client.switch_to_window(window.clone()).await.expect("the window is open");
    }

    /// Runs a function's body in the page and returns what it returns.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(body, arguments).await.expect("the script runs")
    }

    /// The same for a body that calls back: its last argument is the function to call.
    pub async fn script_async(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.client.execute_async(body, arguments).await.expect("the script runs")
    }

    /// A picture of what can be seen, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture can be taken")
    }

    /// Checks that nothing unexpected was said on the console, and ends the browser.
    pub async fn finish(self) {
        self.assert_console_is_clean().await;
        self.client.clone().close().await.expect("the session can be ended");
        self.driver.forget();
    }
}

fn capabilities(profile: &TempDir) -> serde_json::Map<String, Value> {
    let folder = format!("--user-data-dir={}", profile.path().display());
    let arguments = json!([
        folder,
        "--headless",
        "--no-first-run",
        // Nothing but what the test asks for: no updates, no field trials, no reports.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        // Containers have no GPU, little shared memory, and none of the rights that the sandbox wants.
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-sandbox",
        "--force-device-scale-factor=1",
        "--lang=en-US",
    ]);
    let capabilities = json!({
        "goog:chromeOptions": {"args": arguments},
        "goog:loggingPrefs": {"browser": "ALL"},
    });
    capabilities.as_object().expect("written as an object above").clone()
}
