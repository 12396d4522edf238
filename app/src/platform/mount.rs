//! Replaces the static preview in index.html or console.html by the application, without losing the focus.

use api::Bundle;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, HtmlTextAreaElement};

use crate::platform::{context, fetch};

/// Mounts `app` in place of the preview in one step, so that nothing is painted in between.
pub fn mount<V: IntoView + 'static>(bundle: Bundle, app: impl FnOnce() -> V + 'static) {
    api::send_with(fetch::post);
    let caret = Caret::read();
    let root: HtmlElement =
        document().get_element_by_id("app").expect("both pages have an element with the id app").unchecked_into();
    root.set_inner_html("");
    leptos::mount::mount_to(root, move || {
        context::provide(bundle);
        app()
    })
    .forget();
    if let Some(caret) = caret {
        caret.restore();
    }
}

/// Whether the visitor has submitted the preview's form. boot.js holds the form back until the wasm is there.
pub fn take_submitted() -> bool {
    let Some(root) = document().document_element() else { return false };
    let is_submitted = root.has_attribute("data-submitted");
    let _ = root.remove_attribute("data-submitted");
    is_submitted
}

/// The text in the preview's field with this id.
pub fn preview_value(id: &str) -> Option<String> {
    let element = document().get_element_by_id(id)?;
    let input = element.dyn_ref::<HtmlInputElement>().map(HtmlInputElement::value);
    input.or_else(|| element.dyn_ref::<HtmlTextAreaElement>().map(HtmlTextAreaElement::value))
}

/// The field that has the focus, and the selection in it.
struct Caret {
    field: String,
    start: u32,
    end: u32,
}

impl Caret {
    fn read() -> Option<Self> {
        let focused = document().active_element()?;
        let (start, end) = if let Some(input) = focused.dyn_ref::<HtmlInputElement>() {
            (input.selection_start().ok()??, input.selection_end().ok()??)
        } else {
            let area = focused.dyn_ref::<HtmlTextAreaElement>()?;
            (area.selection_start().ok()??, area.selection_end().ok()??)
        };
        Some(Self { field: focused.id(), start, end })
    }

    fn restore(self) {
        let Some(element) = document().get_element_by_id(&self.field) else { return };
        if let Some(element) = element.dyn_ref::<HtmlElement>() {
            let _ = element.focus();
        }
        // If the selection cannot be set, the caret is at the end; that is good enough.
        if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
            let _ = input.set_selection_range(self.start, self.end);
        } else if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
            let _ = area.set_selection_range(self.start, self.end);
        }
    }
}
