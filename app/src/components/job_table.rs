//! A page of jobs as a table.

use api::{JobId, JobState, JobSummary};
use leptos::prelude::*;

use crate::components::{JobActions, StateBadge, TimeAgo};
use crate::job_commands::JobCommands;
use crate::{marking, url, wording};

#[component]
pub fn JobTable(#[prop(into)] jobs: Signal<Vec<JobSummary>>, commands: JobCommands) -> impl IntoView {
    // A row is drawn anew only when something in it has changed: so it keeps its focus.
    let key = |job: &JobSummary| (job.id, job.state, job.attempt, job.max_attempts, job.run_at, job.finished_at);
    view! {
        <table class="job_table">
            <thead>
                <tr>
                    <th scope="col">"Job"</th>
                    <th scope="col">"About"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Attempts"</th>
                    <th scope="col">"Age"</th>
                    <th scope="col"><span class="visually_hidden">"Actions"</span></th>
                </tr>
            </thead>
            <tbody>
                <For each=move || jobs.get() key=key let:job>
                    <JobRow percent=percent_of(jobs, job.id) job commands />
                </For>
            </tbody>
        </table>
    }
}

/// How far a job is, while it runs. By itself, because it changes too often for the row to be drawn anew.
fn percent_of(jobs: Signal<Vec<JobSummary>>, id: JobId) -> Memo<Option<u8>> {
    Memo::new(move |_| {
        jobs.with(|jobs| {
            let job = jobs.iter().find(|job| job.id == id && job.state == JobState::Running)?;
            job.progress.as_ref().map(|progress| progress.percent)
        })
    })
}

#[component]
fn JobRow(job: JobSummary, percent: Memo<Option<u8>>, commands: JobCommands) -> impl IntoView {
    let error = job.error.map(|error| {
        let excerpt: String = error.chars().take(200).collect();
        view! { <p class="job_error" title=marking::visible(&error)>{marking::visible(&excerpt)}</p> }
    });
    view! {
        <tr>
            <th class="job_name" scope="row">
                <a class="row_link" href=url::of_job(job.id)>{format!("#{}", job.id.0)}</a>
                <span class="job_kind">{job.kind}</span>
            </th>
            <td class="job_about">
                <span dir="auto">{marking::visible(&job.about)}</span>
                {error}
            </td>
            <td class="job_state">
                <StateBadge state=job.state />
                {move || percent.get().map(|percent| view! {
                    <span class="job_percent">{wording::percent(percent)}</span>
                })}
            </td>
            <td class="job_attempts">
                {format!("{}/{}", job.attempt, job.max_attempts)}
            </td>
            <td class="job_age"><TimeAgo time=job.created_at /></td>
            <td class="job_buttons"><JobActions id=job.id state=job.state commands /></td>
        </tr>
    }
}
