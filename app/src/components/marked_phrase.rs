//! A phrase in which the letters that were found are marked.

use leptos::prelude::*;

use crate::marking::{Run, RunKind};

#[component]
pub fn MarkedPhrase(#[prop(into)] runs: Signal<Vec<Run>>) -> impl IntoView {
    let run = |Run { kind, text }: Run| match kind {
        RunKind::Plain => text.into_any(),
        RunKind::Found => view! { <mark>{text}</mark> }.into_any(),
    };
    view! {
        <p class="marked_phrase" dir="auto">
            {move || runs.get().into_iter().map(run).collect::<Vec<_>>()}
        </p>
    }
}
