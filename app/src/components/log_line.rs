//! One row of the log, on one line.

use std::sync::Arc;

use api::{LogRow, LogSeq};
use leptos::prelude::*;

use crate::{marking, moment};

/// More than any screen shows; a phrase can be fifty times as long.
const SHOWN_CHARACTERS: usize = 240;

#[component]
pub fn LogLine(
    row: Arc<LogRow>,
    /// The row's place in the whole grid; the header is 1.
    #[prop(into)]
    place: Signal<usize>,
    is_fresh: Freshness,
    #[prop(into)] selected: Signal<Option<LogSeq>>,
    on_open: Callback<LogSeq>,
) -> impl IntoView {
    let seq = row.seq;
    let browser = if row.browser_string.is_empty() { "unknown".to_owned() } else { shown(&row.browser_string) };
    view! {
        <div
            class="log_line"
            role="row"
            id=element_id(seq)
            aria-rowindex=move || place.get().to_string()
            aria-selected=move || (selected.get() == Some(seq)).to_string()
            data-fresh=(is_fresh == Freshness::JustCame).then_some("")
            on:click=move |_| on_open.run(seq)
        >
            <span class="log_phrase" role="gridcell" dir="auto">{shown(&row.phrase)}</span>
            <span class="log_letters" role="gridcell" dir="auto">{shown(&row.letters)}</span>
            <span class="log_ip" role="gridcell">{shown(&row.ip)}</span>
            <span class="log_agent" role="gridcell" title=marking::visible(&row.user_agent)>{browser}</span>
            <span class="log_results" role="gridcell">{shown(&row.results)}</span>
            <time class="log_time" role="gridcell" datetime=moment::machine(row.searched_at)>
                {moment::exact(row.searched_at)}
            </time>
        </div>
    }
}

/// Whether a row is to be pointed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    JustCame,
    Known,
}

#[must_use]
pub fn element_id(LogSeq(seq): LogSeq) -> String {
    format!("log-row-{seq}")
}

fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_CHARACTERS).collect();
    marking::visible(&start)
}
