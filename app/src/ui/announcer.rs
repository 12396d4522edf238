//! Tells screen readers of things that keep arriving, in batches: each by itself would never let them finish.

use std::time::Duration;

use leptos::prelude::*;

use crate::platform::effect::effect;

/// How long a batch is collected.
const BATCH: Duration = Duration::from_secs(3);

#[component]
pub fn Announcer(
    /// How many have arrived since the page was opened.
    #[prop(into)]
    arrived: Signal<u64>,
    /// The sentence about a batch of this size.
    sentence: fn(u64) -> String,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let announced = StoredValue::new(0);
    let is_collecting = StoredValue::new(false);
    effect(move || {
        let arrived_now = arrived.get();
        if arrived_now < announced.get_value() {
            announced.set_value(arrived_now);
        }
        if arrived_now == announced.get_value() || is_collecting.get_value() {
            return;
        }
        is_collecting.set_value(true);
        // Otherwise a second batch of the same size would change nothing.
        text.set(String::new());
        let announce = move || {
            // The page may be gone.
            let Some(arrived) = arrived.try_get_untracked() else { return };
            is_collecting.set_value(false);
            let batch = arrived.saturating_sub(announced.get_value());
            announced.set_value(arrived);
            if batch > 0 {
                text.set(sentence(batch));
            }
        };
        set_timeout(announce, BATCH);
    });
    view! { <p class="visually_hidden announcer" role="status">{move || text.get()}</p> }
}
