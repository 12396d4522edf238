//! A few things of which one is chosen, side by side, with a sentence on the chosen one.

use leptos::prelude::*;

/// What a choice is called, and what it is.
pub type Choice = (&'static str, &'static str);

#[component]
pub fn Choices(
    legend: &'static str,
    /// Tells this group from others in the same page.
    name: &'static str,
    options: Vec<Choice>,
    /// The chosen one's place among the options.
    #[prop(into)]
    chosen: Signal<usize>,
    #[prop(into)] on_choose: Callback<usize>,
) -> impl IntoView {
    let sentences: Vec<&str> = options.iter().map(|&(_, sentence)| sentence).collect();
    let sentence = move || sentences.get(chosen.get()).copied();
    let choice = move |(index, (word, sentence)): (usize, Choice)| {
        view! {
            <label class="choice" title=sentence>
                <input
                    type="radio"
                    name=name
                    prop:checked=move || chosen.get() == index
                    on:change=move |_| on_choose.run(index)
                />
                {word}
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <div class="choice_list">{options.into_iter().enumerate().map(choice).collect_view()}</div>
            <p class="choice_about" aria-live="polite">{sentence}</p>
        </fieldset>
    }
}
