//! The keys that work on every page. Lists have their own on top of these.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use crate::context;

/// How long `g` waits for the letter that says where to go.
const CHORD_TIME: Duration = Duration::from_millis(1_500);

/// What the keys do, for the list of keys.
pub const HELP: [(&str, &str); 11] = [
    ("?", "Show this list"),
    ("/", "Filter the list"),
    ("g r", "Go to a row or a time, in the log"),
    ("j k", "Move down and up in a list"),
    ("Enter", "Open what is selected"),
    ("Esc", "Close, or deselect"),
    ("g l", "Go to the log"),
    ("g j", "Go to the jobs"),
    ("g s", "Go to the system"),
    ("g w", "Go to the waiting lab"),
    ("g h", "Go home, to the search"),
];

pub fn listen() {
    let navigation = context::navigation();
    let help = context::help_open().0;
    let is_going = RwSignal::new(false);
    let _ = window_event_listener(ev::keydown, move |event| {
        if is_command(&event) {
            let was_going = is_going.get_untracked();
            is_going.set(false);
            match (was_going, event.key().as_str()) {
                (true, "l") => navigation.go("/viewlog"),
                (true, "j") => navigation.go("/jobs"),
                (true, "s") => navigation.go("/system"),
                (true, "w") => navigation.go("/lab"),
                (true, "h") => navigation.go("/"),
                (true, "r") if focus("[data-go]") => event.prevent_default(),
                (false, "g") => {
                    is_going.set(true);
                    set_timeout(move || is_going.set(false), CHORD_TIME);
                }
                (false, "?") => help.set(true),
                (false, "/") if focus("[data-filter]") => event.prevent_default(),
                _ => {}
            }
        }
    });
}

/// Whether a key is meant as a command: not typed into a field, not one of the browser's own.
#[must_use]
pub fn is_command(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let is_typing = target.is_some_and(|element| element.matches("input, textarea, select").unwrap_or(false));
    !is_typing && !event.default_prevented() && !event.ctrl_key() && !event.meta_key() && !event.alt_key()
}

/// Puts the focus into the field that `selector` finds, if there is one.
fn focus(selector: &str) -> bool {
    let field = document().query_selector(selector).ok().flatten();
    let field = field.and_then(|element| element.dyn_into::<HtmlElement>().ok());
    field.is_some_and(|field| field.focus().is_ok())
}

/// Whether a key was pressed on the page or on a list, and not on a button or a link.
#[must_use]
pub fn is_on_list(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_none_or(|element| !element.matches("a, button, summary").unwrap_or(false))
}

/// A row of a list: its link leads to what it is about.
const LIST_ROW: &str = "tbody tr:has(.row_link)";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Next,
    Previous,
}

/// Moves the focus from the row that has it to its neighbour, or to the first row of a list.
pub fn focus_row(step: Step) {
    let neighbour = focused_row().and_then(|row| match step {
        Step::Next => row.next_element_sibling(),
        Step::Previous => row.previous_element_sibling(),
    });
    let row = neighbour.or_else(|| document().query_selector(LIST_ROW).ok().flatten());
    let link = row.and_then(|row| row.query_selector(".row_link").ok().flatten());
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        let _ = link.focus();
    }
}

/// Presses the button that `selector` finds in the row that has the focus.
pub fn press_in_row(selector: &str) {
    let button = focused_row().and_then(|row| row.query_selector(selector).ok().flatten());
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        button.click();
    }
}

fn focused_row() -> Option<Element> {
    document().active_element()?.closest(LIST_ROW).ok().flatten()
}
