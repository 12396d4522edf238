//! The table of jobs.

use api::{FilterKey, JobFilter, JobState, JobSummary};
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::jobs::actions::{Actions, JobActions, Place};
use crate::jobs::reading::address;
use crate::jobs::words;
use crate::platform::{context, url};
use crate::ui::badge::StateBadge;
use crate::ui::format::{self, TimeAgo};
use crate::ui::{self, highlight, row_press};

#[component]
pub fn JobTable(
    #[prop(into)] jobs: Signal<Vec<JobSummary>>,
    actions: Actions,
    /// Whether the table is held back.
    is_behind: RwSignal<bool>,
    /// The kind of all jobs, if they are of one.
    one_kind: Memo<Option<String>>,
    /// The filter of the list, to which cells add themselves.
    filter: Memo<JobFilter>,
) -> impl IntoView {
    view! {
        <table class="table job_table" data-one-kind=move || one_kind.with(Option::is_some).then_some("")>
            <thead>
                <tr>
                    {words::COLUMNS.map(|column| view! { <th scope="col">{column}</th> }).collect_view()}
                    <th scope="col">
                        <span class="visually_hidden">{words::ACTIONS}</span>
                        <span class="job_hold" title=words::HELD_WHY>
                            {move || is_behind.get().then_some(words::HELD)}
                        </span>
                    </th>
                </tr>
            </thead>
            <tbody>
                // A row stays while its job does, and with it the focus; only what has changed of it is drawn again.
                <For each=move || jobs.get() key=|job| job.id let:job>
                    <JobRow latest=latest_of(jobs, job.clone()) job actions filter />
                </For>
            </tbody>
        </table>
    }
}

/// What changes about a job while its row is shown.
#[derive(Clone, PartialEq)]
struct Latest {
    state: JobState,
    attempt: u32,
    max_attempts: u32,
    error: Option<String>,
    /// How far it is, if it is running and says so.
    percent: Option<u8>,
}

impl Latest {
    fn of(job: &JobSummary) -> Self {
        // What went wrong once is of no concern in a list while the job goes on, or when it is over.
        let is_failing = matches!(job.state, JobState::Retrying | JobState::Dead);
        let error = job.error.clone().filter(|_| is_failing);
        let progress = job.progress.as_ref().filter(|_| job.state == JobState::Running);
        let percent = progress.map(|progress| progress.percent);
        Self { state: job.state, attempt: job.attempt, max_attempts: job.max_attempts, error, percent }
    }
}

/// The latest of a job, and of one that has left the list what it was.
fn latest_of(jobs: Signal<Vec<JobSummary>>, first: JobSummary) -> Memo<Latest> {
    Memo::new(move |before| {
        let latest = jobs.with(|jobs| jobs.iter().find(|job| job.id == first.id).map(Latest::of));
        latest.or_else(|| before.cloned()).unwrap_or_else(|| Latest::of(&first))
    })
}

fn job_error(error: &str, filter: Memo<JobFilter>) -> impl IntoView + use<> {
    let shown = highlight::visible(&error.chars().take(200).collect::<String>());
    view! {
        <p class="job_error">
            <Cell filter key=FilterKey::Error value=error.to_owned() name=shown.clone()>{shown}</Cell>
        </p>
    }
}

/// What a cell shows, as a link that shows only the jobs that have the same there.
#[component]
fn Cell(
    filter: Memo<JobFilter>,
    key: FilterKey,
    value: String,
    /// What the cell shows.
    name: String,
    children: Children,
) -> impl IntoView {
    let term = JobFilter::of(key, &value);
    let title = highlight::visible(&words::only(&term.to_string()));
    view! {
        // In a list of fifty jobs, the tab key leads from job to job. The field completes the same values.
        <a
            class="job_cell" data-own="" tabindex="-1" title=title aria-label=words::only(&name)
            href=move || address(filter.get().with(&term))
        >
            {children()}
        </a>
    }
}

/// A button that was pressed by a key goes with its state, so its row takes the focus.
fn keep_focus(event: MouseEvent) {
    let row = event.current_target().and_then(|cell| cell.dyn_into::<Element>().ok()?.parent_element());
    let link = row.and_then(|row| row.query_selector(".row_link").ok().flatten());
    if let Some(link) = link.filter(|_| event.detail() == 0).and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        let _ = link.focus();
    }
}

#[component]
fn JobRow(job: JobSummary, latest: Memo<Latest>, actions: Actions, filter: Memo<JobFilter>) -> impl IntoView {
    let state = Memo::new(move |_| latest.with(|job| job.state));
    let error = Memo::new(move |_| latest.with(|job| job.error.clone()));
    let percent = Memo::new(move |_| latest.with(|job| job.percent));
    let attempts = Memo::new(move |_| latest.with(|job| (job.attempt, job.max_attempts)));
    let (id, address) = (job.id, url::of_job(job.id));
    let link = address.clone();
    let router = context::router();
    let press = move |event: MouseEvent| row_press::press(&event, &address, || router.go(&address));
    view! {
        <tr data-state=move || state.get().as_str() on:click=press.clone() on:auxclick=press>
            <th class="job_name" scope="row">
                <a class="row_link" href=link>{words::number(id)}</a>
                <span class="job_kind" translate="no">
                    <Cell filter key=FilterKey::Kind value=job.kind.clone() name=job.kind.clone()>{job.kind.clone()}</Cell>
                </span>
            </th>
            <td class="job_about">
                <span dir="auto" translate="no">{highlight::visible(&job.about)}</span>
                {move || error.with(|error| error.as_deref().map(|error| job_error(error, filter)))}
            </td>
            <td class="job_state">
                {move || {
                    let (state, name) = (state.get(), ui::words::state(state.get()).to_owned());
                    view! {
                        <Cell filter key=FilterKey::State value=state.as_str().to_owned() name>
                            <StateBadge state />
                        </Cell>
                    }
                }}
                {move || percent.get().map(|percent| view! {
                    <span class="job_percent">{format::percent(percent)}</span>
                })}
            </td>
            <td
                class="job_attempts" data-label=words::ATTEMPT
                data-none=move || (attempts.get().0 == 0).then_some("")
                title=move || {
                    let (attempt, most) = attempts.get();
                    (attempt > 0).then(|| words::at_most(attempt, most))
                }
            >
                {move || words::attempt_number(attempts.get().0)}
            </td>
            <td class="job_age"><TimeAgo time=job.created_at /></td>
            <td class="job_buttons" on:click=keep_focus>
                {move || view! { <JobActions id state=state.get() place=Place::List actions /> }}
            </td>
        </tr>
    }
}
