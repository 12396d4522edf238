//! A text filter that waits for a pause in the typing.

use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use crate::components::{Icon, Sign};

/// Long enough for the next letter, short enough to feel immediate.
const PAUSE: Duration = Duration::from_millis(250);

#[component]
pub fn FilterBox(
    label: &'static str,
    #[prop(into)] value: Signal<Option<String>>,
    /// Called with the text after a pause, and with none once it is empty.
    on_change: Callback<Option<String>>,
    /// The id of the element that says what is wrong with the text, where something is.
    #[prop(into)]
    error_id: Signal<Option<&'static str>>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    Effect::new(move |_| text.set(value.get().unwrap_or_default()));
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let change_after = move |pause: Duration| {
        if let Some(earlier) = timer.try_update_value(Option::take).flatten() {
            earlier.clear();
        }
        let tell = move || on_change.run(text.try_get_untracked().filter(|text| !text.is_empty()));
        timer.set_value(set_timeout_with_handle(tell, pause).ok());
    };
    on_cleanup(move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    });
    let clear = move |_| {
        text.set(String::new());
        change_after(Duration::ZERO);
    };
    view! {
        <div class="filter_box" role="search">
            <Icon sign=Sign::Search />
            <input
                type="text"
                data-filter=""
                aria-label=label
                placeholder=label
                aria-invalid=move || error_id.get().map(|_| "true")
                aria-describedby=move || error_id.get()
                spellcheck="false"
                autocomplete="off"
                prop:value=text
                on:input:target=move |event| {
                    text.set(event.target().value());
                    change_after(PAUSE);
                }
            />
            <Show when=move || !text.with(String::is_empty) fallback=|| view! { <kbd aria-hidden="true">"/"</kbd> }>
                <button class="button button-icon" type="button" aria-label="Clear the filter" on:click=clear>
                    <Icon sign=Sign::Close />
                </button>
            </Show>
        </div>
    }
}
