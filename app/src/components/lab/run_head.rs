//! What a run is, where it stands, and its end by hand.

use api::ApiError;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::RunPlace;
use crate::components::{CopyButton, Notice, Sign, StateBadge, TimeAgo, Tone};
use crate::lab::feed::RunFeed;
use crate::lab::words;
use crate::url;

#[component]
pub fn RunHead(feed: RunFeed, place: RunPlace) -> impl IntoView {
    let (id, title, created_at) = feed.run.with_untracked(|run| (run.id, words::title(&run.spec), run.created_at));
    let state = Memo::new(move |_| feed.run.with(|run| run.state));
    let address = url::of_lab_run(id);
    let link = window().location().origin().unwrap_or_default() + &address;
    let error = RwSignal::new(None::<ApiError>);
    view! {
        <header class="lab_run_head">
            {match place {
                RunPlace::Lab => view! { <h2><a href=address>{title}</a></h2> }.into_any(),
                // The page's heading says what it is already.
                RunPlace::Page => view! { <h2 class="visually_hidden">"What happened"</h2> }.into_any(),
            }}
            {move || view! { <StateBadge state=state.get() /> }}
            <span class="muted"><TimeAgo time=created_at /></span>
            <div class="lab_run_actions">
                <CancelButton feed error />
                <CopyButton label="Copy link" sign=Sign::Link text=link />
            </div>
        </header>
        {move || error.get().map(|error| view! { <Notice tone=Tone::Error title="Not cancelled" text=error.message /> })}
    }
}

#[component]
fn CancelButton(feed: RunFeed, error: RwSignal<Option<ApiError>>) -> impl IntoView {
    let can_cancel = Memo::new(move |_| feed.run.with(|run| run.can_cancel && !run.state.is_final()));
    let is_sent = RwSignal::new(false);
    let cancel = move |_| {
        if is_sent.get_untracked() {
            return;
        }
        is_sent.set(true);
        error.set(None);
        let id = feed.run.with_untracked(|run| run.id);
        spawn_local(async move {
            if let Err(refused) = api::cancel_lab_run(id).await {
                is_sent.try_set(false);
                error.try_set(Some(refused));
            }
        });
    };
    view! {
        <Show when=move || can_cancel.get()>
            <button
                class="button button-small"
                type="button"
                aria-disabled=move || is_sent.get().then_some("true")
                on:click=cancel
            >
                {move || if is_sent.get() { "Cancelling…" } else { "Cancel" }}
            </button>
        </Show>
    }
}
