//! Code in texts.

use leptos::prelude::*;

/// A text in which every second part between backticks is code.
pub fn with_code(text: &'static str) -> impl IntoView {
    let part = |(index, part): (usize, &'static str)| {
        if index % 2 == 1 { view! { <code translate="no">{part}</code> }.into_any() } else { part.into_any() }
    };
    text.split('`').enumerate().map(part).collect_view()
}
