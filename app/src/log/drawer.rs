//! The drawer with one row in full: beside the list where there is room, else above it.

use std::sync::Arc;

use api::LogRow;
use leptos::html;
use leptos::prelude::*;

use crate::log::history::RowHistory;
use crate::log::table::listed;
use crate::log::words;
use crate::platform::{time, url};
use crate::ui::copy_button::CopyButton;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::{format, highlight, shortcuts};

/// In a window of this width, in pixels, list and drawer have room beside each other.
const ROOM_FOR_BOTH: f64 = 1_280.0;

/// Which row to open next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    Newer,
    Older,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// The list stays usable.
    Beside,
    /// The list waits behind it.
    Above,
}

impl Layer {
    fn of_window() -> Self {
        let width = window().inner_width().ok().and_then(|width| width.as_f64());
        if width.is_some_and(|width| width >= ROOM_FOR_BOTH) { Self::Beside } else { Self::Above }
    }
}

#[component]
pub fn LogDrawer(
    #[prop(into)] row: Signal<Option<Arc<LogRow>>>,
    on_move: Callback<Neighbour>,
    on_close: Callback<()>,
) -> impl IntoView {
    let dialog = drawer(Memo::new(move |_| row.with(Option::is_some)));
    let title = move || row.get().map(|row| words::row(&format::row_number(row.seq)));
    let json = Signal::derive(move || row.get().map_or_else(String::new, |row| to_json(&row)));
    // A click beside the drawer hits the dialog itself; everywhere else its content covers it.
    let is_backdrop = move |event: &leptos::ev::MouseEvent| event.target() == event.current_target();
    let closed = move || {
        // It may have been closed only to be opened in the other layer.
        if dialog.get_untracked().is_some_and(|dialog| !dialog.open()) {
            on_close.run(());
        }
    };
    view! {
        <dialog
            class="log_drawer" node_ref=dialog aria-labelledby="drawer-title"
            on:close=move |_| closed()
            on:click=move |event| if is_backdrop(&event) { on_close.run(()) }
        >
            <div class="drawer_content">
                <header class="dialog_head">
                    // Takes the focus, so that a screen reader reads it; a change of the row is read too.
                    <h2 id="drawer-title" tabindex="-1" aria-live="polite">{title}</h2>
                    <DrawerButton label=words::NEWER_ROW symbol=Symbol::Up on_press=move || on_move.run(Neighbour::Newer) />
                    <DrawerButton label=words::OLDER_ROW symbol=Symbol::Down on_press=move || on_move.run(Neighbour::Older) />
                    <DrawerButton label=words::CLOSE symbol=Symbol::Close on_press=move || on_close.run(()) />
                </header>
                {move || row.get().map(|row| view! { <RowFacts row=row.clone() /><RowHistory row /> })}
                <footer class="drawer_foot">
                    <CopyButton label=words::COPY_JSON text=json />
                    {move || row.get().map(|row| view! {
                        <a class="button button-small" href=url::of_job(row.job_id)>{words::job(row.job_id.0)}</a>
                    })}
                </footer>
            </div>
        </dialog>
    }
}

/// Returns the `node_ref` for a dialog that opens and closes with `is_open`, in the layer that the window has room for.
fn drawer(is_open: Memo<bool>) -> NodeRef<html::Dialog> {
    let layer = RwSignal::new(Layer::of_window());
    let resized = window_event_listener(leptos::ev::resize, move |_| {
        if layer.get_untracked() != Layer::of_window() {
            layer.set(Layer::of_window());
        }
    });
    on_cleanup(move || resized.remove());
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |shown: Option<Option<Layer>>| {
        let wanted = is_open.get().then(|| layer.get());
        let dialog = dialog.get()?;
        if shown.flatten() != wanted && dialog.open() {
            dialog.close();
        }
        if !dialog.open() {
            match wanted {
                Some(Layer::Beside) => dialog.show(),
                Some(Layer::Above) => drop(dialog.show_modal()),
                None => {
                    // The browser gives the focus back to what had it. If nothing had, it stays in the closed drawer for now.
                    let is_lost = || shortcuts::is_nothing_focused() || shortcuts::is_focus_within(".log_drawer");
                    if shown.flatten().is_some() && is_lost() {
                        shortcuts::focus(".log_table");
                    }
                    return None;
                }
            }
            // Not the first button, which the browser chooses.
            shortcuts::focus("#drawer-title");
        }
        wanted
    });
    dialog
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
    let results = match listed(&row.results) {
        text if text.is_empty() => view! { <span data-missing="">{words::NO_LETTERS_FOUND}</span> }.into_any(),
        text => text.into_any(),
    };
    let text = |text: &str| match highlight::visible(text) {
        text if text.is_empty() => words::UNKNOWN.to_owned().into_any(),
        text => text.into_any(),
    };
    // When it was recorded is in the history below.
    let facts = [
        (words::PHRASE, text(&row.phrase)),
        (words::LETTERS, text(&row.letters)),
        (words::RESULTS, results),
        (words::IP_ADDRESS, text(&row.ip)),
        (words::BROWSER, text(&row.browser_family)),
        (words::USER_AGENT, text(&row.user_agent)),
        (words::SEARCHED_AT, time::local(row.searched_at).into_any()),
        (words::SEARCH_ID, view! { <code>{row.search_id.to_string()}</code> }.into_any()),
    ];
    let fact = |(name, value): (&'static str, AnyView)| {
        view! { <dt>{name}</dt><dd dir="auto" translate="no">{value}</dd> }
    };
    view! { <dl class="facts drawer_facts">{facts.map(fact).collect_view()}</dl> }
}

fn to_json(row: &LogRow) -> String {
    serde_json::to_string_pretty(row).unwrap_or_default()
}
