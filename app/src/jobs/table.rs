//! The table of jobs.

use api::{JobId, JobState, JobSummary};
use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::jobs::actions::{Actions, JobActions, Place};
use crate::jobs::words;
use crate::platform::{context, url};
use crate::ui::badge::StateBadge;
use crate::ui::format::{self, TimeAgo};
use crate::ui::{highlight, row_press};

#[component]
pub fn JobTable(
    #[prop(into)] jobs: Signal<Vec<JobSummary>>,
    actions: Actions,
    /// Whether the table is held back.
    is_behind: RwSignal<bool>,
    /// The kind of all jobs, if they are of one.
    one_kind: Memo<Option<String>>,
) -> impl IntoView {
    // A row is redrawn only if one of these has changed, so that it keeps the focus.
    let key = |job: &JobSummary| (job.id, job.state, job.attempt, job.max_attempts, job.run_at, job.finished_at);
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
                <For each=move || jobs.get() key=key let:job>
                    <JobRow percent=percent_of(jobs, job.id) job actions />
                </For>
            </tbody>
        </table>
    }
}

/// The progress of a running job. It has its own memo because it changes too often to redraw the whole row.
fn percent_of(jobs: Signal<Vec<JobSummary>>, id: JobId) -> Memo<Option<u8>> {
    Memo::new(move |_| {
        jobs.with(|jobs| {
            let job = jobs.iter().find(|job| job.id == id && job.state == JobState::Running)?;
            job.progress.as_ref().map(|progress| progress.percent)
        })
    })
}

#[component]
fn JobRow(job: JobSummary, percent: Memo<Option<u8>>, actions: Actions) -> impl IntoView {
    // What went wrong once is of no concern in a list while the job goes on, or when it is over.
    let is_failing = matches!(job.state, JobState::Retrying | JobState::Dead);
    let error = job.error.filter(|_| is_failing).map(|error| {
        let excerpt: String = error.chars().take(200).collect();
        view! { <p class="job_error" title=highlight::visible(&error)>{highlight::visible(&excerpt)}</p> }
    });
    let (id, address) = (job.id, url::of_job(job.id));
    let link = address.clone();
    let router = context::router();
    let press = move |event: MouseEvent| row_press::press(&event, &address, || router.go(&address));
    view! {
        <tr data-state=job.state.as_str() on:click=press.clone() on:auxclick=press>
            <th class="job_name" scope="row">
                <a class="row_link" href=link>{words::number(id)}</a>
                <span class="job_kind" translate="no">{job.kind}</span>
            </th>
            <td class="job_about">
                <span dir="auto" translate="no">{highlight::visible(&job.about)}</span>
                {error}
            </td>
            <td class="job_state">
                <StateBadge state=job.state />
                {move || percent.get().map(|percent| view! {
                    <span class="job_percent">{format::percent(percent)}</span>
                })}
            </td>
            <td
                class="job_attempts" data-label=words::ATTEMPT data-none=(job.attempt == 0).then_some("")
                title=(job.attempt > 0).then(|| words::at_most(job.attempt, job.max_attempts))
            >
                {words::attempt_number(job.attempt)}
            </td>
            <td class="job_age"><TimeAgo time=job.created_at /></td>
            <td class="job_buttons"><JobActions id state=job.state place=Place::List actions /></td>
        </tr>
    }
}
