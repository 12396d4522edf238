//! Other ways to read a chart: a slider that names one moment or item, and a table.

use leptos::prelude::*;

/// A slider, with a sentence about what it selects.
#[component]
pub fn Slider(
    label: &'static str,
    min: &'static str,
    #[prop(into)] max: Signal<String>,
    #[prop(default = "1")] step: &'static str,
    value: Signal<String>,
    text: Signal<String>,
    on_input: Callback<Option<u64>>,
) -> impl IntoView {
    view! {
        <div class="slider_row">
            <input
                type="range"
                min=min
                max=move || max.get()
                step=step
                aria-label=label
                aria-valuetext=move || text.get()
                prop:value=move || value.get()
                on:input:target=move |event| on_input.run(event.target().value().parse().ok())
            />
            <p class="slider_text">{move || text.get()}</p>
        </div>
    }
}

/// A table to unfold; its rows are created when it is opened.
#[component]
pub fn FoldedTable(
    class: &'static str,
    summary: &'static str,
    is_open: RwSignal<bool>,
    children: ChildrenFn,
) -> impl IntoView {
    view! {
        <details class=class open=is_open.get_untracked() on:toggle:target=move |event| is_open.set(event.target().open())>
            <summary>{summary}</summary>
            <Show when=move || is_open.get()>{children()}</Show>
        </details>
    }
}

#[component]
pub fn FiguresTable(columns: Vec<&'static str>, children: Children) -> impl IntoView {
    let columns = columns.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view();
    view! {
        <table class="figures_table">
            <thead><tr>{columns}</tr></thead>
            <tbody>{children()}</tbody>
        </table>
    }
}
