//! `/jobs/{id}`: one job with everything that is known about it.

use api::{ErrorCode, JobDetail, JobId, JobProgress, JobState, LogSeq, TimeMs};
use leptos::prelude::*;

use crate::jobs::actions::{Actions, JobActions, Place, may_act};
use crate::jobs::timeline::{Timeline, took};
use crate::jobs::{stream, words};
use crate::platform::retry::{self, Outcome};
use crate::platform::{context, time};
use crate::ui::badge::StateBadge;
use crate::ui::breadcrumb::{Breadcrumb, Crumb};
use crate::ui::copy_button::CopyButton;
use crate::ui::notice::{Failure, Loading, Notice, Tone};
use crate::ui::page::PageHeading;
use crate::ui::printed::Printed;
use crate::ui::toast::ToastCorner;
use crate::ui::{self, format, highlight};

/// The type of the jobs that write a search's row.
const LOG_REQUEST: &str = "log_request";

#[component]
pub fn JobPage(id: JobId) -> impl IntoView {
    let session = context::session();
    let job = LocalResource::new(move || api::job(id));
    let refresh = Callback::new(move |()| job.refetch());
    retry::reload(job, Outcome::of);
    // Finished jobs too: they may be retried in another tab.
    stream::follow(move |_| refresh.run(()));
    let actions = Actions::new(Callback::new(move |_| refresh.run(())));
    // An equal response redraws nothing, so selected text and open details survive. Progress changes constantly, so it
    // has its own memo.
    let shown = Memo::new(move |_| {
        let mut job = job.get();
        if let Some(Ok(job)) = &mut job {
            job.summary.progress = None;
        }
        job
    });
    let progress = Memo::new(move |_| job.get().and_then(|job| job.ok()?.summary.progress));
    view! {
        <div class="page">
            <div class="job_title">
                <Breadcrumb pages=vec![Crumb { address: "/jobs".to_owned(), name: words::HEADING }] />
                <PageHeading text=words::number(id) title=words::job(id) />
                <Printed />
            </div>
            {move || match shown.get() {
                None => view! { <Loading /> }.into_any(),
                Some(Ok(job)) => view! { <Detail job progress actions /> }.into_any(),
                Some(Err(error)) if error.code == ErrorCode::NotFound => view! { <NoSuchJob id /> }.into_any(),
                Some(Err(error)) => {
                    session.end_if_signed_out(&error);
                    view! { <Failure text=error.message on_retry=refresh /> }.into_any()
                }
            }}
            <ToastCorner toasts=actions.toasts />
        </div>
    }
}

#[component]
fn NoSuchJob(id: JobId) -> impl IntoView {
    view! {
        <div class="empty_state">
            <p><strong>{words::no_such_job(id)}</strong>" "{words::NO_SUCH_JOB}</p>
            <a class="button" href="/jobs">{words::GO_TO_JOBS}</a>
        </div>
    }
}

#[component]
fn Detail(job: JobDetail, progress: Memo<Option<JobProgress>>, actions: Actions) -> impl IntoView {
    let JobDetail { summary, payload, result, why_not_running, .. } = job.clone();
    let may_act = may_act();
    let (state, attempt, record) = (summary.state, summary.attempt, Record::of(&job));
    let consequence = move || may_act.get().then(|| words::consequence(state, attempt, record));
    view! {
        <div class="job_detail">
            <div class="job_head">
                <p class="job_head_about"><bdi translate="no">{highlight::visible(&summary.about)}</bdi></p>
                <StateBadge state />
                <code class="job_kind" translate="no">{summary.kind}</code>
                <span class="job_consequence muted">{consequence}</span>
                <JobActions id=summary.id state place=Place::Page actions />
            </div>
            {move || progress.get().map(|progress| view! { <ProgressBar progress state /> })}
            {why_not_running.map(|why| view! { <Notice tone=Tone::Info text=why /> })}
            <JobFacts job=job.clone() />
            <div class="job_columns">
                <section aria-labelledby="timeline-title">
                    <header class="timeline_head">
                        <h2 id="timeline-title">{words::TIMELINE}</h2>
                        <small class="muted">{ui::words::times_in(&time::zone_name())}</small>
                    </header>
                    <Timeline job />
                </section>
                <div class="job_texts">
                    {result.map(|result| view! { <LongText id="result-title" title=words::RESULT text=result /> })}
                    <LongText id="payload-title" title=words::PAYLOAD text=payload />
                </div>
            </div>
        </div>
    }
}

/// The row of the search that a job writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// The job writes none.
    None,
    Unwritten,
    Row(LogSeq),
}

impl Record {
    fn of(job: &JobDetail) -> Self {
        match job.log_row {
            Some(row) => Self::Row(row),
            None if job.summary.kind == LOG_REQUEST => Self::Unwritten,
            None => Self::None,
        }
    }
}

#[component]
fn LongText(id: &'static str, title: &'static str, text: String) -> impl IntoView {
    let shown = highlight::visible_lines(&text);
    view! {
        <section aria-labelledby=id>
            <header class="card_head">
                <h2 id=id>{title}</h2>
                <CopyButton label=words::COPY text=Signal::stored(text) />
            </header>
            <pre class="payload" tabindex="0" translate="no">{shown}</pre>
        </section>
    }
}

/// The progress that a job reports: a bar, and a note.
#[component]
fn ProgressBar(progress: JobProgress, state: JobState) -> impl IntoView {
    let percent = format::percent(progress.percent);
    let note = highlight::visible(&progress.note);
    view! {
        <div class="job_progress" data-state=state.as_str()>
            <p class="job_progress_text">
                <span class="job_progress_note" dir="auto">{note.clone()}</span>
                <span>{percent.clone()}</span>
            </p>
            <div
                class="job_progress_track"
                role="progressbar"
                aria-label=words::PROGRESS
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=progress.percent.to_string()
                aria-valuetext=if note.is_empty() { percent.clone() } else { words::progress(&percent, &note) }
            >
                <div class="job_progress_bar" style:width=percent.clone()></div>
            </div>
        </div>
    }
}

/// How long the job waited and ran, how often it was tried, by which worker, and where its row is.
#[component]
fn JobFacts(job: JobDetail) -> impl IntoView {
    let now = context::now();
    let record = Record::of(&job);
    let JobDetail { summary, attempts, .. } = job;
    let first_start = attempts.first().map(|attempt| attempt.started_at);
    let last = attempts.last().cloned();
    let is_final = summary.state.is_final();
    let wait = move || match first_start {
        None if is_final => words::NEVER_BEGAN.to_owned(),
        start => took(summary.created_at, start, now),
    };
    let by = last.as_ref().map_or_else(|| words::NONE.to_owned(), |attempt| attempt.worker.clone());
    let last: Option<(TimeMs, Option<TimeMs>)> = last.map(|attempt| (attempt.started_at, attempt.finished_at));
    let run = move || last.map_or_else(|| words::NONE.to_owned(), |(start, end)| took(start, end, now));
    let (attempt, most) = (summary.attempt, summary.max_attempts);
    let row = match record {
        Record::None => None,
        Record::Unwritten => Some(view! { <span class="muted">{words::unwritten(summary.state)}</span> }.into_any()),
        Record::Row(row) => {
            let address = format!("/viewlog?row={}", row.0);
            Some(view! { <a href=address>{words::row(&format::row_number(row))}</a> }.into_any())
        }
    };
    view! {
        <dl class="job_facts">
            <div><dt>{words::WAITED}</dt><dd>{wait}</dd></div>
            <div><dt>{words::RAN}</dt><dd>{run}</dd></div>
            <div>
                <dt>{words::ATTEMPTS}</dt>
                <dd title=words::at_most(attempt, most)>
                    {words::attempt_number(attempt)}
                    {(attempt > 0).then(|| view! { " "<span class="muted">{words::of_at_most(most)}</span> })}
                </dd>
            </div>
            {row.map(|row| view! { <div><dt>{words::IN_THE_LOG}</dt><dd>{row}</dd></div> })}
            <div><dt>{words::WORKER}</dt><dd title=by.clone()><span class="job_worker">{by.clone()}</span></dd></div>
        </dl>
    }
}
