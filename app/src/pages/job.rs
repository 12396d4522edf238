//! `/jobs/{id}`: one job with all that is known of it.

use api::{JobDetail, JobId, JobProgress as Progress};
use leptos::prelude::*;

use crate::components::{
    AttemptList, CopyButton, JobActions, JobProgress, JobTiles, Loading, Notice, PageHeading, StateBadge,
    StateTimeline, Tone,
};
use crate::job_commands::JobCommands;
use crate::{context, job_feed, marking, wording};

#[component]
pub fn JobPage(id: JobId) -> impl IntoView {
    let session = context::session();
    let version = RwSignal::new(0_u32);
    let job = LocalResource::new(move || {
        version.track();
        api::job(id)
    });
    let refresh = Callback::new(move |()| {
        version.try_update(|version| *version += 1);
    });
    // Not only while it is unfinished: someone may retry it in another tab.
    job_feed::follow(move |_| refresh.run(()));
    let commands = JobCommands::new(refresh);
    // Equal answers draw nothing anew: what is selected or unfolded stays so.
    let shown = Memo::new(move |_| {
        let mut job = job.get();
        // It changes all the time, and nothing else with it.
        if let Some(Ok(job)) = &mut job {
            job.summary.progress = None;
        }
        job
    });
    let progress = Memo::new(move |_| job.get().and_then(|job| job.ok()?.summary.progress));
    view! {
        <div class="page">
            <p class="breadcrumb"><a href="/jobs">"Jobs"</a></p>
            <PageHeading text=format!("Job #{}", id.0) />
            {move || commands.error.get().map(|error| view! { <Notice tone=Tone::Error text=error.message /> })}
            {move || match shown.get() {
                None => view! { <Loading /> }.into_any(),
                Some(Ok(job)) => view! { <Detail job progress commands /> }.into_any(),
                Some(Err(error)) => {
                    session.notice(&error);
                    view! {
                        <Notice tone=Tone::Error text=error.message>
                            <button class="button" type="button" on:click=move |_| refresh.run(())>"Try again"</button>
                        </Notice>
                    }
                    .into_any()
                }
            }}
        </div>
    }
}

#[component]
fn Detail(job: JobDetail, progress: Memo<Option<Progress>>, commands: JobCommands) -> impl IntoView {
    let JobDetail { summary, payload, result, attempts, log_row, why_not_running } = job.clone();
    view! {
        <div class="job_detail">
            <div class="job_head">
                <StateBadge state=summary.state />
                <code class="job_kind">{summary.kind}</code>
                <span class="muted job_head_about" dir="auto">{marking::visible(&summary.about)}</span>
                <JobActions id=summary.id state=summary.state commands />
            </div>
            {move || progress.get().map(|progress| view! { <JobProgress progress state=summary.state /> })}
            {why_not_running.map(|why| view! { <Notice tone=Tone::Info text=why /> })}
            {log_row.map(|row| view! {
                <p class="job_row_note">
                    <a href=format!("/viewlog?row={}", row.0)>{format!("Log row {}", wording::row_number(row))}</a>
                    {summary.state.can_retry().then_some(" The row is already written: a retry changes nothing.")}
                </p>
            })}
            <JobTiles job=job.clone() />
            <div class="job_columns">
                <section class="card" aria-labelledby="attempts-title">
                    <h2 id="attempts-title">"Attempts"</h2>
                    <AttemptList attempts />
                </section>
                <section class="card" aria-labelledby="timeline-title">
                    <h2 id="timeline-title">"Timeline"</h2>
                    <StateTimeline job />
                </section>
            </div>
            {result.map(|result| view! { <JobText id="result-title" title="Result" text=result /> })}
            <JobText id="payload-title" title="Payload" text=payload />
        </div>
    }
}

/// A long text of the job's.
#[component]
fn JobText(id: &'static str, title: &'static str, text: String) -> impl IntoView {
    let shown = marking::visible_lines(&text);
    view! {
        <section class="card" aria-labelledby=id>
            <header class="card_head">
                <h2 id=id>{title}</h2>
                <CopyButton label="Copy" text />
            </header>
            <pre class="payload" tabindex="0">{shown}</pre>
        </section>
    }
}
