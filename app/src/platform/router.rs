//! The client's router: the address bar as a signal, and how to change it. Links to pages of other bundles are left
//! to the browser, which loads that document.
//!
//! No router crate is used: a search keeps its id and its receipt in the history entry, so that going back and loading
//! the page again show the search and do not repeat it. See docs/decisions.

use api::{Bundle, Route};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent, UrlSearchParams};

#[derive(Clone, Copy)]
pub struct Router {
    bundle: Bundle,
    location: RwSignal<Location>,
    route: Memo<Route>,
    has_moved: StoredValue<bool>,
    fragment: StoredValue<String>,
}

/// An entry of the browser's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub path: String,
    /// Includes the question mark; empty if there is no query.
    pub query: String,
    /// What the page has stored in the entry, as a query: what is known of the search that it shows.
    pub note: Option<String>,
}

impl Location {
    /// The value of a parameter in the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        UrlSearchParams::new_with_str(&self.query).ok()?.get(name)
    }

    /// The value of a parameter in the note.
    pub fn noted(&self, name: &str) -> Option<String> {
        UrlSearchParams::new_with_str(self.note.as_deref()?).ok()?.get(name)
    }

    /// The address without its host.
    pub fn url(&self) -> String {
        format!("{}{}", self.path, self.query)
    }
}

impl Router {
    /// Reads the address bar and follows it from now on, within the pages of `bundle`.
    pub fn start(bundle: Bundle) -> Self {
        let location = RwSignal::new(current());
        let route = Memo::new(move |_| location.with(|location| Route::of(&location.path)));
        let router = Self {
            bundle,
            location,
            route,
            has_moved: StoredValue::new(false),
            fragment: StoredValue::new(fragment()),
        };
        let _ = window_event_listener(ev::popstate, move |_| router.popped());
        let _ = window_event_listener(ev::click, move |event| router.follow_link(&event));
        router
    }

    pub fn route(self) -> Memo<Route> {
        self.route
    }

    pub fn location(self) -> Location {
        self.location.get()
    }

    /// Whether the visitor came to this page from another page of the application.
    pub fn has_moved(self) -> bool {
        self.has_moved.get_value()
    }

    /// The value of a parameter in the query.
    pub fn parameter(self, name: &'static str) -> Memo<Option<String>> {
        Memo::new(move |_| self.location.with(|location| location.parameter(name)))
    }

    /// Opens `url`, an address within the application, as a new history entry.
    pub fn go(self, url: &str) {
        self.go_with_note(url, None);
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }

    /// Opens `url` as a new history entry that carries a note.
    pub fn go_with_note(self, url: &str, note: Option<&str>) {
        if self.leads_out(url) {
            let _ = window().location().assign(url);
            return;
        }
        // Browsers limit the rate of new entries; if one is refused, the page stays as it is.
        if history().is_some_and(|history| history.push_state_with_url(&note_value(note), "", Some(url)).is_ok()) {
            self.moved();
        }
    }

    /// Replaces the current entry: going back does not lead here.
    pub fn replace(self, url: &str, note: Option<&str>) {
        if self.leads_out(url) {
            let _ = window().location().replace(url);
            return;
        }
        if history().is_some_and(|history| history.replace_state_with_url(&note_value(note), "", Some(url)).is_ok()) {
            self.moved();
        }
    }

    /// Goes back to the entry before.
    pub fn back(self) {
        let _ = history().map(|history| history.back());
    }

    /// Whether `url` is a page of another bundle.
    fn leads_out(self, url: &str) -> bool {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        Route::of(path).bundle() != self.bundle
    }

    /// The browser has changed the address.
    fn popped(self) {
        let (before, now) = (self.fragment.get_value(), fragment());
        let location = current();
        let is_same_page = self.location.with_untracked(|known| known.url() == location.url());
        if is_same_page && location.note.is_none() && before != now {
            // Another place on the same page: the browser has made an entry without a note.
            let note = self.location.with_untracked(|known| note_value(known.note.as_deref()));
            let _ = history().map(|history| history.replace_state_with_url(&note, "", None));
            self.fragment.set_value(now);
        } else {
            self.moved();
        }
    }

    fn moved(self) {
        self.fragment.set_value(fragment());
        self.has_moved.set_value(true);
        let location = current();
        if self.location.with_untracked(|known| *known != location) {
            self.location.set(location);
        }
    }

    /// Opens links to pages of this bundle without loading a document.
    fn follow_link(self, event: &MouseEvent) {
        let has_modifier =
            event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        if event.default_prevented() || has_modifier {
            return;
        }
        let Some(link) = event.target().as_ref().and_then(closest_link) else { return };
        let is_own = window().location().origin().is_ok_and(|origin| origin == link.origin());
        if !is_own || link.has_attribute("target") || link.has_attribute("download") {
            return;
        }
        let url = link.pathname() + &link.search();
        if link.hash().is_empty() && !self.leads_out(&url) {
            event.prevent_default();
            self.go(&url);
        }
    }
}

fn closest_link(target: &web_sys::EventTarget) -> Option<HtmlAnchorElement> {
    target.dyn_ref::<Element>()?.closest("a[href]").ok()??.dyn_into().ok()
}

fn current() -> Location {
    let location = window().location();
    Location {
        path: location.pathname().unwrap_or_else(|_| "/".to_owned()),
        query: location.search().unwrap_or_default(),
        note: history().and_then(|history| history.state().ok()).and_then(|state| state.as_string()),
    }
}

fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

fn note_value(note: Option<&str>) -> JsValue {
    note.map_or(JsValue::NULL, JsValue::from_str)
}

/// Every window that shows a document has one.
fn history() -> Option<web_sys::History> {
    window().history().ok()
}
