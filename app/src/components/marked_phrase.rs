//! A phrase in which the letters that were found are marked.

use leptos::prelude::*;

use crate::marking::{Run, RunKind};

/// So many characters never have to be scrolled, however narrow the screen. More may have to, and then by keyboard too;
/// the usual phrase shall not cost a stop on the way of the Tab key.
const NEVER_SCROLLED: usize = 100;

#[component]
pub fn MarkedPhrase(runs: Vec<Run>) -> impl IntoView {
    let run = |Run { kind, text }: Run| match kind {
        RunKind::Plain => text.into_any(),
        RunKind::Found => view! { <mark>{text}</mark> }.into_any(),
    };
    let may_scroll = runs.iter().flat_map(|run| run.text.chars()).nth(NEVER_SCROLLED).is_some();
    view! {
        <p class="marked_phrase" dir="auto" tabindex=may_scroll.then_some("0")>
            {runs.into_iter().map(run).collect::<Vec<_>>()}
        </p>
    }
}
