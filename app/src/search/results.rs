//! The results of a search, and its receipt.

use api::{ADDRESS_LIMIT, search4letters, set_text};
use leptos::prelude::*;

use crate::platform::url;
use crate::search::highlighted::{HighlightedPhrase, LetterChips};
use crate::search::receipt::ReceiptSteps;
use crate::search::submission::{Progress, Question, Submission};
use crate::ui::copy_button::CopyButton;
use crate::ui::highlight::{self, Run, runs};
use crate::ui::icon::Symbol;
use crate::ui::notice::{Notice, Tone};
use crate::ui::part::part;

#[component]
pub fn Results(
    question: Question,
    submission: Submission,
    /// Asks a search that came with a link.
    on_ask: Callback<()>,
) -> impl IntoView {
    let Question { phrase, letters, .. } = question;
    // The server computes the same result; there is no need to wait for it.
    let found = search4letters(&phrase, &letters);
    let python = set_text(&found);
    let listed = found.iter().map(|letter| highlight::visible(&letter.to_string())).collect::<Vec<_>>().join(", ");
    let listed = if found.is_empty() { "No letters found".to_owned() } else { listed };
    let (phrase_runs, letter_runs) = (runs(&phrase, &found), runs(&letters, &found));
    let is_empty = found.is_empty();
    let address = url::of_search(&phrase, &letters);
    let link = (address.len() <= ADDRESS_LIMIT).then(|| window().location().origin().unwrap_or_default() + &address);
    view! {
        <section class="results card" aria-labelledby="results-title">
            <header class="card_head">
                <h2 id="results-title">"Here are your results:"</h2>
                {match link {
                    Some(link) => view! { <CopyButton label="Copy link" symbol=Symbol::Link text=link /> }.into_any(),
                    None => view! { <span class="muted">"Too long for a link"</span> }.into_any(),
                }}
            </header>
            {part(move || (submission.progress() == Progress::Unasked).then(|| view! { <NotAsked on_ask /> }.into_any()))}
            <dl class="facts">
                <dt>"Phrase"</dt>
                <dd>{phrase_or_empty(phrase_runs)}</dd>
                <dt>"Letters"</dt>
                <dd>{phrase_or_empty(letter_runs)}</dd>
                <dt>"Results"</dt>
                <dd class="results_found">
                    {(!is_empty).then(|| view! { <LetterChips label="Results" letters=found /> })}
                    <span class="results_text">
                        <span class="results_letters" translate="no">{listed}</span>
                        // As Python writes the set.
                        <CopyButton label="Copy" text=python />
                    </span>
                </dd>
            </dl>
            <ReceiptSteps submission />
        </section>
    }
}

/// Says that the search was not made here, and offers to make it.
#[component]
fn NotAsked(on_ask: Callback<()>) -> impl IntoView {
    view! {
        <div class="not_asked">
            <Notice tone=Tone::Info text="This search came with a link. It was not recorded.">
                <button class="button" type="button" on:click=move |_| on_ask.run(())>"Search"</button>
            </Notice>
        </div>
    }
}

fn phrase_or_empty(runs: Vec<Run>) -> AnyView {
    if runs.is_empty() {
        return view! { <span class="muted">"(empty)"</span> }.into_any();
    }
    view! { <HighlightedPhrase runs /> }.into_any()
}
