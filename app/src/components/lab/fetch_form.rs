//! The form of a run with requests.

use api::{FetchSpec, LabOrder, LabStyle, LabWork};
use leptos::prelude::*;

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
            <Choices legend="Work" name="work" options=&LabWork::ALL chosen=draft.work
                name_of=words::work_name sentence_of=words::work_sentence />
            <Choices legend="Style" name="style" options=&LabStyle::ALL chosen=draft.style
                name_of=words::style_name sentence_of=words::style_sentence />
            <Show when=move || has_order.get()>
                <Choices legend="Results" name="order" options=&LabOrder::ALL chosen=draft.order
                    name_of=words::order_name sentence_of=words::order_sentence />
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
