//! The results of a search, and its receipt.

use api::{ADDRESS_LIMIT, search4letters, set_text};
use leptos::html;
use leptos::prelude::*;

use crate::platform::effect::effect;
use crate::platform::{context, url};
use crate::search::marked::{self, verdict};
use crate::search::receipt::SearchReceipt;
use crate::search::submission::{Progress, Question, Submission};
use crate::search::words;
use crate::ui::copy_button::CopyButton;
use crate::ui::highlight;
use crate::ui::icon::Symbol;
use crate::ui::notice::{Notice, Tone};
use crate::ui::part::{part, text_part};

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
    let sentence = verdict(found.len(), &letters);
    let python = set_text(&found);
    let listed = found.iter().copied().map(marked::shown).collect::<Vec<_>>().join(", ");
    let listed = if found.is_empty() { words::NO_LETTERS_FOUND.to_owned() } else { listed };
    let address = url::of_search(&phrase, &letters);
    let link = (address.len() <= ADDRESS_LIMIT).then(|| url::absolute(&address));
    let printed = link.clone();
    let shown = highlight::visible(&phrase);
    let is_shared = move || submission.progress() == Progress::Unasked;
    let section = NodeRef::<html::Section>::new();
    // On a phone the receipt may end below the window. A page that was just opened stays at its top.
    let has_moved = context::router().has_moved();
    effect(move || {
        if let Some(section) = section.get().filter(|_| has_moved) {
            section.scroll_into_view_with_scroll_into_view_options(&nearest());
        }
    });
    view! {
        <section class="results card" aria-labelledby="results-title" node_ref=section>
            <header class="card_head">
                <h2 id="results-title">{text_part(move || if is_shared() { words::SHARED_RESULTS } else { words::RESULTS })}</h2>
                {match link {
                    Some(link) => view! { <CopyButton label=words::COPY_LINK symbol=Symbol::Link text=link /> }.into_any(),
                    None => view! { <span class="muted">{words::NO_LINK}</span> }.into_any(),
                }}
            </header>
            // The style sheet shows it while the form has another search. Otherwise it stands there.
            <p class="results_phrase" dir="auto" translate="no">{shown}</p>
            <div class="results_text">
                <strong class="results_letters" translate="no">{listed}</strong>
                <p class="results_sentence">{sentence}</p>
                // As Python writes the set.
                <CopyButton label=words::COPY text=python />
            </div>
            // Only on paper, which has no address bar.
            <p class="results_address" translate="no">{printed}</p>
            {part(move || is_shared().then(|| view! { <NotAsked on_ask /> }.into_any()))}
            <SearchReceipt submission />
        </section>
    }
}

fn nearest() -> web_sys::ScrollIntoViewOptions {
    let options = web_sys::ScrollIntoViewOptions::new();
    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
    options
}

/// Says that the search was not made here, and offers to make it.
#[component]
fn NotAsked(on_ask: Callback<()>) -> impl IntoView {
    view! {
        <div class="not_asked">
            <Notice tone=Tone::Info text=words::NOT_ASKED>
                <button class="button" type="button" on:click=move |_| on_ask.run(())>{words::LOG_THIS_SEARCH}</button>
            </Notice>
        </div>
    }
}
