//! What is shown where the log's rows are missing: because they come, because there are none, or because they could not
//! be read.

use api::FilterError;
use leptos::prelude::*;

use crate::components::{Loading, Notice, Tone};
use crate::log_book::LogBook;
use crate::log_feed::{LogFeed, Reading, Way};
use crate::wording;

#[component]
pub fn LogState(feed: LogFeed, #[prop(into)] error: Signal<Option<FilterError>>) -> impl IntoView {
    let is_empty = Memo::new(move |_| feed.book.with(LogBook::is_empty));
    let is_complete = Memo::new(move |_| feed.book.with(|book| book.is_complete));
    let is_looking = Memo::new(move |_| feed.look.with(Option::is_some));
    move || match (feed.reading.get(), is_empty.get()) {
        (Reading::Failed(_, error), _) => view! {
            <div class="log_state">
                <Notice tone=Tone::Error text=error.message>
                    <button class="button" type="button" on:click=move |_| feed.go_on()>"Try again"</button>
                </Notice>
            </div>
        }
        .into_any(),
        // Once it is known how far the look has come, that is shown.
        (Reading::Rows(_), true) if !is_looking.get() => view! { <div class="log_state"><Loading /></div> }.into_any(),
        (Reading::Nothing, true) if error.with(Option::is_some) => view! {
            <div class="log_state empty_state">
                <p>"Nothing is shown, because the filter cannot be read."</p>
                <a class="button" href="/viewlog">"Show all rows"</a>
            </div>
        }
        .into_any(),
        (Reading::Nothing, true) if is_complete.get() => {
            let looked = feed.look.with(|look| look.and_then(|look| look.progress(Way::Older)));
            let none = if feed.is_filtered() { no_match(looked).into_any() } else { no_search().into_any() };
            view! { <div class="log_state empty_state">{none}</div> }.into_any()
        }
        _ => ().into_any(),
    }
}

fn no_match(looked: Option<(u64, u64)>) -> impl IntoView {
    let looked = looked.map(|(looked, _)| {
        let rows = wording::counted(usize::try_from(looked).unwrap_or(usize::MAX), "row");
        view! { <p class="muted">{format!("{rows} looked through.")}</p> }
    });
    view! {
        <p>"No row matches this filter."</p>
        {looked}
        <a class="button" href="/viewlog">"Show all rows"</a>
    }
}

fn no_search() -> impl IntoView {
    view! {
        <p>"Nothing has been searched yet. Rows appear here as soon as they are written."</p>
        <a class="button" href="/">"Make the first search"</a>
    }
}
