//! What is wrong with a filter, pointing at the characters.

use api::FilterError;
use leptos::prelude::*;

use crate::marking;

#[component]
pub fn LogFilterError(
    id: &'static str,
    #[prop(into)] text: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<FilterError>>,
) -> impl IntoView {
    let shown = move || {
        let (error, text) = (error.get()?, text.get()?);
        let part =
            |start: usize, length: usize| marking::visible(&text.chars().skip(start).take(length).collect::<String>());
        let (before, fault) = (part(0, error.at.start), part(error.at.start, error.at.len()));
        let after = part(error.at.end, usize::MAX);
        Some(view! {
            <code class="filter_fault">
                <span>{before}</span>
                // Where something is missing there is nothing to mark but the place.
                <mark data-missing=error.at.is_empty().then_some("")>{fault}</mark>
                <span>{after}</span>
            </code>
            <span>{error.message}</span>
        })
    };
    view! { <p class="filter_error" id=id role="alert">{shown}</p> }
}
