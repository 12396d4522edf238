//! Rows that open something when they are pressed. Each row also has a real link, which keyboards and screen readers use.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// Handles a click, or a press of the middle button, on a row whose link leads to `address`. Where a link would open a tab,
/// so does the row. A press that has selected text, or that hit a control within the row, opens nothing.
pub fn press(event: &MouseEvent, address: &str, open: impl FnOnce()) {
    if event.default_prevented() || hits(event, "button, input, label, summary, [data-own]") {
        return;
    }
    if has_selected_text() {
        event.prevent_default();
        return;
    }
    let opens_tab = event.button() == 1 || event.ctrl_key() || event.meta_key() || event.shift_key();
    match (opens_tab, hits(event, "a")) {
        // The browser does that.
        (true, true) => {}
        (true, false) => drop(window().open_with_url_and_target_and_features(address, "_blank", "noopener")),
        // Other buttons have menus.
        (false, _) if event.button() == 0 => {
            event.prevent_default();
            open();
        }
        (false, _) => {}
    }
}

fn hits(event: &MouseEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.closest(selector).is_ok_and(|control| control.is_some()))
}

fn has_selected_text() -> bool {
    window().get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed())
}
