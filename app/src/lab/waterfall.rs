//! The waterfall: when each request waited and when it ran, on one time axis.

use api::{ItemState, ItemTrace};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::lab::bars;
use crate::lab::items::Flag;
use crate::lab::legend::StateLegend;
use crate::lab::stream::RunStream;
use crate::lab::words::{FAILED, NOT_BEGUN, WAITING_FOR_ANSWER, run as words};
use crate::ui::chart::axis::{Scale, TimeAxis};
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn Waterfall(
    stream: RunStream,
    /// How many requests there will be. Their space is reserved from the beginning.
    planned: usize,
    /// The shortest time that the run can take.
    expected_us: u64,
) -> impl IntoView {
    let count = Memo::new(move |_| stream.trace.with(|trace| trace.items.len()));
    let scale = Memo::new(move |_| {
        if stream.is_running() {
            return Scale::growing(stream.now_us.get(), expected_us);
        }
        Scale::to(stream.trace.with(bars::end))
    });
    let inspected = RwSignal::new(None::<usize>);
    let press = move |event: KeyboardEvent| {
        if let Some(row) = moved(&event.key(), inspected.get_untracked(), count.get_untracked()) {
            event.prevent_default();
            inspected.set(Some(row));
        }
    };
    let has_failed = Memo::new(move |_| stream.trace.with(|trace| trace.count(ItemState::Failed) > 0));
    let rows = move || match count.get() {
        0 => view! { <p class="muted waterfall_empty">{words::NO_BARS_YET}</p> }.into_any(),
        count => {
            let rows = (0..count).map(|index| view! { <WaterfallRow stream index scale inspected /> });
            // One stop of the tab key; arrow keys choose a row.
            view! {
                <ol
                    class="waterfall_rows"
                    role="listbox"
                    tabindex="0"
                    aria-label=words::REQUESTS
                    aria-activedescendant=move || inspected.get().map(row_id)
                    on:keydown=press
                >
                    {rows.collect_view()}
                </ol>
            }
            .into_any()
        }
    };
    view! {
        <section class="card waterfall" aria-labelledby="waterfall-title">
            <header class="waterfall_head">
                <h3 id="waterfall-title">{words::WATERFALL}</h3>
                <StateLegend stream />
            </header>
            <div
                class="waterfall_plot"
                data-named=stream.has_flags().then_some("")
                style:min-height=format!("{}px", bars::plot_height(planned))
            >
                <TimeAxis scale />
                {rows}
            </div>
            <ul class="bar_legend" aria-hidden="true">
                <li><span class="bar_sample" data-bar="wait"></span>{NOT_BEGUN}</li>
                <li><span class="bar_sample" data-bar="work"></span>{WAITING_FOR_ANSWER}</li>
                {move || has_failed.get().then(|| view! {
                    <li><span class="bar_sample" data-bar="failed"></span>{FAILED}</li>
                })}
            </ul>
            <Sentence stream inspected />
        </section>
    }
}

/// What is drawn of a request. An equal bar is not redrawn.
#[derive(Clone, PartialEq)]
struct Bar {
    state: ItemState,
    label: String,
    waited: String,
    left: String,
    width: String,
    outcome: String,
}

#[component]
fn WaterfallRow(
    stream: RunStream,
    index: usize,
    scale: Memo<Scale>,
    inspected: RwSignal<Option<usize>>,
) -> impl IntoView {
    let item = Memo::new(move |_| stream.trace.with(|trace| trace.items.get(index).cloned().unwrap_or_default()));
    let bar = Memo::new(move |_| {
        let item = item.get();
        // An ended item does not change with the time.
        let is_open = matches!(item.state, ItemState::Pending | ItemState::Running);
        bar(index, &item, scale.get(), if is_open { stream.now_us.get() } else { 0 })
    });
    let state = Memo::new(move |_| bar.with(|bar| bar.state));
    let part = move |choose: fn(&Bar) -> String| move || bar.with(choose);
    view! {
        <li
            class="waterfall_row"
            role="option"
            id=row_id(index)
            aria-selected=move || if inspected.get() == Some(index) { "true" } else { "false" }
            data-state=move || bars::job_state(state.get()).as_str()
            on:pointerenter=move |_| inspected.set(Some(index))
        >
            <span class="waterfall_label">
                <span class="waterfall_number">{index + 1}</span>
                {stream.has_flags().then(|| view! {
                    <Flag code=part(|bar| bar.label.clone()) is_loaded=move || state.get() == ItemState::Done />
                })}
                <span class="waterfall_name">{part(|bar| bar.label.clone())}</span>
            </span>
            <span class="waterfall_track">
                <span class="waterfall_waited" style:width=part(|bar| bar.waited.clone())></span>
                <span class="waterfall_bar" style:left=part(|bar| bar.left.clone()) style:width=part(|bar| bar.width.clone())></span>
            </span>
            <span class="waterfall_outcome">
                {move || view! { <Icon symbol=Symbol::State(bars::job_state(state.get())) /> }}
                <span class="visually_hidden">{move || words::item::state(state.get())}" "</span>
                <span class="waterfall_text">{part(|bar| bar.outcome.clone())}</span>
            </span>
        </li>
    }
}

fn bar(index: usize, item: &ItemTrace, scale: Scale, now_us: u64) -> Bar {
    let (start, end) = bars::worked(item, now_us).unwrap_or_default();
    Bar {
        state: item.state,
        label: bars::name(index, item).unwrap_or_default().to_owned(),
        waited: scale.percent(bars::waited(item, now_us)),
        left: scale.percent(start),
        width: scale.percent(end - start),
        outcome: bars::outcome(item, now_us),
    }
}

/// The figures of the chosen request.
#[component]
fn Sentence(stream: RunStream, inspected: RwSignal<Option<usize>>) -> impl IntoView {
    let sentence = Memo::new(move |_| {
        let index = inspected.get()?;
        let now_us = if stream.is_running() { stream.now_us.get() } else { 0 };
        stream.trace.with(|trace| {
            let item = trace.items.get(index)?;
            let number = u32::try_from(index).ok()?;
            let arrival = trace.delivered.iter().position(|&delivered| delivered == number).map(|index| index + 1);
            Some(bars::sentence(index, item, arrival, now_us.max(trace.latest_us)))
        })
    });
    let text = move || sentence.get().unwrap_or_else(|| words::CHOOSE_A_BAR.to_owned());
    view! { <p class="waterfall_sentence">{text}</p> }
}

fn row_id(index: usize) -> String {
    format!("request-{}", index + 1)
}

/// The row that an arrow key leads to.
fn moved(key: &str, from: Option<usize>, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    match key {
        "ArrowDown" => Some(from.map_or(0, |row| (row + 1).min(last))),
        "ArrowUp" => Some(from.map_or(last, |row| row.saturating_sub(1))),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_keys_lead_from_row_to_row() {
        assert_eq!([moved("ArrowDown", None, 3), moved("ArrowDown", Some(2), 3)], [Some(0), Some(2)]);
        assert_eq!([moved("ArrowUp", None, 3), moved("ArrowUp", Some(2), 3)], [Some(2), Some(1)]);
        assert_eq!([moved("Home", Some(1), 3), moved("End", Some(1), 3)], [Some(0), Some(2)]);
        assert_eq!([moved("a", Some(1), 3), moved("End", None, 0)], [None, None]);
    }
}
