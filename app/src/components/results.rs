//! What a search has found, and what has become of its record.

use api::{search4letters, set_text};
use leptos::prelude::*;

use crate::components::{CopyButton, LetterChips, MarkedPhrase, ReceiptSteps, Sign};
use crate::marking::runs;
use crate::submission::{Question, Submission};
use crate::url;

#[component]
pub fn Results(question: Question, submission: Submission, on_retry: Callback<()>) -> impl IntoView {
    let Question { phrase, letters, .. } = question;
    // The server computes the same: its answer is not awaited for what is known here.
    let found = search4letters(&phrase, &letters);
    let text = set_text(&found);
    let phrase_runs = runs(&phrase, &found);
    let letter_runs = runs(&letters, &found);
    let is_empty = found.is_empty();
    let link = window().location().origin().unwrap_or_default() + &url::of_search(&phrase, &letters);
    view! {
        <section class="results card" aria-labelledby="results-title">
            <header class="card_head">
                <h2 id="results-title">"Here are your results:"</h2>
                <CopyButton label="Copy link" sign=Sign::Link text=link />
            </header>
            <dl class="facts">
                <dt>"Phrase"</dt>
                <dd>{if phrase.is_empty() { empty() } else { view! { <MarkedPhrase runs=phrase_runs /> }.into_any() }}</dd>
                <dt>"Letters"</dt>
                <dd>{if letters.is_empty() { empty() } else { view! { <MarkedPhrase runs=letter_runs /> }.into_any() }}</dd>
                <dt>"Results"</dt>
                <dd class="results_found">
                    {(!is_empty).then(|| view! { <LetterChips label="Results" letters=found /> })}
                    <span class="results_text">
                        <code>{text.clone()}</code>
                        <CopyButton label="Copy" text />
                    </span>
                </dd>
            </dl>
            <ReceiptSteps submission on_retry />
        </section>
    }
}

fn empty() -> AnyView {
    view! { <span class="muted">"(empty)"</span> }.into_any()
}
