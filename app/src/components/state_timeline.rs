//! What has happened to a job, in its order.

use api::{AttemptOutcome, JobDetail, JobState, TimeMs};
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::{moment, wording};

struct Event {
    /// The state that the job entered.
    state: JobState,
    text: String,
    at: TimeMs,
}

#[component]
pub fn StateTimeline(job: JobDetail) -> impl IntoView {
    let created_at = job.summary.created_at;
    let event = move |Event { state, text, at }: Event| {
        view! {
            <li class="timeline_event" data-state=state.as_str()>
                <Icon sign=Sign::State(state) />
                <span class="timeline_text">{text}</span>
                <time class="timeline_time" datetime=moment::machine(at) title=moment::exact(at)>
                    {if at == created_at { moment::exact(at) } else { format!("+{}", wording::duration(at.since(created_at))) }}
                </time>
            </li>
        }
    };
    view! {
        <ol class="state_timeline" aria-label="Timeline">{events(&job).into_iter().map(event).collect_view()}</ol>
    }
}

fn events(job: &JobDetail) -> Vec<Event> {
    let summary = &job.summary;
    let mut events = vec![Event { state: JobState::Waiting, text: "created".to_owned(), at: summary.created_at }];
    for attempt in &job.attempts {
        let number = attempt.number;
        events.push(Event {
            state: JobState::Running,
            text: format!("attempt {number} began"),
            at: attempt.started_at,
        });
        if let Some(at) = attempt.finished_at {
            let (state, text) = ending(attempt.outcome);
            events.push(Event { state, text: format!("attempt {number} {text}"), at });
        }
    }
    let last = events.last().map(|event| event.at);
    let will_run = matches!(summary.state, JobState::Scheduled | JobState::Retrying);
    if will_run && last.is_some_and(|last| last < summary.run_at) {
        events.push(Event { state: JobState::Scheduled, text: "runs next".to_owned(), at: summary.run_at });
    }
    // A job that is cancelled while it waits has no attempt that would say so.
    let is_told = job.attempts.last().is_some_and(|attempt| attempt.outcome == AttemptOutcome::Cancelled);
    if let (JobState::Cancelled, Some(at), false) = (summary.state, summary.finished_at, is_told) {
        events.push(Event { state: JobState::Cancelled, text: "cancelled".to_owned(), at });
    }
    events
}

fn ending(outcome: AttemptOutcome) -> (JobState, &'static str) {
    match outcome {
        AttemptOutcome::Running => (JobState::Running, "runs"),
        AttemptOutcome::Done => (JobState::Done, "done"),
        AttemptOutcome::Failed => (JobState::Retrying, "failed, to be tried again"),
        AttemptOutcome::Dead => (JobState::Dead, "failed for good"),
        AttemptOutcome::Cancelled => (JobState::Cancelled, "cancelled"),
        AttemptOutcome::Lost => (JobState::Retrying, "was lost with its worker"),
        AttemptOutcome::Released => (JobState::Waiting, "was given back unfinished"),
    }
}
