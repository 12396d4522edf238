//! A real headless browser, which a test drives as a person would.

mod driver;
mod engine;
mod page_checks;

use std::cell::RefCell;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use tempfile::TempDir;

use crate::browser::driver::{Driver, SessionCommand};
pub use crate::browser::engine::Engine;
use crate::eventually;

/// The special keys of WebDriver that tests press.
pub mod key {
    pub const BACKSPACE: char = '\u{e003}';
    pub const TAB: char = '\u{e004}';
    pub const ENTER: char = '\u{e007}';
    pub const ESCAPE: char = '\u{e00c}';
    pub const END: char = '\u{e010}';
    pub const LEFT: char = '\u{e012}';
    pub const UP: char = '\u{e013}';
    pub const RIGHT: char = '\u{e014}';
    pub const DOWN: char = '\u{e015}';
}

/// One browser with a profile of its own: no other test's cookies, storage or tabs.
///
/// A test that succeeds calls [`Browser::finish`]. A test that panics leaves a screenshot in `target/browser`.
pub struct Browser {
    client: Client,
    engine: Engine,
    base: String,
    /// Parts of the console messages that this test provokes.
    expected: RefCell<Vec<String>>,
    // Dropped in this order: the driver ends the browser, which writes into the profile until then.
    driver: Driver,
    _profile: TempDir,
}

/// The system's preferred colour scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What a page is shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Screen(Scheme),
    /// A screen with the few colours that its user has chosen.
    ForcedColours,
    Print,
}

/// How long every answer shall be under way, as `SEARCH4LETTERS_LATENCY` asks for. A slow line shows what a test, or a
/// page, takes for there before it is.
///
/// # Panics
///
/// If the variable is not a number of milliseconds.
fn line_latency_ms() -> Option<u32> {
    let text = std::env::var("SEARCH4LETTERS_LATENCY").ok()?;
    Some(text.parse().expect("SEARCH4LETTERS_LATENCY is a number of milliseconds"))
}

impl Browser {
    /// Starts a browser with a page of 1280 by 800 pixels. It visits pages below `base`.
    pub async fn start(engine: Engine, base: &str) -> Self {
        let profile = TempDir::new().expect("a temporary folder can be made");
        let driver = Driver::start(engine, profile.path()).await;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(engine.capabilities(profile.path()))
            .connect(&driver.url())
            .await
            .unwrap_or_else(|error| panic!("{engine:?}'s driver finds a browser of its version: {error}"));
        driver.remember(client.session_id().await.expect("answered").expect("a session was opened"));
        let browser =
            Self { client, engine, base: base.to_owned(), expected: RefCell::default(), driver, _profile: profile };
        browser.resize(1280, 800).await;
        if let (Engine::Chromium, Some(latency_ms)) = (engine, line_latency_ms()) {
            browser.slow_down(latency_ms).await;
        }
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

    pub async fn forward(&self) {
        self.client.forward().await.expect("there is a page to go forward to");
    }

    /// The address without its host, for instance `/viewlog?q=a`.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("every page has an address").to_string();
        url.strip_prefix(&self.base).map(ToOwned::to_owned).unwrap_or(url)
    }

    /// Waits until `wanted` accepts the address, and returns it.
    pub async fn wait_for_path(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually(what, async || Some(self.path().await).filter(|path| wanted(path))).await
    }

    pub async fn title(&self) -> String {
        self.client.title().await.expect("every page has a title")
    }

    /// All visible text.
    pub async fn text(&self) -> String {
        let text = self.script("return document.body ? document.body.innerText : ''", vec![]).await;
        as_read(text.as_str().unwrap_or_default())
    }

    /// Waits until `text` is visible anywhere on the page.
    pub async fn wait_for_text(&self, text: &str) {
        eventually(&format!("the page says {text:?}"), async || self.text().await.contains(text).then_some(())).await;
    }

    /// Presses and releases keys, in the element that has the focus.
    pub async fn press(&self, keys: impl IntoIterator<Item = char>) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.expect("keys can be pressed");
    }

    /// Types a text into the element that has the focus.
    pub async fn type_text(&self, text: &str) {
        self.press(text.chars()).await;
    }

    /// The window in front, for [`Browser::switch`].
    pub async fn window(&self) -> WindowHandle {
        self.client.window().await.expect("there is a window")
    }

    /// Opens an empty tab and switches to it.
    pub async fn new_tab(&self) -> WindowHandle {
        let tab = self.client.new_window(true).await.expect("a tab can be opened").handle;
        self.switch(&tab).await;
        tab
    }

    pub async fn switch(&self, window: &WindowHandle) {
        self.client.switch_to_window(window.clone()).await.expect("the window is open");
    }

    /// How many windows and tabs are open.
    pub async fn windows(&self) -> usize {
        self.client.windows().await.expect("the windows can be counted").len()
    }

    /// Runs a function's body in the page and returns its result.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(body, arguments).await.expect("the script runs")
    }

    /// The same for an asynchronous body: it calls its last argument with the result.
    pub async fn script_async(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.client.execute_async(body, arguments).await.expect("the script runs")
    }

    /// A screenshot as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a screenshot can be taken")
    }

    /// Checks that the console is clean, and ends the browser.
    pub async fn finish(self) {
        self.assert_console_is_clean().await;
        self.client.clone().close().await.expect("the session can be ended");
        self.driver.forget();
    }
}

/// A text as it is read: a no-break space is a space.
fn as_read(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

/// The ARIA roles by which tests find elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Button,
    Dialog,
    Heading,
    Link,
    Option,
    Radio,
    TextBox,
}

impl Role {
    /// Selects the elements that may have this role; the browser says which of them do.
    fn candidates(self) -> &'static str {
        match self {
            Self::Button => "button, input[type=submit], [role=button], summary",
            Self::Dialog => "dialog, [role=dialog]",
            Self::Heading => "h1, h2, h3, h4, [role=heading]",
            Self::Link => "a[href], [role=link]",
            Self::Option => "[role=option]",
            Self::Radio => "input[type=radio], [role=radio]",
            Self::TextBox => "input, textarea, [role=textbox], [role=searchbox]",
        }
    }

    fn is(self, role: &str) -> bool {
        match self {
            // Chromium gives `summary` a role of its own, and the others give it none.
            Self::Button => matches!(role, "button" | "DisclosureTriangle" | ""),
            Self::Dialog => role == "dialog",
            Self::Heading => role == "heading",
            Self::Link => role == "link",
            Self::Option => role == "option",
            Self::Radio => role == "radio",
            // A password field has no role, and a search field has its own.
            Self::TextBox => matches!(role, "textbox" | "searchbox" | "none" | "generic" | "combobox" | ""),
        }
    }
}

impl Browser {
    /// Waits for the first visible element of this role whose accessible name contains `name`.
    pub async fn find(&self, role: Role, name: &str) -> Element {
        eventually(&format!("there is a {role:?} named {name:?}"), async || self.find_now(role, name).await).await
    }

    /// The same, without waiting.
    pub async fn find_now(&self, role: Role, name: &str) -> Option<Element> {
        let candidates = match self.client.find_all(Locator::Css(role.candidates())).await {
            // The page changes meanwhile.
            Err(error) if error.is_stale_element_reference() => return None,
            found => found.expect("the page can be searched"),
        };
        for element in candidates {
            if self.is_named(&element, role, name).await == Some(true) {
                return Some(element);
            }
        }
        None
    }

    /// `None` if the element has left the page meanwhile.
    async fn is_named(&self, element: &Element, role: Role, name: &str) -> Option<bool> {
        Some(
            as_read(&self.computed(element, "computedlabel").await?).contains(name)
                && role.is(&self.computed(element, "computedrole").await?)
                && self.is_shown(element).await?,
        )
    }

    async fn is_shown(&self, element: &Element) -> Option<bool> {
        if self.engine != Engine::WebKit {
            return element.is_displayed().await.ok();
        }
        // WebKit's driver takes a text area for hidden if its text cannot overflow it.
        let is_shown = "return arguments[0].checkVisibility({visibilityProperty: true})";
        self.client.execute(is_shown, vec![serde_json::to_value(element).ok()?]).await.ok()?.as_bool()
    }

    /// The element's role or name as a screen reader gets it.
    async fn computed(&self, element: &Element, what: &str) -> Option<String> {
        let path = format!("element/{}/{what}", &*element.element_id());
        let value = self.client.issue_cmd(SessionCommand::get(path)).await.ok()?;
        value.as_str().map(ToOwned::to_owned)
    }

    /// Clicks the element. Tries again if the page replaces it meanwhile, as it does when the wasm takes over.
    pub async fn click(&self, role: Role, name: &str) {
        eventually(&format!("the {role:?} {name:?} can be clicked"), async || {
            self.find_now(role, name).await?.click().await.ok()
        })
        .await;
    }

    /// Replaces the content of a text field by typing. Tries again if the page replaces the field meanwhile.
    pub async fn fill(&self, name: &str, text: &str) {
        eventually(&format!("the field {name:?} can be typed into"), async || {
            let field = self.find_now(Role::TextBox, name).await?;
            field.clear().await.ok()?;
            field.send_keys(text).await.ok()
        })
        .await;
    }

    /// The content of a text field.
    pub async fn value(&self, name: &str) -> String {
        let field = self.find(Role::TextBox, name).await;
        field.prop("value").await.expect("a text field has a value").unwrap_or_default()
    }

    /// The visible texts of all elements that match a CSS selector. For elements without a role or a name.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText)";
        let texts = self.script(script, vec![selector.into()]).await;
        texts.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(as_read)).collect()
    }

    /// An element's attribute, for instance `data-theme` of `html`.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1])";
        let value = self.script(script, vec![selector.into(), name.into()]).await;
        value.as_str().map(ToOwned::to_owned)
    }
}
