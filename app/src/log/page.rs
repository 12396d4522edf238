//! `/viewlog`: the log, streaming in and then live.

use api::LogFilter;
use leptos::prelude::*;

use crate::log::drawer::LogDrawer;
use crate::log::query::Question;
use crate::log::state::{LogProgress, LogState};
use crate::log::table::LogTable;
use crate::log::toolbar::{LogToolbar, newer_rows};
use crate::log::view::{LogView, address};
use crate::log::words;
use crate::platform::time;
use crate::ui::announcer::Announcer;
use crate::ui::highlight;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Notice, Tone};
use crate::ui::page::PageHeading;

#[component]
pub fn LogPage() -> impl IntoView {
    let view = LogView::new();
    let LogView { typed, position, query, rows, selected, opened, .. } = view;
    let filter = Memo::new(move |_| {
        typed.with(|typed| LogFilter::parse(typed.as_deref().unwrap_or_default(), &time::LocalZone))
    });
    let error = Memo::new(move |_| filter.get().err());
    let has_error = Memo::new(move |_| error.with(Option::is_some));
    query.on_shift(Callback::new(move |shift| rows.shift(shift)));
    Effect::new(move |_| {
        // A filter with an error may only be unfinished: the rows of the previous filter stay.
        if let (Ok(filter), position) = (filter.get(), position.get()) {
            selected.set(None);
            rows.scroll_to_top();
            query.start(Question { filter, position });
        }
    });
    let go_to = Callback::new(move |position| view.go_to(position));
    view.follow();
    view! {
        <div class="page page-full">
            <PageHeading text=words::HEADING />
            <LogToolbar
                query filter=typed error on_filter=Callback::new(move |q| view.filter(q)) position on_position=go_to
            />
            <LogNotice view />
            <div class="log_columns">
                <div class="log_frame">
                    <LogTable view has_error />
                    <NewerRows view />
                    <LogState query filter=typed error />
                    <LogProgress query />
                </div>
                <LogDrawer
                    row=opened
                    on_move=Callback::new(move |neighbour| view.open_neighbour(neighbour))
                    on_close=Callback::new(move |()| view.close())
                />
            </div>
            <Announcer arrived=query.arrived sentence=words::new_searches />
        </div>
    }
}

/// Says that the rows are not those that were there before, or that the address names something that is not there.
#[component]
fn LogNotice(view: LogView) -> impl IntoView {
    let LogView { at, position, missing, typed, query, .. } = view;
    let text = Memo::new(move |_| {
        let at = at.get().filter(|_| position.get().is_none());
        let nowhere = |at: String| words::nowhere(&highlight::visible(&at));
        query.is_replaced.get().then(|| words::REPLACED.to_owned()).or(missing.get()).or(at.map(nowhere))
    });
    let close = move |_| {
        if query.is_replaced.get_untracked() {
            query.is_replaced.set(false);
        } else {
            view.router.replace(&address(typed.get_untracked(), position.get_untracked(), None), None);
        }
    };
    move || {
        text.get().map(|text| {
            view! {
                <Notice tone=Tone::Warning text>
                    <button class="button" type="button" on:click=close>{words::CLOSE}</button>
                </Notice>
            }
        })
    }
}

/// A button that says how many newer rows there are, and shows them.
#[component]
fn NewerRows(view: LogView) -> impl IntoView {
    let LogView { query, position, .. } = view;
    let text = Memo::new(move |_| newer_rows(query, position.with(Option::is_some)));
    let is_shown = Memo::new(move |_| text.with(Option::is_some));
    view! {
        <Show when=move || is_shown.get()>
            <button class="new_rows" type="button" on:click=move |_| view.go_to_newest()>
                <Icon symbol=Symbol::Up />
                {move || text.get()}
            </button>
        </Show>
    }
}
