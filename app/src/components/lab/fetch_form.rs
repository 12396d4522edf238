//! The form of a run with requests.

use api::{FetchSpec, LabOrder, LabStyle, LabWork};
use leptos::prelude::*;

use super::choices::Choice;
use super::lab_form::at;
use super::{Choices, LabForm, NumberField};
use crate::lab::commands::LabCommands;
use crate::lab::draft::{FetchDraft, PRESETS};
use crate::lab::words;

#[component]
pub fn FetchForm(draft: FetchDraft, commands: LabCommands) -> impl IntoView {
    let spec = Memo::new(move |_| draft.spec());
    let compared = Memo::new(move |_| draft.compared());
    let has_workers = Memo::new(move |_| draft.style.get().has_workers());
    let has_order = Memo::new(move |_| draft.style.get() == LabStyle::Futures);
    view! {
        <LabForm spec commands compared>
            <Presets draft />
            {choices("Work", "work", &LabWork::ALL, words::work, draft.work)}
            {choices("Style", "style", &LabStyle::ALL, words::style, draft.style)}
            <Show when=move || has_order.get()>
                {choices("Results", "order", &LabOrder::ALL, words::order, draft.order)}
            </Show>
            <div class="number_fields">
                <NumberField label="Requests" name="count" value=draft.count error=at(spec, "count") />
                <Show when=move || has_workers.get()>
                    <NumberField label="Threads" name="workers" value=draft.workers error=at(spec, "workers") />
                </Show>
                <NumberField label="Latency" name="latency_ms" unit="ms" value=draft.latency_ms
                    error=at(spec, "latency_ms") />
                <NumberField label="Jitter" name="jitter_ms" unit="± ms" value=draft.jitter_ms
                    error=at(spec, "jitter_ms") />
                <NumberField label="Timeout" name="timeout_ms" unit="ms" placeholder="none" value=draft.timeout_ms
                    error=at(spec, "timeout_ms") />
            </div>
        </LabForm>
    }
}

fn choices<T: Copy + PartialEq + Send + Sync + 'static>(
    legend: &'static str,
    name: &'static str,
    options: &'static [T],
    words: fn(T) -> Choice,
    chosen: RwSignal<T>,
) -> AnyView {
    let place = Signal::derive(move || {
        let chosen = chosen.get();
        options.iter().position(|&option| option == chosen).unwrap_or_default()
    });
    let choose = move |place: usize| {
        if let Some(&option) = options.get(place) {
            chosen.set(option);
        }
    };
    let options = options.iter().map(|&option| words(option)).collect();
    view! { <Choices legend name options chosen=place on_choose=choose /> }.into_any()
}

#[component]
fn Presets(draft: FetchDraft) -> impl IntoView {
    let preset = move |(name, spec): (&'static str, FetchSpec)| {
        view! {
            <button class="button button-small" type="button" on:click=move |_| draft.fill(&spec)>{name}</button>
        }
    };
    view! {
        <div class="presets" role="group" aria-labelledby="presets-title">
            <span class="presets_title" id="presets-title">"Try"</span>
            {PRESETS.map(preset).collect_view()}
        </div>
    }
}
