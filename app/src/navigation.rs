//! Where the visitor is: the address bar as a signal, and the ways to change it. Pages of the other bundle are left to
//! the browser, which loads its document.
//!
//! Written for this client rather than taken from a router crate because a search keeps its
//! id in the history entry, which decides whether going back repeats a search or shows it.

use api::{Bundle, Route};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent, NavigationType, PerformanceNavigationTiming, UrlSearchParams};

#[derive(Clone, Copy)]
pub struct Navigation {
    bundle: Bundle,
    place: RwSignal<Place>,
    route: Memo<Route>,
    has_moved: StoredValue<bool>,
}

/// An entry of the browser's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    /// With its question mark; empty where there is none.
    pub query: String,
    /// What the page has noted in the entry: the id of the search that it shows.
    pub note: Option<String>,
}

impl Place {
    /// The value of a parameter in the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        UrlSearchParams::new_with_str(&self.query).ok()?.get(name)
    }
}

impl Navigation {
    /// Reads the address bar and follows it from now on, as far as the pages of `bundle` go.
    #[must_use]
    pub fn start(bundle: Bundle) -> Self {
        let mut first = current();
        if !is_come_back_to() {
            // A page that is loaded, or loaded again, is a new visit: what an earlier one noted is void.
            first.note = None;
        }
        let place = RwSignal::new(first);
        let route = Memo::new(move |_| place.with(|place| Route::of(&place.path)));
        let navigation = Self { bundle, place, route, has_moved: StoredValue::new(false) };
        let _ = window_event_listener(ev::popstate, move |_| navigation.moved());
        let _ = window_event_listener(ev::click, move |event| navigation.follow_link(&event));
        navigation
    }

    #[must_use]
    pub fn route(self) -> Memo<Route> {
        self.route
    }

    #[must_use]
    pub fn place(self) -> Place {
        self.place.get()
    }

    /// Whether the visitor has come to this page from another one of ours.
    #[must_use]
    pub fn has_moved(self) -> bool {
        self.has_moved.get_value()
    }

    /// The value of a parameter in the query.
    #[must_use]
    pub fn parameter(self, name: &'static str) -> Memo<Option<String>> {
        Memo::new(move |_| self.place.with(|place| place.parameter(name)))
    }

    /// Opens `url`, one of ours, as a new entry of the history.
    pub fn go(self, url: &str) {
        self.go_noting(url, None);
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }

    /// Opens `url` as a new entry that carries a note.
    pub fn go_noting(self, url: &str, note: Option<&str>) {
        if self.leads_out(url) {
            let _ = window().location().assign(url);
            return;
        }
        // A refused entry (browsers limit their rate) leaves the visitor where they are.
        if history().push_state_with_url(&note_value(note), "", Some(url)).is_ok() {
            self.moved();
        }
    }

    /// Changes the current entry: going back does not lead here.
    pub fn replace(self, url: &str, note: Option<&str>) {
        if self.leads_out(url) {
            let _ = window().location().replace(url);
            return;
        }
        if history().replace_state_with_url(&note_value(note), "", Some(url)).is_ok() {
            self.moved();
        }
    }

    /// Whether `url`, one of ours, is a page of the other bundle.
    fn leads_out(self, url: &str) -> bool {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        Route::of(path).bundle() != self.bundle
    }

    fn moved(self) {
        self.has_moved.set_value(true);
        let place = current();
        if self.place.with_untracked(|known| *known != place) {
            self.place.set(place);
        }
    }

    /// Opens links to our own pages without loading the document again.
    fn follow_link(self, event: &MouseEvent) {
        let wants_other =
            event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        if event.default_prevented() || wants_other {
            return;
        }
        let Some(link) = event.target().as_ref().and_then(closest_link) else { return };
        let location = window().location();
        let is_ours = location.origin().is_ok_and(|origin| origin == link.origin());
        if !is_ours || link.has_attribute("target") || link.has_attribute("download") || !link.hash().is_empty() {
            return;
        }
        let url = link.pathname() + &link.search();
        if !self.leads_out(&url) {
            event.prevent_default();
            self.go(&url);
        }
    }
}

fn closest_link(target: &web_sys::EventTarget) -> Option<HtmlAnchorElement> {
    target.dyn_ref::<Element>()?.closest("a[href]").ok()??.dyn_into().ok()
}

fn current() -> Place {
    let location = window().location();
    Place {
        path: location.pathname().unwrap_or_else(|_| "/".to_owned()),
        query: location.search().unwrap_or_default(),
        note: history().state().ok().and_then(|state| state.as_string()),
    }
}

/// Whether the document was loaded because the visitor went back or forward in the history.
fn is_come_back_to() -> bool {
    let entries = window().performance().map(|performance| performance.get_entries_by_type("navigation"));
    let how = entries.and_then(|entries| entries.get(0).dyn_into::<PerformanceNavigationTiming>().ok());
    how.is_some_and(|how| how.type_() == NavigationType::BackForward)
}

fn note_value(note: Option<&str>) -> JsValue {
    note.map_or(JsValue::NULL, JsValue::from_str)
}

fn history() -> web_sys::History {
    window().history().expect("a window that shows a document has a history")
}
