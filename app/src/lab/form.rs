//! The forms that start runs.

use api::{ApiError, FetchSpec, LabOrder, LabSpec, LabStyle, LabWork};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::lab::draft::{DatabaseDraft, FetchDraft, PRESETS, RequestDraft};
use crate::lab::fields::{Choice, Choices, NumberField};
use crate::lab::launcher::Launcher;
use crate::lab::{fields, labels};
use crate::ui::format::number;
use crate::ui::notice::{Notice, Tone};
use crate::ui::shortcuts::focus;

/// What all forms share: the run's expected time, and the button that starts it.
#[component]
fn LabForm(
    /// The run that the form describes, or the error of a field.
    spec: Memo<Result<LabSpec, ApiError>>,
    launcher: Launcher,
    /// The same work in all styles, if there are several.
    #[prop(optional)]
    compared: Option<Memo<Result<Vec<LabSpec>, ApiError>>>,
    children: Children,
) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        match spec.get_untracked() {
            Ok(spec) => launcher.start(vec![spec]),
            // The error itself is shown beside the field.
            Err(error) => drop(error.field.map(|field| focus(&format!("#{}", fields::element_id(&field))))),
        }
    };
    let is_ready = move || !launcher.request.is_pending.get() && spec.with(Result::is_ok);
    view! {
        <form class="form lab_form" novalidate on:submit=submit>
            {children()}
            {move || launcher.request.error.get().map(|error| {
                let title = labels::refusal(error.code).unwrap_or("Not started");
                let doubt = if error.is_outcome_unknown() { "It is not known whether the run was started. " } else { "" };
                view! { <Notice tone=Tone::Error title text=format!("{doubt}{}", error.message) /> }
            })}
            <div class="start_row">
                <button
                    class="button button-primary"
                    type="submit"
                    aria-disabled=move || (!is_ready()).then_some("true")
                >
                    "Start"
                </button>
                {compared.map(|compared| view! { <CompareButton compared launcher /> })}
                <p class="muted start_estimate" aria-live="polite">
                    {move || following(launcher.ahead.get()).unwrap_or_else(|| estimate(&spec.get()))}
                </p>
            </div>
        </form>
    }
}

#[component]
fn CompareButton(compared: Memo<Result<Vec<LabSpec>, ApiError>>, launcher: Launcher) -> impl IntoView {
    let compare = move |_| {
        if let Ok(specs) = compared.get_untracked() {
            launcher.start(specs);
        }
    };
    let is_refused = move || compared.with(Result::is_err);
    let title = move || {
        if is_refused() {
            "This work cannot be compared: in one of the styles it would take too long."
        } else {
            "The same work in sequence, on threads and async, one after the other"
        }
    };
    view! {
        <button
            class="button compare_button"
            type="button"
            title=title
            aria-disabled=move || is_refused().then_some("true")
            on:click=compare
        >
            "Compare all styles"
        </button>
    }
}

fn estimate(spec: &Result<LabSpec, ApiError>) -> String {
    spec.as_ref().map_or_else(|_| "One field needs to be changed first.".to_owned(), labels::estimate)
}

fn following(ahead: usize) -> Option<String> {
    match ahead {
        0 => None,
        1 => Some("One more run follows this one.".to_owned()),
        ahead => Some(format!("{} more runs follow this one.", number(ahead as u64))),
    }
}

#[component]
pub fn FetchForm(draft: FetchDraft, launcher: Launcher) -> impl IntoView {
    let spec = Memo::new(move |_| draft.spec());
    let compared = Memo::new(move |_| draft.compared());
    let has_workers = Memo::new(move |_| draft.style.get().has_workers());
    let has_order = Memo::new(move |_| draft.style.get() == LabStyle::Futures);
    view! {
        <LabForm spec launcher compared>
            <Presets draft />
            {choices("Work", "work", &LabWork::ALL, labels::work, draft.work)}
            {choices("Style", "style", &LabStyle::ALL, labels::style, draft.style)}
            <Show when=move || has_order.get()>
                {choices("Results", "order", &LabOrder::ALL, labels::order, draft.order)}
            </Show>
            <div class="number_fields">
                <NumberField label="Requests" input=draft.count spec />
                <Show when=move || has_workers.get()>
                    <NumberField label="Threads" input=draft.workers spec />
                </Show>
                <NumberField label="Latency" unit="ms" input=draft.latency_ms spec />
                <NumberField label="Jitter" unit="± ms" input=draft.jitter_ms spec />
                <NumberField label="Timeout" unit="ms" placeholder="none" input=draft.timeout_ms spec />
            </div>
        </LabForm>
    }
}

fn choices<T: Copy + PartialEq + Send + Sync + 'static>(
    legend: &'static str,
    name: &'static str,
    options: &'static [T],
    label: fn(T) -> Choice,
    chosen: RwSignal<T>,
) -> AnyView {
    let index = Signal::derive(move || {
        let chosen = chosen.get();
        options.iter().position(|&option| option == chosen).unwrap_or_default()
    });
    let choose = move |index: usize| {
        if let Some(&option) = options.get(index) {
            chosen.set(option);
        }
    };
    let options = options.iter().map(|&option| label(option)).collect();
    view! { <Choices legend name options chosen=index on_choose=choose /> }.into_any()
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

#[component]
pub fn DatabaseForm(draft: DatabaseDraft, launcher: Launcher) -> impl IntoView {
    let spec = Memo::new(move |_| draft.spec());
    view! {
        <LabForm spec launcher>
            <p class="muted">
                "Each task takes a connection of a small pool, reads, keeps the connection for a while and gives it back. \
                Some fail, panic or are aborted meanwhile: their connections must come back too."
            </p>
            <div class="number_fields">
                <NumberField label="Batches" input=draft.batches spec />
                <NumberField label="Tasks in each" input=draft.tasks_per_batch spec />
                <NumberField label="Held for" unit="ms" input=draft.hold_ms spec />
            </div>
            <fieldset class="choices">
                <legend>"Of the tasks"</legend>
                <div class="number_fields">
                    <NumberField label="fail" unit="%" input=draft.failing spec />
                    <NumberField label="panic" unit="%" input=draft.panicking spec />
                    <NumberField label="are aborted" unit="%" input=draft.aborted spec />
                </div>
            </fieldset>
        </LabForm>
    }
}

#[component]
pub fn TrapForm(draft: RequestDraft, launcher: Launcher) -> impl IntoView {
    let spec = Memo::new(move |_| draft.spec());
    view! {
        <LabForm spec launcher>
            <p class="muted">
                "The same search three times, in a process of its own: its log row is awaited, handed to a bare task, \
                and made a durable job. The last two processes are killed before the row is written."
            </p>
            <div class="number_fields">
                <NumberField label="Write delay" unit="ms" input=draft.delay_ms spec />
            </div>
        </LabForm>
    }
}
