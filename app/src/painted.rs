//! Takes over from what index.html or console.html has painted, without losing what was typed in the form.

use api::Bundle;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, HtmlTextAreaElement};

use crate::context;
use crate::draft::{Draft, Field};

/// Where the caret was.
struct Caret {
    field: &'static str,
    start: u32,
    end: u32,
}

/// Replaces the painted page by `app` in one step, so that nothing is painted in between.
pub fn take_over<V: IntoView + 'static>(bundle: Bundle, app: impl FnOnce() -> V + 'static) {
    let draft = Draft::new(value(Field::Phrase), value(Field::Letters));
    let caret = caret();
    let root: HtmlElement =
        document().get_element_by_id("app").expect("both pages have an element with the id app").unchecked_into();
    root.set_inner_html("");
    leptos::mount::mount_to(root, move || {
        context::provide(bundle, draft);
        app()
    })
    .forget();
    if let Some(caret) = caret {
        restore(&caret);
    }
}

fn value(field: Field) -> Option<String> {
    let element = document().get_element_by_id(field.name())?;
    let input = element.dyn_ref::<HtmlInputElement>().map(HtmlInputElement::value);
    input.or_else(|| element.dyn_ref::<HtmlTextAreaElement>().map(HtmlTextAreaElement::value))
}

fn caret() -> Option<Caret> {
    let focused = document().active_element()?;
    let field = Field::ALL.into_iter().find(|field| focused.id() == field.name())?.name();
    let (start, end) = if let Some(input) = focused.dyn_ref::<HtmlInputElement>() {
        (input.selection_start().ok()??, input.selection_end().ok()??)
    } else {
        let area = focused.dyn_ref::<HtmlTextAreaElement>()?;
        (area.selection_start().ok()??, area.selection_end().ok()??)
    };
    Some(Caret { field, start, end })
}

fn restore(caret: &Caret) {
    let Some(element) = document().get_element_by_id(caret.field) else { return };
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
    // A caret that cannot be set stands at the end: not worth more than that.
    if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
        let _ = input.set_selection_range(caret.start, caret.end);
    } else if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        let _ = area.set_selection_range(caret.start, caret.end);
    }
}
