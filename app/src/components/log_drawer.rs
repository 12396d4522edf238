//! One log row in full, beside the list.

use std::sync::Arc;

use api::LogRow;
use leptos::html;
use leptos::prelude::*;

use crate::components::{CopyButton, Icon, Sign};
use crate::{marking, moment, url, wording};

/// Which way to go from the row that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    Newer,
    Older,
}

#[component]
pub fn LogDrawer(
    #[prop(into)] row: Signal<Option<Arc<LogRow>>>,
    on_move: Callback<Neighbour>,
    on_close: Callback<()>,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (row.with(Option::is_some), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let title = move || row.get().map(|row| format!("Row {}", wording::row_number(row.seq)));
    let json = Signal::derive(move || row.get().map_or_else(String::new, |row| as_json(&row)));
    // A click beside the drawer hits the dialog itself, which its content covers elsewhere.
    let is_backdrop = move |event: &leptos::ev::MouseEvent| event.target() == event.current_target();
    view! {
        <dialog
            class="log_drawer" node_ref=dialog aria-labelledby="drawer-title"
            on:close=move |_| on_close.run(())
            on:click=move |event| if is_backdrop(&event) { on_close.run(()) }
        >
            <div class="drawer_content">
                <header class="dialog_head">
                    <h2 id="drawer-title">{title}</h2>
                    <DrawerButton label="Newer row" sign=Sign::Up on_press=move || on_move.run(Neighbour::Newer) />
                    <DrawerButton label="Older row" sign=Sign::Down on_press=move || on_move.run(Neighbour::Older) />
                    <DrawerButton label="Close" sign=Sign::Close on_press=move || on_close.run(()) />
                </header>
                {move || row.get().map(|row| view! { <RowFacts row /> })}
                <footer class="drawer_foot">
                    <CopyButton label="Copy as JSON" text=json />
                    {move || row.get().map(|row| view! {
                        <a class="button button-small" href=url::of_job(row.job_id)>{format!("Job #{}", row.job_id.0)}</a>
                    })}
                </footer>
            </div>
        </dialog>
    }
}

#[component]
fn DrawerButton(label: &'static str, sign: Sign, on_press: impl Fn() + 'static) -> impl IntoView {
    view! {
        <button class="button button-icon" type="button" aria-label=label title=label on:click=move |_| on_press()>
            <Icon sign />
        </button>
    }
}

#[component]
fn RowFacts(row: Arc<LogRow>) -> impl IntoView {
    let facts = [
        ("Phrase", marking::visible(&row.phrase)),
        ("Letters", marking::visible(&row.letters)),
        ("Results", row.results.clone()),
        ("Remote_addr", marking::visible(&row.ip)),
        ("Browser", marking::visible(&row.browser_string)),
        ("User_agent", marking::visible(&row.user_agent)),
        ("Searched", moment::exact(row.searched_at)),
        ("Recorded", format!("{} (after {})", moment::exact(row.recorded_at), took(&row))),
        ("Search id", row.search_id.to_string()),
    ];
    let fact = |(name, value): (&'static str, String)| {
        view! { <dt>{name}</dt><dd dir="auto">{if value.is_empty() { "–".to_owned() } else { value }}</dd> }
    };
    view! { <dl class="facts drawer_facts">{facts.map(fact).collect_view()}</dl> }
}

fn took(row: &LogRow) -> String {
    wording::duration(row.recorded_at.since(row.searched_at))
}

fn as_json(row: &LogRow) -> String {
    serde_json::to_string_pretty(row).unwrap_or_default()
}
