//! Keyboard shortcuts: those that work on every page, the dialog that lists them, and the focus in lists.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, HtmlElement, KeyboardEvent, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::platform::context;
use crate::ui::dialog::Dialog;
use crate::ui::words;

/// How long `g` waits for the letter that names a page.
const CHORD_TIME: Duration = Duration::from_millis(1_500);

/// Handles the shortcuts of every page, and lists them on `?`.
#[component]
pub fn Shortcuts() -> impl IntoView {
    let is_open = RwSignal::new(false);
    listen(is_open);
    let row = |&(keys, effect): &(&'static str, &'static str)| {
        let keys = keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }.into_any()).collect_view();
        view! { <div class="help_row"><dt>{keys}</dt><dd>{effect}</dd></div> }.into_any()
    };
    let groups = words::KEY_GROUPS.map(|(heading, keys)| {
        view! { <h3>{heading}</h3><dl class="help_list">{keys.iter().map(row).collect_view()}</dl> }.into_any()
    });
    view! {
        <Dialog class="help_dialog" heading_id="help-title" heading=words::KEYS is_open>
            {groups.collect_view()}
        </Dialog>
    }
}

/// Opens the list of the keys, for those who do not know that `?` does.
pub fn show_help() {
    let dialog = document().query_selector("dialog[aria-labelledby=help-title]").ok().flatten();
    if let Some(dialog) = dialog.and_then(|dialog| dialog.dyn_into::<HtmlDialogElement>().ok()) {
        let _ = dialog.show_modal();
    }
}

fn listen(help: RwSignal<bool>) {
    let router = context::router();
    let is_going = RwSignal::new(false);
    let _ = window_event_listener(ev::keydown, move |event| {
        if is_command(&event) {
            let was_going = is_going.get_untracked();
            is_going.set(false);
            if was_going && event.key().len() == 1 {
                // The letter belongs to the chord, whether it names a page or not: no list takes it for its own.
                event.prevent_default();
            }
            match (was_going, event.key().as_str()) {
                (true, "l") => router.go("/viewlog"),
                (true, "j") => router.go("/jobs"),
                (true, "s") => router.go("/system"),
                (true, "a") => router.go("/audit"),
                (true, "w") => router.go("/lab"),
                (true, "h") => router.go("/"),
                (true, "r") => drop(focus("[data-go]")),
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

/// What browsers report as the key code of a key that belongs to an input method. Safari does not say so otherwise for
/// the key that ends a composition.
const INPUT_METHOD: u32 = 229;

/// Whether a key is a command: not typed into a field or an input method, and not a shortcut of the browser.
pub fn is_command(event: &KeyboardEvent) -> bool {
    let is_browsers = event.ctrl_key() || event.meta_key() || event.alt_key();
    !is_typing(event) && !is_of_input_method(event) && !event.default_prevented() && !is_browsers
}

pub fn is_typing(event: &KeyboardEvent) -> bool {
    is_on(event, "input, textarea, select, [contenteditable]")
}

pub fn is_of_input_method(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == INPUT_METHOD
}

/// Whether the browser closes something on Escape: a menu, or a modal dialog.
pub fn is_browsers_to_close() -> bool {
    document().query_selector(":popover-open, dialog:modal").is_ok_and(|topmost| topmost.is_some())
}

/// Whether a key was pressed on the page or on a list, rather than on a button or a link.
pub fn is_on_list(event: &KeyboardEvent) -> bool {
    !is_on(event, "a, button, summary")
}

/// Whether a key was pressed on an element that `selector` matches.
pub fn is_on(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| element.matches(selector).unwrap_or(false))
}

/// Focuses the first element in the document that `selector` matches, and says whether there is one.
pub fn focus(selector: &str) -> bool {
    let element = document().query_selector(selector).ok().flatten();
    let element = element.and_then(|element| element.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|element| element.focus().is_ok())
}

/// Scrolls the first element that `selector` matches into sight, within what it stands in.
pub fn reveal(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Whether no element has the focus: the next key is pressed on the page.
pub fn is_nothing_focused() -> bool {
    document().active_element().is_none_or(|element| element.tag_name() == "BODY")
}

/// Whether the focus is in an element that `selector` matches.
pub fn is_focus_within(selector: &str) -> bool {
    document().active_element().is_some_and(|element| element.closest(selector).is_ok_and(|outer| outer.is_some()))
}

/// A row of a list; its link opens it.
const LIST_ROW: &str = "tbody tr:has(.row_link)";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Next,
    Previous,
}

/// Moves the focus from the focused row to its neighbour, or to the first row of a list.
pub fn focus_row(step: Step) {
    let neighbour = focused_row().and_then(|row| match step {
        Step::Next => row.next_element_sibling(),
        Step::Previous => row.previous_element_sibling(),
    });
    let row = neighbour.or_else(|| document().query_selector(LIST_ROW).ok().flatten());
    if let Some(link) = row.and_then(|row| within(&row, ".row_link")) {
        let _ = link.focus();
    }
}

/// Presses the button that `selector` matches in the focused row.
pub fn press_in_row(selector: &str) {
    if let Some(button) = focused_row().and_then(|row| within(&row, selector)) {
        button.click();
    }
}

fn focused_row() -> Option<Element> {
    document().active_element()?.closest(LIST_ROW).ok().flatten()
}

fn within(row: &Element, selector: &str) -> Option<HtmlElement> {
    row.query_selector(selector).ok()??.dyn_into().ok()
}
