//! The items of a run: as a table, as futures, and in the order of their arrival.

use api::{COUNTRIES, ItemState, ItemTrace, LabTrace};
use leptos::prelude::*;

use crate::lab::bars;
use crate::lab::bars::ROWS_LIMIT;
use crate::lab::stream::RunStream;
use crate::lab::words::run as words;
use crate::ui::chart::reading::{FiguresTable, FoldedTable};
use crate::ui::format::{measured, number};
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn ItemTable(stream: RunStream) -> impl IntoView {
    view! {
        <FoldedTable class="card table_view" summary=words::AS_A_TABLE is_open=RwSignal::new(false)>
            <ItemRows stream />
        </FoldedTable>
    }
}

#[component]
fn ItemRows(stream: RunStream) -> impl IntoView {
    let count = Memo::new(move |_| stream.trace.with(|trace| trace.items.len()));
    let rows = move || (0..count.get()).map(|index| view! { <ItemRow stream index /> }).collect_view();
    view! {
        <div class="table_scroll" tabindex="0" role="region" aria-label=words::REQUESTS>
            <FiguresTable columns=words::COLUMNS.to_vec()>
                {rows}
            </FiguresTable>
        </div>
    }
}

#[component]
fn ItemRow(stream: RunStream, index: usize) -> impl IntoView {
    let item = Memo::new(move |_| stream.trace.with(|trace| trace.items.get(index).cloned().unwrap_or_default()));
    let state = Memo::new(move |_| item.with(|item| item.state));
    let at = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), measured);
    let cell = move |text: fn(&ItemTrace) -> Option<u64>| move || at(item.with(text));
    view! {
        <tr>
            <td>{index + 1}</td>
            <th scope="row">{move || item.with(|item| item.label.clone())}</th>
            <td class="item_state" data-state=move || bars::job_state(state.get()).as_str()>
                {move || view! { <Icon symbol=Symbol::State(bars::job_state(state.get())) /> }}
                " "
                {move || words::item::state(state.get())}
            </td>
            <td>{cell(|item| item.started_us)}</td>
            <td>{cell(|item| Some(item.ended_us? - item.started_us?))}</td>
            <td>{cell(|item| item.called_back_us)}</td>
            <td>{cell(|item| item.delivered_us)}</td>
            <td class="item_result">{move || item.with(result)}</td>
        </tr>
    }
}

fn result(item: &ItemTrace) -> String {
    match &item.error {
        Some(error) => format!("{}: {}", error.kind.as_str(), error.detail),
        None => item.text.clone(),
    }
}

/// How many futures are in each state, and each of them.
#[component]
pub fn FuturesTable(stream: RunStream, planned: usize) -> impl IntoView {
    let is_short = planned <= ROWS_LIMIT;
    let count = move |states: &'static [ItemState]| {
        Memo::new(move |_| stream.trace.with(|trace| states.iter().map(|&state| trace.count(state)).sum::<usize>()))
    };
    let called_back = Memo::new(move |_| {
        stream.trace.with(|trace| trace.items.iter().filter(|item| item.called_back_us.is_some()).count())
    });
    let counts = [
        count(&[ItemState::Pending]),
        count(&[ItemState::Running]),
        count(&[ItemState::Done, ItemState::Failed]),
        count(&[ItemState::Cancelled]),
        called_back,
    ];
    let entry = |(label, count): (&'static str, Memo<usize>)| {
        view! { <div><dt>{label}</dt><dd>{move || number(count.get() as u64)}</dd></div> }
    };
    view! {
        <section class="card futures" aria-labelledby="futures-title">
            <h3 id="futures-title">{words::FUTURES}</h3>
            <dl class="future_counts">{words::FUTURE_COUNTS.into_iter().zip(counts).map(entry).collect_view()}</dl>
            <FoldedTable class="table_view" summary=words::EACH_FUTURE is_open=RwSignal::new(is_short)>
                <ItemRows stream />
            </FoldedTable>
        </section>
    }
}

/// The most chips shown; the table has all items.
const MAX_CHIPS: usize = 60;

/// More requests than this make a long list of chips, which is folded.
const MAX_UNFOLDED: usize = 20;

/// The results in the order in which they were handed over.
#[component]
pub fn Arrivals(
    stream: RunStream,
    /// How many requests there will be.
    planned: usize,
) -> impl IntoView {
    let total = Memo::new(move |_| stream.trace.with(|trace| trace.delivered.len()));
    let chips = Memo::new(move |_| {
        stream.trace.with(|trace| trace.delivered.iter().take(MAX_CHIPS).copied().collect::<Vec<u32>>())
    });
    let rest = move || match total.get().saturating_sub(MAX_CHIPS) {
        0 => None,
        rest => Some(view! { <li class="arrival_rest muted">{words::more(rest)}</li> }),
    };
    let list = move || {
        view! {
            <Show when=move || total.get() == 0><p class="muted">{words::NO_ARRIVALS}</p></Show>
            <ol class="arrival_list" aria-label=words::ARRIVALS>
                <For each=move || chips.get() key=|index| *index children=move |index| view! { <Arrival stream index /> } />
                {rest}
            </ol>
        }
    };
    if planned > MAX_UNFOLDED {
        view! {
            <FoldedTable class="card table_view" summary=words::ARRIVALS is_open=RwSignal::new(false)>{list()}</FoldedTable>
        }
        .into_any()
    } else {
        view! {
            <section class="card arrivals" aria-labelledby="arrivals-title">
                <h3 id="arrivals-title">{words::ARRIVALS}</h3>
                {list()}
            </section>
        }
        .into_any()
    }
}

#[component]
fn Arrival(stream: RunStream, index: u32) -> impl IntoView {
    // An item does not change after it has arrived.
    let (state, label, text) = stream.trace.with_untracked(|trace| arrival(trace, index));
    let color = bars::job_state(state).as_str();
    let code = Signal::stored(label.clone());
    view! {
        <li class="arrival" data-state=color>
            {stream.has_flags().then(|| view! { <Flag code is_loaded=Signal::stored(state == ItemState::Done) /> })}
            <span>{label}</span>
            {(!text.is_empty()).then(|| view! { <strong>{text}</strong> })}
        </li>
    }
}

/// The item's state, its name, and its result if that is short.
fn arrival(trace: &LabTrace, index: u32) -> (ItemState, String, String) {
    let position = usize::try_from(index).unwrap_or(usize::MAX);
    let Some(item) = trace.items.get(position) else { return Default::default() };
    let label = bars::name(position, item).map_or_else(|| format!("#{}", index + 1), ToOwned::to_owned);
    let text = match &item.error {
        Some(error) => error.kind.as_str().to_owned(),
        None if item.text == label || item.text.chars().count() > 12 => String::new(),
        None => item.text.clone(),
    };
    (item.state, label, text)
}

/// A flag. Its space is reserved until it is loaded.
#[component]
pub fn Flag(
    /// The country's code.
    #[prop(into)]
    code: Signal<String>,
    #[prop(into)] is_loaded: Signal<bool>,
) -> impl IntoView {
    let code = move || {
        let code = code.get();
        COUNTRIES.into_iter().find(|country| is_loaded.get() && code == *country)
    };
    let code = Memo::new(move |_| code());
    // The picture itself loads without the run's artificial latency.
    let picture = move || {
        let address = format!("/lab/flags/{}.svg?latency_ms=0", code.get()?.to_ascii_lowercase());
        Some(view! { <img class="flag_picture" src=address alt="" width="24" height="16" /> })
    };
    view! { <span class="flag">{picture}</span> }
}
