//! One run in full, live; and `/lab/runs/{id}`.

use api::{ErrorCode, FetchSpec, JobState, LabRun, LabRunId, LabSpec, LabStyle};
use leptos::prelude::*;

use crate::lab::bars::ROWS_LIMIT;
use crate::lab::code::RunCode;
use crate::lab::failures::FailureList;
use crate::lab::figures::{Figures, RunTiles};
use crate::lab::flight::FlightChart;
use crate::lab::items::{Arrivals, FuturesTable, ItemTable};
use crate::lab::lanes::LaneList;
use crate::lab::launcher::Launcher;
use crate::lab::page::Scenario;
use crate::lab::pool::PoolChart;
use crate::lab::shows::RunTakeaway;
use crate::lab::stream::RunStream;
use crate::lab::waterfall::Waterfall;
use crate::lab::words::{labels, run as texts};
use crate::lab::{stream, words};
use crate::platform::request::Request;
use crate::platform::retry::{self, Outcome};
use crate::platform::{context, time, url};
use crate::ui::badge::StateBadge;
use crate::ui::breadcrumb::{Breadcrumb, Crumb};
use crate::ui::copy_button::CopyButton;
use crate::ui::format::{TimeAgo, measured};
use crate::ui::icon::Symbol;
use crate::ui::notice::{Failure, Notice, Tone};
use crate::ui::page::PageHeading;
use crate::ui::words as ui_words;

/// Where a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Beside the forms.
    Lab,
    /// On its own page, whose heading is the run's title.
    Page,
}

#[component]
pub fn RunView(
    run: LabRun,
    host: Host,
    /// Told when the run has ended.
    #[prop(optional)]
    launcher: Option<Launcher>,
) -> impl IntoView {
    let spec = run.spec.clone();
    let stream = stream::follow(run);
    let state = Memo::new(move |_| stream.run.with(|run| run.state));
    let status = Memo::new(move |_| stream.run.with(labels::status));
    let tone = move || if state.get() == JobState::Dead { Tone::Error } else { Tone::Info };
    Effect::new(move |was_complete: Option<bool>| {
        let is_complete = stream.is_complete.get();
        if was_complete == Some(false) && is_complete {
            launcher.into_iter().for_each(Launcher::ended);
        }
        is_complete
    });
    view! {
        <div class="lab_run">
            <RunHead stream host />
            <Show when=move || !state.get().is_final()><ProgressLine stream /></Show>
            <CutOffNotice stream />
            {move || status.get().map(|text| view! { <Notice tone=tone() text /> })}
            <RunTiles stream />
            {match spec.clone() {
                LabSpec::Fetch(spec) => view! { <RunTakeaway stream /><FetchRun stream spec /> }.into_any(),
                LabSpec::Database(_) => view! { <RunTakeaway stream /><PoolChart stream /><FailureList stream /> }.into_any(),
                // Its lanes end with their own verdicts.
                LabSpec::Request(spec) => {
                    view! { <LaneList stream delay_ms=spec.delay_ms /><RunTakeaway stream /> }.into_any()
                }
            }}
            <RunCode spec />
        </div>
    }
}

#[component]
fn FetchRun(stream: RunStream, spec: FetchSpec) -> impl IntoView {
    let planned = spec.count as usize;
    let expected_us = spec.min_duration_ms() * 1_000;
    let has_futures = spec.style == LabStyle::Futures;
    let picture = if planned > ROWS_LIMIT {
        view! { <FlightChart stream expected_us /> }.into_any()
    } else {
        view! { <Waterfall stream planned expected_us /> }.into_any()
    };
    view! {
        {picture}
        {has_futures.then(|| view! { <FuturesTable stream planned /> })}
        <Arrivals stream planned />
        <FailureList stream />
        {(!has_futures).then(|| view! { <ItemTable stream /> })}
    }
}

/// When the shape of a page appears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Appearance {
    /// After the style sheet's 400 ms.
    #[default]
    Late,
    /// At once, if the document has shown it before the program came.
    Continued,
}

/// The shape of a page that is on its way.
#[component]
pub fn Skeleton(#[prop(optional)] appearance: Appearance) -> impl IntoView {
    const DOCUMENT_HID_IT_MS: f64 = 400.0;
    let is_shown =
        appearance == Appearance::Continued && !context::router().has_moved() && time::steady_ms() > DOCUMENT_HID_IT_MS;
    view! {
        <div class="lab_skeleton" data-shown=is_shown.then_some("") role="status">
            <span class="visually_hidden">{ui_words::LOADING}</span>
            {(0..4).map(|_| view! { <div class="lab_skeleton_row"></div> }).collect_view()}
        </div>
    }
}

/// Says that the clock of a running run stands still, and since when; or why it was set back.
#[component]
fn CutOffNotice(stream: RunStream) -> impl IntoView {
    let has_begun = Memo::new(move |_| stream.now_us.get() > 0);
    let cut_off = Memo::new(move |_| {
        let since = stream.is_cut_off()?;
        let into = has_begun.get().then(|| measured(stream.now_us.get()));
        Some(words::cut_off(&time::time_of_day(since), into.as_deref()))
    });
    let is_again = Memo::new(move |_| stream.has_begun_again() && stream.is_running());
    move || match cut_off.get() {
        Some(text) => Some(view! { <Notice tone=Tone::Warning text /> }),
        None => is_again.get().then(|| view! { <Notice tone=Tone::Info text=words::BEGAN_AGAIN /> }),
    }
}

#[component]
pub fn LabRunPage(id: LabRunId) -> impl IntoView {
    let answer = LocalResource::new(move || api::lab_run(id));
    retry::reload(answer, Outcome::of);
    let shown = Memo::new(move |_| answer.get());
    let heading = Memo::new(move |_| match shown.get() {
        Some(Ok(run)) => labels::title(&run.spec),
        Some(Err(error)) if error.code == ErrorCode::NotFound => texts::NO_SUCH_RUN.to_owned(),
        _ => texts::A_RUN.to_owned(),
    });
    let pages = Signal::derive(move || {
        let scenario = match shown.get() {
            Some(Ok(run)) => Some(Scenario::of(&run.spec)),
            _ => None,
        };
        let scenario = scenario.map(|scenario| Crumb { address: scenario.address(), name: scenario.name() });
        std::iter::once(Crumb { address: "/lab".to_owned(), name: words::TITLE }).chain(scenario).collect()
    });
    view! {
        <div class="page">
            <div class="lab_run_title">
                <Breadcrumb pages />
                <PageHeading text=heading />
            </div>
            {move || match shown.get() {
                None => view! { <Skeleton appearance=Appearance::Continued /> }.into_any(),
                Some(Ok(run)) => view! { <RunView run host=Host::Page /> }.into_any(),
                Some(Err(error)) if error.code == ErrorCode::NotFound => view! { <NoSuchRun /> }.into_any(),
                Some(Err(error)) => {
                    view! { <Failure text=error.message on_retry=move |()| answer.refetch() /> }.into_any()
                }
            }}
        </div>
    }
}

#[component]
fn NoSuchRun() -> impl IntoView {
    view! {
        <div class="card empty_state">
            <p>{texts::NO_SUCH_RUN_WHY}</p>
            <a class="button button-primary" href="/lab">{texts::GO_TO_LAB}</a>
        </div>
    }
}

#[component]
fn RunHead(stream: RunStream, host: Host) -> impl IntoView {
    let (id, title, created_at) = stream.run.with_untracked(|run| (run.id, labels::title(&run.spec), run.created_at));
    let state = Memo::new(move |_| stream.run.with(|run| run.state));
    let address = url::of_lab_run(id);
    let link = url::absolute(&address);
    let cancellation = Request::new();
    view! {
        <header class="lab_run_head">
            {match host {
                Host::Lab => view! { <h2><a href=address>{title}</a></h2> }.into_any(),
                Host::Page => view! { <h2 class="visually_hidden">{texts::WHAT_HAPPENED}</h2> }.into_any(),
            }}
            {move || view! { <StateBadge state=state.get() /> }}
            <span class="muted"><TimeAgo time=created_at /></span>
            <div class="lab_run_actions">
                <CancelButton stream request=cancellation />
                <CopyButton label=words::COPY_LINK symbol=Symbol::Link text=link />
            </div>
        </header>
        {move || cancellation.error.get().map(|error| {
            let title = if error.is_outcome_unknown() { texts::PERHAPS_NOT_CANCELLED } else { words::NOT_CANCELLED };
            view! { <Notice tone=Tone::Error title text=error.message /> }
        })}
    }
}

#[component]
fn CancelButton(stream: RunStream, request: Request) -> impl IntoView {
    let can_cancel = Memo::new(move |_| stream.run.with(|run| run.can_cancel && !run.state.is_final()));
    // The button stays pressed after the answer, until the run has ended.
    let is_sent = RwSignal::new(false);
    let cancel = move |_| {
        if is_sent.get_untracked() {
            return;
        }
        is_sent.set(true);
        request.error.set(None);
        let id = stream.run.with_untracked(|run| run.id);
        request.send(api::cancel_lab_run(id), move |result| {
            is_sent.try_set(result.is_ok());
        });
    };
    view! {
        <Show when=move || can_cancel.get()>
            <button
                class="button button-small"
                type="button"
                aria-disabled=move || is_sent.get().then_some("true")
                on:click=cancel
            >
                {move || if is_sent.get() { texts::CANCELLING } else { words::CANCEL }}
            </button>
        </Show>
    }
}

#[component]
fn ProgressLine(stream: RunStream) -> impl IntoView {
    let percent = Memo::new(move |_| {
        let run = stream.run.get();
        stream.trace.with(|trace| Figures::of(&run, trace, trace.latest_us).percent)
    });
    let state = move || stream.run.with(|run| run.state.as_str());
    view! {
        <div
            class="progress_line"
            role="progressbar"
            aria-label=texts::PROGRESS
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || percent.get().to_string()
            data-state=state
        >
            <div class="progress_line_done" style:width=move || format!("{}%", percent.get())></div>
        </div>
    }
}
