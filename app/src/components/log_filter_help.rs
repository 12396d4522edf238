//! What can be written in the log's filter.

use api::FilterKey;
use leptos::html;
use leptos::prelude::*;

use crate::components::{Icon, Sign};

/// What each term finds.
const TERMS: [(FilterKey, &str); 10] = [
    (FilterKey::Phrase, "The phrase, or with ~ a part of it"),
    (FilterKey::Letters, "The letters that were looked for"),
    (FilterKey::Results, "The letters found: these and no others, or with ~ these among others"),
    (FilterKey::Ip, "The address, or its network"),
    (FilterKey::Browser, "The browser's family"),
    (FilterKey::Agent, "The User-Agent header"),
    (FilterKey::Since, "Recorded so long ago at most (s, m, h, d, w), or since a time"),
    (FilterKey::Before, "Recorded before a time, or longer ago"),
    (FilterKey::Row, "The row's number"),
    (FilterKey::Search, "The search's id"),
];

#[component]
pub fn LogFilterHelp() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let open = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            // Refused only where it is open already.
            let _ = dialog.show_modal();
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let terms = TERMS.map(|(key, finds)| {
        view! { <div class="help_row"><dt><code>{key.example()}</code></dt><dd>{finds}</dd></div> }
    });
    view! {
        <button class="button button-small" type="button" aria-haspopup="dialog" on:click=open>"What can I write?"</button>
        <dialog class="help_dialog filter_help" node_ref=dialog aria-labelledby="filter-help-title">
            <header class="dialog_head">
                <h2 id="filter-help-title">"The filter"</h2>
                <button class="button button-icon" type="button" aria-label="Close" on:click=close>
                    <Icon sign=Sign::Close />
                </button>
            </header>
            <p>
                "Words are looked for in all fields, texts with spaces in quotes: " <code>"\"free text\""</code>
                ". Rows are shown for which all terms hold; a minus turns one round: " <code>"-browser:firefox"</code>
                ". Upper and lower case are the same from a to z. A time without Z or an offset is UTC."
            </p>
            <dl class="help_list">{terms.collect_view()}</dl>
        </dialog>
    }
}
