//! One request of a waterfall that has room for rows.

use api::{ItemState, ItemTrace, LabSpec, LabWork};
use leptos::prelude::*;

use super::Flag;
use crate::components::{Icon, Sign};
use crate::lab::bars;
use crate::lab::feed::RunFeed;
use crate::lab::scale::Scale;

/// What is drawn of a request. Equal ones draw nothing anew.
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
pub fn WaterfallRow(
    feed: RunFeed,
    index: usize,
    scale: Memo<Scale>,
    inspected: RwSignal<Option<usize>>,
) -> impl IntoView {
    let item = Memo::new(move |_| feed.trace.with(|trace| trace.items.get(index).cloned().unwrap_or_default()));
    let bar = Memo::new(move |_| {
        let item = item.get();
        // What has ended does not go on with the time.
        let goes_on = matches!(item.state, ItemState::Pending | ItemState::Running);
        bar(index, &item, scale.get(), if goes_on { feed.now_us.get() } else { 0 })
    });
    let has_flag =
        feed.run.with_untracked(|run| matches!(&run.spec, LabSpec::Fetch(spec) if spec.work == LabWork::Flags));
    let state = Memo::new(move |_| bar.with(|bar| bar.state));
    let part = move |choose: fn(&Bar) -> String| move || bar.with(choose);
    view! {
        <li
            class="waterfall_row"
            data-state=move || bars::sign(state.get()).as_str()
            data-inspected=move || (inspected.get() == Some(index)).then_some("")
            on:pointerenter=move |_| inspected.set(Some(index))
        >
            <span class="waterfall_label">
                <span class="waterfall_number">{index + 1}</span>
                {has_flag.then(|| view! {
                    <Flag code=part(|bar| bar.label.clone()) is_there=move || state.get() == ItemState::Done />
                })}
                <span class="waterfall_name">{part(|bar| bar.label.clone())}</span>
            </span>
            <span class="waterfall_track">
                <span class="waterfall_waited" style:width=part(|bar| bar.waited.clone())></span>
                <span class="waterfall_bar" style:left=part(|bar| bar.left.clone()) style:width=part(|bar| bar.width.clone())></span>
            </span>
            <span class="waterfall_outcome">
                {move || view! { <Icon sign=Sign::State(bars::sign(state.get())) /> }}
                <span class="visually_hidden">{move || state.get().as_str()}" "</span>
                <span class="waterfall_words">{part(|bar| bar.outcome.clone())}</span>
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
