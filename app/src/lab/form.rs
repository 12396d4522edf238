//! The forms that start runs: a button, and what can be adjusted before.

use std::time::Duration;

use api::{ApiError, FetchSpec, LabOrder, LabRun, LabSpec, LabStyle, LabWork};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::lab::comparison::{self, ComparisonId};
use crate::lab::draft::{DatabaseDraft, FetchDraft, PRESETS, RequestDraft};
use crate::lab::fields;
use crate::lab::fields::{Choice, Choices, NumberField};
use crate::lab::launcher::Launcher;
use crate::lab::ongoing::{Ongoing, Progress};
use crate::lab::words::{CANCEL, form as words, labels};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Notice, Tone};
use crate::ui::shortcuts::focus;

/// How long a press may still be meant for what the button was before: as long as a double click takes.
const ONE_PRESS: Duration = Duration::from_millis(500);

/// What a press of the button does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Start,
    /// Nothing: what was started is not shown yet.
    Wait,
    Cancel,
}

/// Whether the button has just changed its purpose.
fn changes_just_now(purpose: Memo<Purpose>) -> Signal<bool> {
    let (latest, settled) = (RwSignal::new(0_u32), RwSignal::new(0_u32));
    Effect::new(move |before: Option<Purpose>| {
        let purpose = purpose.get();
        if before.is_some_and(|before| before != purpose) {
            let change = latest.get_untracked() + 1;
            latest.set(change);
            set_timeout(move || _ = settled.try_set(change), ONE_PRESS);
        }
        purpose
    });
    Signal::derive(move || latest.get() != settled.get())
}

/// What all forms share: the button that starts, the expected time, and the folded fields.
#[component]
fn LabForm(
    #[prop(into)] label: Signal<&'static str>,
    /// Why nothing can be started: the error of a field.
    error: Memo<Option<ApiError>>,
    /// How long it will take.
    #[prop(into)]
    estimate: Signal<String>,
    launcher: Launcher,
    /// What was started and can be cancelled: then the button cancels it.
    #[prop(optional)]
    ongoing: Option<Ongoing>,
    on_start: Callback<()>,
    children: Children,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let purpose = Memo::new(move |_| match ongoing {
        Some(ongoing) if ongoing.can_cancel() => Purpose::Cancel,
        _ if launcher.is_busy() => Purpose::Wait,
        _ => Purpose::Start,
    });
    let changes = changes_just_now(purpose);
    let is_meant = move |wanted: Purpose| purpose.get_untracked() == wanted && !changes.get_untracked();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !is_meant(Purpose::Start) {
            return;
        }
        match error.get_untracked() {
            None => on_start.run(()),
            // The error itself is shown beside the field.
            Some(error) => reveal(is_open, error.field.as_deref()),
        }
    };
    let cancels = move || purpose.get() == Purpose::Cancel;
    let is_ready = move || match purpose.get() {
        _ if changes.get() => false,
        Purpose::Start => error.with(Option::is_none),
        Purpose::Wait => false,
        Purpose::Cancel => ongoing.is_some_and(|ongoing| !ongoing.cancellation.is_pending.get()),
    };
    let press = move |_| {
        if is_meant(Purpose::Cancel) {
            ongoing.into_iter().for_each(Ongoing::cancel);
        }
    };
    let progress = move || ongoing.and_then(|ongoing| ongoing.progress.get());
    let is_known = move || matches!(progress(), Some(Progress::Known(_)));
    let is_cut_off = move || matches!(progress(), Some(Progress::CutOff(_)));
    let says = move || match progress() {
        Some(Progress::Known(text) | Progress::CutOff(text)) => text,
        None if purpose.get() == Purpose::Wait => words::STARTING.to_owned(),
        None => estimate.get(),
    };
    view! {
        <form class="form lab_form" novalidate on:submit=submit>
            <div class="start_row">
                <button
                    class="button"
                    class:button-primary=move || !cancels()
                    type=move || if cancels() { "button" } else { "submit" }
                    aria-disabled=move || (!is_ready()).then_some("true")
                    data-settling=move || changes.get().then_some("")
                    on:click=press
                >
                    {move || if cancels() { CANCEL } else { label.get() }}
                </button>
                <p
                    class="muted start_estimate"
                    data-cut-off=move || is_cut_off().then_some("")
                    aria-live=move || if is_known() { "off" } else { "polite" }
                >
                    {says}
                </p>
            </div>
            {move || launcher.request.error.get().map(|error| {
                let title = labels::refusal(error.code).unwrap_or(words::NOT_STARTED);
                let doubt = if error.is_outcome_unknown() { words::PERHAPS_STARTED } else { "" };
                view! { <Notice tone=Tone::Error title text=format!("{doubt}{}", error.message) /> }
            })}
            <details
                class="adjust"
                prop:open=is_open
                on:toggle:target=move |event| is_open.set(event.target().open())
            >
                <summary><Icon symbol=Symbol::Adjust />{words::ADJUST}</summary>
                <div class="card adjust_fields">{children()}</div>
            </details>
        </form>
    }
}

/// Unfolds the fields and moves the focus to one of them.
fn reveal(is_open: RwSignal<bool>, field: Option<&str>) {
    is_open.set(true);
    if let Some(selector) = field.map(|field| format!("#{}", fields::element_id(field))) {
        request_animation_frame(move || _ = focus(&selector));
    }
}

#[component]
pub fn FetchForm(
    draft: FetchDraft,
    launcher: Launcher,
    ongoing: Ongoing,
    #[prop(into)] label: Signal<&'static str>,
    on_comparison: Callback<ComparisonId>,
    on_run: Callback<LabRun>,
) -> impl IntoView {
    let compared = Memo::new(move |_| draft.compared());
    let error = Memo::new(move |_| compared.with(|compared| compared.as_ref().err().cloned()));
    let estimate = move || {
        compared.with(|compared| match compared {
            Ok(specs) => words::compare_estimate(specs.iter().map(FetchSpec::min_duration_ms).sum()),
            Err(_) => words::ONE_FIELD_FIRST.to_owned(),
        })
    };
    let start = Callback::new(move |()| {
        if let Ok(specs) = compared.get_untracked() {
            launcher.compare(specs, on_comparison);
        }
    });
    let alone = Memo::new(move |_| draft.spec());
    let start_alone = move |_| match alone.get_untracked() {
        Ok(spec) => launcher.start(spec, on_run),
        Err(error) => drop(error.field.map(|field| focus(&format!("#{}", fields::element_id(&field))))),
    };
    let has_order = Memo::new(move |_| draft.style.get() == LabStyle::Futures);
    let alone_error = move || alone.with(|alone| alone.as_ref().err().map(|error| error.message.clone()));
    view! {
        <LabForm label error estimate=Signal::derive(estimate) launcher ongoing on_start=start>
            <Presets draft />
            {choices(words::WORK, "work", &LabWork::ALL, labels::work, draft.work)}
            <div class="number_fields">
                <NumberField label=words::REQUESTS input=draft.count error />
                <NumberField label=words::THREADS input=draft.workers error />
                <NumberField label=words::LATENCY unit=words::MS input=draft.latency_ms error />
                <NumberField label=words::JITTER unit=words::PLUS_MINUS_MS input=draft.jitter_ms error />
                <NumberField label=words::TIMEOUT unit=words::MS placeholder=words::NO_TIMEOUT input=draft.timeout_ms error />
            </div>
            <details class="one_style">
                <summary>{words::ONE_STYLE}</summary>
                {choices(words::STYLE, "style", &LabStyle::ALL, labels::style, draft.style)}
                {move || has_order.get().then(|| {
                    choices(words::RESULTS, "order", &LabOrder::ALL, labels::order, draft.order)
                })}
                <div class="start_row">
                    <button
                        class="button"
                        type="button"
                        aria-disabled=move || alone.with(Result::is_err).then_some("true")
                        on:click=start_alone
                    >
                        {words::RUN_ONE_STYLE}
                    </button>
                    <p class="muted start_estimate">
                        {move || alone.with(|alone| alone.as_ref().map(labels::estimate).ok()).or_else(alone_error)}
                    </p>
                </div>
            </details>
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
    let presets = words::PRESETS.into_iter().zip(&PRESETS).map(move |(name, spec)| {
        let is_chosen = move || draft.compared().ok() == comparison::specs(spec).ok();
        view! {
            <button
                class="button button-small"
                type="button"
                aria-pressed=move || is_chosen().to_string()
                on:click=move |_| draft.fill(spec)
            >
                {name}
            </button>
        }
    });
    view! {
        <div class="presets" role="group" aria-labelledby="presets-title">
            <span class="presets_title" id="presets-title">{words::TRY}</span>
            {presets.collect_view()}
        </div>
    }
}

/// The error of a form that describes one run, and a callback that starts the run.
fn single(
    spec: Memo<Result<LabSpec, ApiError>>,
    launcher: Launcher,
    on_run: Callback<LabRun>,
) -> (Memo<Option<ApiError>>, Signal<String>, Callback<()>) {
    let error = Memo::new(move |_| spec.with(|spec| spec.as_ref().err().cloned()));
    let estimate = Signal::derive(move || {
        spec.with(|spec| spec.as_ref().map_or_else(|_| words::ONE_FIELD_FIRST.to_owned(), labels::estimate))
    });
    let start = Callback::new(move |()| {
        if let Ok(spec) = spec.get_untracked() {
            launcher.start(spec, on_run);
        }
    });
    (error, estimate, start)
}

#[component]
pub fn DatabaseForm(draft: DatabaseDraft, launcher: Launcher, on_run: Callback<LabRun>) -> impl IntoView {
    let (error, estimate, start) = single(Memo::new(move |_| draft.spec()), launcher, on_run);
    view! {
        <LabForm label=words::RUN_TASKS error estimate launcher on_start=start>
            <div class="number_fields">
                <NumberField label=words::BATCHES input=draft.batches error />
                <NumberField label=words::TASKS_PER_BATCH input=draft.tasks_per_batch error />
                <NumberField label=words::HELD_FOR unit=words::MS input=draft.hold_ms error />
            </div>
            <fieldset class="choices">
                <legend>{words::OF_THE_TASKS}</legend>
                <div class="number_fields">
                    <NumberField label=words::FAIL unit=words::PERCENT input=draft.failing error />
                    <NumberField label=words::PANIC unit=words::PERCENT input=draft.panicking error />
                    <NumberField label=words::ARE_ABORTED unit=words::PERCENT input=draft.aborted error />
                </div>
            </fieldset>
        </LabForm>
    }
}

#[component]
pub fn TrapForm(draft: RequestDraft, launcher: Launcher, on_run: Callback<LabRun>) -> impl IntoView {
    let (error, estimate, start) = single(Memo::new(move |_| draft.spec()), launcher, on_run);
    view! {
        <LabForm label=words::KILL error estimate launcher on_start=start>
            <div class="number_fields">
                <NumberField label=words::WRITE_DELAY unit=words::MS input=draft.delay_ms error />
            </div>
        </LabForm>
    }
}
