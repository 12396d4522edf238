//! Replaces the static preview in a bundle's document by the application, without losing the focus.

use api::Bundle;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, HtmlTextAreaElement};

use crate::platform::{context, fetch};

/// Mounts `app` in place of the preview in one step, so that nothing is painted in between.
pub fn mount<V: IntoView + 'static>(bundle: Bundle, app: impl FnOnce() -> V + 'static) {
    api::send_with(fetch::post);
    let focus = Focus::read();
    let root: HtmlElement =
        document().get_element_by_id("app").expect("every document has an element with the id app").unchecked_into();
    root.set_inner_html("");
    leptos::mount::mount_to(root, move || {
        context::provide(bundle);
        app()
    })
    .forget();
    if let Some(focus) = focus {
        focus.restore();
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

/// The element that has the focus. If it is a field, also its text, and the selection in it.
struct Focus {
    id: String,
    field: Option<(String, u32, u32)>,
}

impl Focus {
    fn read() -> Option<Self> {
        let focused = document().active_element()?;
        let (text, start, end) = if let Some(input) = focused.dyn_ref::<HtmlInputElement>() {
            (input.value(), input.selection_start().ok()?, input.selection_end().ok()?)
        } else if let Some(area) = focused.dyn_ref::<HtmlTextAreaElement>() {
            (area.value(), area.selection_start().ok()?, area.selection_end().ok()?)
        } else {
            (String::new(), None, None)
        };
        Some(Self { id: focused.id(), field: start.zip(end).map(|(start, end)| (text, start, end)) })
    }

    fn restore(self) {
        let Some(element) = document().get_element_by_id(&self.id) else { return };
        if let Some(element) = element.dyn_ref::<HtmlElement>() {
            let _ = element.focus();
        }
        let Some((text, start, end)) = self.field else { return };
        // The page writes the text only later, which would move the caret to its end. If the selection cannot be set, the
        // caret is there too; that is good enough.
        if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
            input.set_value(&text);
            let _ = input.set_selection_range(start, end);
        } else if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
            area.set_value(&text);
            let _ = area.set_selection_range(start, end);
        }
    }
}
