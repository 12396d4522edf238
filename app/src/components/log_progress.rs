//! How far was looked for rows that match the filter, while that takes time.

use std::time::Duration;

use leptos::prelude::*;

use crate::log_feed::{LogFeed, Look, Reading};
use crate::wording;

/// After so long without a request the look has ended.
const BETWEEN_ANSWERS: Duration = Duration::from_millis(100);

#[component]
pub fn LogProgress(feed: LogFeed) -> impl IntoView {
    // Whether it is going on, how many rows were looked through, and of how many.
    let look = Memo::new(move |_| {
        let (way, is_going) = match feed.reading.get() {
            Reading::Rows(way) => (way, true),
            Reading::Stopped(way) => (way, false),
            _ => return None,
        };
        let progress = feed.look.with(|look| look.and_then(|look: Look| look.progress(way)));
        let (looked, all) = if feed.is_filtered() { progress? } else { return None };
        Some((is_going, looked, all))
    });
    // Between two answers there is a moment in which nothing is read. What is shown stays meanwhile, so that one can press
    // its button.
    let shown = RwSignal::new(None::<(bool, u64, u64)>);
    Effect::new(move |_| match look.get() {
        Some(look) => shown.set(Some(look)),
        None => set_timeout(
            move || {
                // The page may be gone.
                if look.try_get_untracked() == Some(None) {
                    shown.try_set(None);
                }
            },
            BETWEEN_ANSWERS,
        ),
    });
    let is_shown = Memo::new(move |_| shown.with(Option::is_some));
    let is_going = Memo::new(move |_| shown.get().is_some_and(|(is_going, ..)| is_going));
    let text = move || {
        let (_, looked, all) = shown.get().unwrap_or_default();
        format!("Looked through {} of {} rows", wording::number(looked), wording::number(all))
    };
    let share = move || {
        let (_, looked, all) = shown.get().unwrap_or_default();
        (looked.saturating_mul(1_000) / all.max(1)).to_string()
    };
    view! {
        <Show when=move || is_shown.get()>
            <div class="log_progress" data-going=move || is_going.get().then_some("")>
                <p id="log-progress-text">{text}</p>
                <progress max="1000" value=share aria-labelledby="log-progress-text"></progress>
                <Show
                    when=move || is_going.get()
                    fallback=move || view! {
                        <button class="button button-small" type="button" on:click=move |_| feed.go_on()>"Go on"</button>
                    }
                >
                    <button class="button button-small" type="button" on:click=move |_| feed.stop()>"Stop"</button>
                </Show>
            </div>
        </Show>
    }
}
