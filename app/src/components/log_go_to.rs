//! The way to a row or a time in the log.

use api::{LogPosition, Point};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::moment;

const LABEL: &str = "Go to a row or a time";

#[component]
pub fn LogGoTo(
    #[prop(into)] place: Signal<Option<LogPosition>>,
    /// Called with none to come back to the newest rows.
    on_place: Callback<Option<LogPosition>>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let is_wrong = RwSignal::new(false);
    Effect::new(move |_| {
        text.set(place.get().map(written).unwrap_or_default());
        is_wrong.set(false);
    });
    let go = move |event: SubmitEvent| {
        event.prevent_default();
        let text = text.get_untracked();
        match read(&text) {
            _ if text.trim().is_empty() => on_place.run(None),
            Some(place) => on_place.run(Some(place)),
            None => is_wrong.set(true),
        }
    };
    view! {
        <form class="log_go" on:submit=go>
            <input
                type="text"
                data-go=""
                aria-label=LABEL
                placeholder="Go to row or time"
                title="A row's number (48211), a time (2026-11-22 08:05) or how long ago (2h)"
                spellcheck="false"
                autocomplete="off"
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby=move || is_wrong.get().then_some("log-go-error")
                prop:value=text
                on:input:target=move |event| {
                    text.set(event.target().value());
                    is_wrong.set(false);
                }
            />
            <p class="log_go_error" id="log-go-error" role="alert">
                {move || is_wrong.get().then_some("A row's number (48211), a time (2026-11-22 08:05) or how long ago (2h).")}
            </p>
        </form>
    }
}

/// A time without an offset is the visitor's, as those in the list are.
fn read(text: &str) -> Option<LogPosition> {
    match text.parse().ok()? {
        LogPosition::Time(Point::At(_)) => moment::read(text).map(|time| LogPosition::Time(Point::At(time))),
        place => Some(place),
    }
}

fn written(place: LogPosition) -> String {
    match place {
        LogPosition::Time(Point::At(time)) => moment::exact(time),
        place => place.to_string(),
    }
}
