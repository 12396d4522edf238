//! `/`: the form of a search, and the results of the search that the address names.

use api::search4letters;
use leptos::prelude::*;

use crate::platform::context;
use crate::platform::effect::effect;
use crate::platform::mount::take_submitted;
use crate::search::draft::Draft;
use crate::search::form::SearchForm;
use crate::search::marked::verdict;
use crate::search::outbox::{Outbox, OutboxNotice};
use crate::search::public_ledger::Ledger;
use crate::search::receipt::NoReceipt;
use crate::search::results::Results;
use crate::search::submission::{Progress, Question, Submission};
use crate::search::visit::Visit;
use crate::search::words;
use crate::ui::page::PageHeading;
use crate::ui::part::{part, text_part};

/// Each search is an entry of the browser's history. Its address shows the search to others, too; only the entry itself
/// knows that the search was made here.
#[component]
pub fn SearchPage(draft: Draft, outbox: Outbox) -> impl IntoView {
    let router = context::router();
    let submission = Submission::new(outbox);
    let submit = move |visit: Visit| {
        let shown = untrack(|| Visit::at(&router.location()));
        let is_shown = shown.is_some_and(|Visit { question, .. }| {
            question.id.is_none() && (question.phrase, question.letters) == asked(&visit)
        });
        // What came with a link becomes the visitor's own search.
        if is_shown {
            router.replace(&visit.address(), Some(&visit.note()));
        } else {
            router.go_with_note(&visit.address(), Some(&visit.note()));
        }
    };
    let submit_draft =
        Callback::new(move |()| submit(Visit::new(draft.phrase.get_untracked(), draft.letters.get_untracked())));
    let submit_shown = Callback::new(move |()| {
        if let Some(question) = untrack(|| submission.question()) {
            submit(Visit::new(question.phrase, question.letters));
        }
    });
    if take_submitted() && draft.faulty_field().is_none() {
        submit_draft.run(());
    }
    let mut is_first = true;
    effect(move || {
        let was_first = std::mem::take(&mut is_first);
        let Some(visit) = Visit::at(&router.location()) else {
            submission.clear();
            return;
        };
        let (phrase, letters) = asked(&visit);
        // Keeps what was typed before the wasm was loaded, and while the search was on its way.
        if submission.show(visit) && (!was_first || draft.is_untouched()) {
            draft.set(&phrase, &letters);
        }
    });
    effect(move || {
        let Progress::Answered(answer) = submission.progress() else { return };
        let (location, asked) = untrack(|| (router.location(), submission.question()));
        // The visitor may be at another entry by now. That of the search is asked again when it is shown, by its id.
        let unanswered = Visit::at(&location).filter(|visit| visit.answer.is_none());
        if let Some(mut visit) = unanswered.filter(|visit| Some(&visit.question) == asked.as_ref()) {
            visit.answer = Some(answer);
            router.replace(&location.url(), Some(&visit.note()));
        }
    });
    // Whether the form has the search whose results are shown, or another one.
    let asked_for = move || {
        let question = submission.question()?;
        Some(if draft.asks(&question) { "" } else { "changed" })
    };
    let results = part(move || match submission.question() {
        Some(question) => view! { <Results question submission on_ask=submit_shown /> }.into_any(),
        None => view! { <NoReceipt /> }.into_any(),
    });
    // A screen reader hears only what changes in an element that is there already.
    let spoken = move || {
        let Some(Question { phrase, letters, .. }) = submission.question() else { return String::new() };
        format!("{} {}", words::RESULTS, verdict(search4letters(&phrase, &letters).len(), &letters))
    };
    view! {
        <div class="page search_page" data-asked=part(asked_for)>
            <header class="hero">
                <PageHeading text=words::WELCOME />
                <p class="display">{words::PROMISE[0]}<br />{words::PROMISE[1]}</p>
                <p class="lead">{words::LEAD}</p>
            </header>
            <div class="search_columns">
                <SearchForm draft on_submit=submit_draft />
                <div class="search_outcome">
                    {results}
                    <OutboxNotice outbox />
                </div>
            </div>
            <Ledger settled=submission.settled />
            <p class="visually_hidden" role="status">{text_part(spoken)}</p>
        </div>
    }
}

fn asked(visit: &Visit) -> (String, String) {
    (visit.question.phrase.clone(), visit.question.letters.clone())
}
