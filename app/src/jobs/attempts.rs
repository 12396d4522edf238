//! The attempts at a job, and its timeline.

use api::{Attempt, AttemptOutcome, JobDetail, JobState, TimeMs};
use leptos::prelude::*;

use crate::platform::{context, time};
use crate::ui::format::{self, TimeAgo};
use crate::ui::highlight;
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn AttemptList(attempts: Vec<Attempt>) -> impl IntoView {
    if attempts.is_empty() {
        return view! { <p class="muted">"Not started yet"</p> }.into_any();
    }
    let newest_first = attempts.into_iter().rev();
    view! {
        <ol class="attempt_list">
            {newest_first.map(|attempt| view! { <AttemptItem attempt /> }).collect_view()}
        </ol>
    }
    .into_any()
}

#[component]
fn AttemptItem(attempt: Attempt) -> impl IntoView {
    let now = context::now();
    let Attempt { number, worker, started_at, finished_at, outcome, error } = attempt;
    view! {
        <li class="attempt">
            <p class="attempt_head">
                <strong>{format!("Attempt {number}")}</strong>
                <OutcomeBadge outcome />
                <span class="muted attempt_worker" title=worker.clone()>{format!("by {worker}")}</span>
                <span class="attempt_times">
                    <TimeAgo time=started_at />", took "{move || took(started_at, finished_at, now)}
                </span>
            </p>
            {error.map(|error| view! {
                <details class="error_details" open>
                    <summary>"Error"</summary>
                    <pre tabindex="0">{highlight::visible_lines(&error)}</pre>
                </details>
            })}
        </li>
    }
}

/// From `start` to `end`, or until now in whole seconds.
pub fn took(start: TimeMs, end: Option<TimeMs>, now: Signal<TimeMs>) -> String {
    format::duration(end.map_or_else(|| now.get().since(start) / 1_000 * 1_000, |end| end.since(start)))
}

#[component]
fn OutcomeBadge(outcome: AttemptOutcome) -> impl IntoView {
    let (state, _) = state_after(outcome);
    view! {
        <span class="state_badge" data-state=state.as_str()>
            <Icon symbol=Symbol::State(state) />
            {outcome.as_str()}
        </span>
    }
}

/// The job's state after an attempt, and its text in the timeline.
fn state_after(outcome: AttemptOutcome) -> (JobState, &'static str) {
    match outcome {
        AttemptOutcome::Running => (JobState::Running, "runs"),
        AttemptOutcome::Done => (JobState::Done, "done"),
        AttemptOutcome::Failed => (JobState::Retrying, "failed, will retry"),
        AttemptOutcome::Dead => (JobState::Dead, "failed for good"),
        AttemptOutcome::Cancelled => (JobState::Cancelled, "cancelled"),
        AttemptOutcome::Lost => (JobState::Retrying, "was lost with its worker"),
        AttemptOutcome::Released => (JobState::Waiting, "was given back unfinished"),
    }
}

struct TimelineEvent {
    /// The state that the job entered.
    state: JobState,
    text: String,
    at: TimeMs,
}

#[component]
pub fn StateTimeline(job: JobDetail) -> impl IntoView {
    let created_at = job.summary.created_at;
    let event = move |TimelineEvent { state, text, at }: TimelineEvent| {
        let when = match at == created_at {
            true => time::local(at),
            false => format!("+{}", format::duration(at.since(created_at))),
        };
        view! {
            <li class="timeline_event" data-state=state.as_str()>
                <Icon symbol=Symbol::State(state) />
                <span class="timeline_text">{text}</span>
                <time class="timeline_time" datetime=time::iso(at) title=time::local(at)>{when}</time>
            </li>
        }
    };
    view! {
        <ol class="state_timeline" aria-label="Timeline">{events(&job).into_iter().map(event).collect_view()}</ol>
    }
}

fn events(job: &JobDetail) -> Vec<TimelineEvent> {
    let event = |state, text: &str, at| TimelineEvent { state, text: text.to_owned(), at };
    let summary = &job.summary;
    let mut events = vec![event(JobState::Waiting, "Created", summary.created_at)];
    for attempt in &job.attempts {
        let number = attempt.number;
        events.push(event(JobState::Running, &format!("Attempt {number} began"), attempt.started_at));
        if let Some(at) = attempt.finished_at {
            let (state, text) = state_after(attempt.outcome);
            events.push(event(state, &format!("Attempt {number} {text}"), at));
        }
    }
    let last = events.last().map(|event| event.at);
    let will_run = matches!(summary.state, JobState::Scheduled | JobState::Retrying);
    if will_run && last.is_some_and(|last| last < summary.run_at) {
        events.push(event(JobState::Scheduled, "Runs next", summary.run_at));
    }
    // A job cancelled while it waited has no attempt with that outcome.
    let is_in_attempts = job.attempts.last().is_some_and(|attempt| attempt.outcome == AttemptOutcome::Cancelled);
    if let (JobState::Cancelled, Some(at), false) = (summary.state, summary.finished_at, is_in_attempts) {
        events.push(event(JobState::Cancelled, "Cancelled", at));
    }
    events
}
