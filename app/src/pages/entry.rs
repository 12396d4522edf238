//! `/`: the search, and below it what was found.

use api::{DEFAULT_LETTERS, SearchId};
use leptos::prelude::*;

use crate::components::{PageHeading, Results, SearchForm};
use crate::context;
use crate::submission::{Question, Submission, new_id};
use crate::url;

/// The address is the search: submitting goes to an address, and an address that names a
/// search runs it. The search's id lies in the history entry, so that going back shows a
/// search, under its id, and does not count another one.
#[component]
pub fn EntryPage() -> impl IntoView {
    let navigation = context::navigation();
    let draft = context::draft();
    let submission = Submission::new();
    Effect::new(move |earlier: Option<()>| {
        let place = navigation.place();
        let (phrase, letters) = (place.parameter("phrase"), place.parameter("letters"));
        if phrase.is_none() && letters.is_none() {
            submission.clear();
            return;
        }
        let phrase = phrase.unwrap_or_default();
        let letters = letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
        let Some(id) = place.note.as_deref().and_then(|note| note.parse::<SearchId>().ok()) else {
            // The address came without an id: given one, it comes round here again.
            let url = place.path + &place.query;
            navigation.replace(&url, Some(&new_id().to_string()));
            return;
        };
        // What was typed before the wasm was there is not overwritten.
        if earlier.is_some() || draft.is_untouched() {
            draft.set(&phrase, &letters);
        }
        submission.ask(Question { id, phrase, letters });
    });

    let submit = Callback::new(move |()| {
        let (phrase, letters) = (draft.phrase.get_untracked(), draft.letters.get_untracked());
        navigation.go_noting(&url::of_search(&phrase, &letters), Some(&new_id().to_string()));
    });
    let retry = Callback::new(move |()| submission.send_again());
    let results =
        move || submission.question().map(|question| view! { <Results question submission on_retry=retry /> });
    view! {
        <div class="page page-narrow">
            <PageHeading text="Welcome to search4letters on the web!" />
            <SearchForm on_submit=submit />
            {results}
        </div>
    }
}
