//! The drawer beside the list, with one row in full.

use std::sync::Arc;

use api::LogRow;
use leptos::prelude::*;

use crate::platform::{time, url};
use crate::ui::copy_button::CopyButton;
use crate::ui::dialog::modal;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::{format, highlight};

/// Which row to open next.
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
    let dialog = modal(move || row.with(Option::is_some));
    let title = move || row.get().map(|row| format!("Row {}", format::row_number(row.seq)));
    let json = Signal::derive(move || row.get().map_or_else(String::new, |row| to_json(&row)));
    // A click beside the drawer hits the dialog itself; everywhere else its content covers it.
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
                    <DrawerButton label="Newer row" symbol=Symbol::Up on_press=move || on_move.run(Neighbour::Newer) />
                    <DrawerButton label="Older row" symbol=Symbol::Down on_press=move || on_move.run(Neighbour::Older) />
                    <DrawerButton label="Close" symbol=Symbol::Close on_press=move || on_close.run(()) />
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
fn DrawerButton(label: &'static str, symbol: Symbol, on_press: impl Fn() + 'static) -> impl IntoView {
    view! {
        <button class="button button-icon" type="button" aria-label=label title=label on:click=move |_| on_press()>
            <Icon symbol />
        </button>
    }
}

#[component]
fn RowFacts(row: Arc<LogRow>) -> impl IntoView {
    let took = format::duration(row.recorded_at.since(row.searched_at));
    let facts = [
        ("Phrase", highlight::visible(&row.phrase)),
        ("Letters", highlight::visible(&row.letters)),
        ("Results", row.results.clone()),
        ("IP address", highlight::visible(&row.ip)),
        ("Browser", highlight::visible(&row.browser_family)),
        ("User agent", highlight::visible(&row.user_agent)),
        ("Searched", time::local(row.searched_at)),
        ("Recorded", format!("{} (after {took})", time::local(row.recorded_at))),
        ("Search id", row.search_id.to_string()),
    ];
    let fact = |(name, value): (&'static str, String)| {
        view! { <dt>{name}</dt><dd dir="auto" translate="no">{if value.is_empty() { "–".to_owned() } else { value }}</dd> }
    };
    view! { <dl class="facts drawer_facts">{facts.map(fact).collect_view()}</dl> }
}

fn to_json(row: &LogRow) -> String {
    serde_json::to_string_pretty(row).unwrap_or_default()
}
