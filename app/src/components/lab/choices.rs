//! A few things of which one is chosen, each with a sentence on what it is.

use leptos::prelude::*;

#[component]
pub fn Choices<T>(
    legend: &'static str,
    /// Tells this group from others in the same page.
    name: &'static str,
    options: &'static [T],
    chosen: RwSignal<T>,
    name_of: fn(T) -> &'static str,
    sentence_of: fn(T) -> &'static str,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let choice = move |option: T| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name=name
                    prop:checked=move || chosen.get() == option
                    on:change=move |_| chosen.set(option)
                />
                <span>
                    <strong>{name_of(option)}</strong>
                    <span class="choice_about">{sentence_of(option)}</span>
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <div class="choice_list">{options.iter().copied().map(choice).collect_view()}</div>
        </fieldset>
    }
}
