//! How many of something there are; leads to where one sees them.

use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::wording;

#[component]
pub fn CountTab(
    address: String,
    word: &'static str,
    sign: Sign,
    /// The state whose colour it has.
    color: Option<&'static str>,
    /// Whether what it leads to is shown already.
    #[prop(optional)]
    is_chosen: Signal<bool>,
    #[prop(into)] count: Signal<Option<u64>>,
) -> impl IntoView {
    view! {
        <a
            class="count_tab"
            href=address
            data-state=color
            aria-current=move || is_chosen.get().then_some("true")
        >
            <span class="count_tab_word"><Icon sign />{word}</span>
            <span class="count_tab_number">{move || count.get().map(wording::number)}</span>
        </a>
    }
}
