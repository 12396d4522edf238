//! `/`: the form of a search, and the results of the search that the address names.

use api::{DEFAULT_LETTERS, SearchId};
use leptos::prelude::*;

use crate::platform::{context, time, url};
use crate::search::draft::Draft;
use crate::search::form::SearchForm;
use crate::search::results::Results;
use crate::search::submission::{Question, Submission};
use crate::ui::page::PageHeading;

/// The address is the search: submitting goes to an address, and an address that names a search runs it. The search's
/// id is stored in the history entry, so that going back shows the same search and does not count another one.
#[component]
pub fn SearchPage(draft: Draft) -> impl IntoView {
    let router = context::router();
    let submission = Submission::new();
    Effect::new(move |earlier: Option<()>| {
        let location = router.location();
        let (phrase, letters) = (location.parameter("phrase"), location.parameter("letters"));
        if phrase.is_none() && letters.is_none() {
            submission.clear();
            return;
        }
        let phrase = phrase.unwrap_or_default();
        let letters = letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
        let Some(id) = location.note.as_deref().and_then(|note| note.parse::<SearchId>().ok()) else {
            // The new entry has an id, and runs this effect again.
            let url = location.path + &location.query;
            router.replace(&url, Some(&time::new_id().to_string()));
            return;
        };
        // Keeps what was typed before the wasm was loaded.
        if earlier.is_some() || draft.is_untouched() {
            draft.set(&phrase, &letters);
        }
        submission.ask(Question { id, phrase, letters });
    });

    let submit = Callback::new(move |()| {
        let (phrase, letters) = (draft.phrase.get_untracked(), draft.letters.get_untracked());
        router.go_with_note(&url::of_search(&phrase, &letters), Some(&time::new_id().to_string()));
    });
    let results = move || submission.question().map(|question| view! { <Results question submission /> });
    view! {
        <div class="page page-narrow">
            <PageHeading text="Welcome to search4letters on the web!" />
            <SearchForm draft on_submit=submit />
            {results}
        </div>
    }
}
