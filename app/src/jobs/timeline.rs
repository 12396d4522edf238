//! What has happened to a job, in order: its attempts, and why they failed.

use api::{Attempt, AttemptOutcome, AuditAction, AuditEntry, JobDetail, JobState, TimeMs};
use leptos::prelude::*;

use crate::jobs::words;
use crate::platform::{context, time};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::{format, highlight};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    /// The state that the job entered; `None` if that is over, whatever it was.
    state: Option<JobState>,
    text: String,
    attempt: Option<AttemptFacts>,
    /// When it began.
    at: TimeMs,
}

/// The attempt of an event, or the last one of several alike.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AttemptFacts {
    /// How many attempts in a row ended like this.
    count: usize,
    worker: String,
    started_at: TimeMs,
    finished_at: Option<TimeMs>,
    error: Option<Failure>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Failure {
    Text(String),
    /// The same text as that of an earlier event.
    SameAsBefore,
}

#[component]
pub fn Timeline(job: JobDetail) -> impl IntoView {
    let created_at = job.summary.created_at;
    let events = events(&job).into_iter().map(|event| view! { <EventItem event created_at /> }).collect_view();
    let is_unstarted = job.attempts.is_empty() && !job.summary.state.is_final();
    view! {
        <ol class="state_timeline" aria-label=words::TIMELINE>
            {events}
            {is_unstarted.then(|| view! {
                <li class="timeline_event muted" data-state=job.summary.state.as_str()>
                    <Icon symbol=Symbol::State(job.summary.state) />
                    <span class="timeline_text">{words::NOT_STARTED}</span>
                </li>
            })}
        </ol>
    }
}

#[component]
fn EventItem(event: Event, created_at: TimeMs) -> impl IntoView {
    let now = context::now();
    let Event { state, text, attempt, at } = event;
    let when = match at == created_at {
        true => time::local(at),
        false => words::after(&format::duration(at.since(created_at))),
    };
    let (error, count) = attempt.as_ref().map_or((None, 1), |facts| (facts.error.clone(), facts.count));
    let facts = attempt.map(|AttemptFacts { worker, started_at, finished_at, .. }| {
        let text = if finished_at.is_some() { words::by_worker } else { words::on_worker };
        view! { <small class="muted">{move || text(&worker, &took(started_at, finished_at, now))}</small> }
    });
    let error = error.map(|error| match error {
        Failure::Text(text) => {
            // A sentence of ours reads as one; what a program said keeps its lines.
            let is_sentence = !text.contains('\n') && !text.contains("::");
            view! {
                <pre class="event_error" tabindex="0" translate="no" data-sentence=is_sentence.then_some("")>
                    {highlight::visible_lines(&text)}
                </pre>
            }
            .into_any()
        }
        Failure::SameAsBefore => view! { <p class="event_same muted">{words::SAME_ERROR}</p> }.into_any(),
    });
    view! {
        <li class="timeline_event" data-state=state.map(JobState::as_str)>
            <Icon symbol=state.map_or(Symbol::Dot, Symbol::State) />
            <div class="timeline_text">
                {text}
                {(count > 1).then(|| view! { " "<span class="event_count">{words::times(count)}</span> })}
                {facts}
            </div>
            <time class="timeline_time" datetime=time::iso(at) title=time::local(at)>{when}</time>
            {error}
        </li>
    }
}

/// From `start` to `end`, or until now in whole seconds.
pub fn took(start: TimeMs, end: Option<TimeMs>, now: Signal<TimeMs>) -> String {
    format::duration(end.map_or_else(|| now.get().since(start) / 1_000 * 1_000, |end| end.since(start)))
}

/// The job's state after an attempt.
fn state_after(outcome: AttemptOutcome) -> JobState {
    match outcome {
        AttemptOutcome::Running => JobState::Running,
        AttemptOutcome::Done => JobState::Done,
        AttemptOutcome::Failed | AttemptOutcome::Lost => JobState::Retrying,
        AttemptOutcome::Dead => JobState::Dead,
        AttemptOutcome::Cancelled => JobState::Cancelled,
        AttemptOutcome::Released => JobState::Waiting,
    }
}

fn events(job: &JobDetail) -> Vec<Event> {
    let event = |state, text: &str, at| Event { state, text: text.to_owned(), attempt: None, at };
    let summary = &job.summary;
    let mut events = vec![event(None, words::CREATED, summary.created_at)];
    let mut told = Vec::new();
    for alike in job.attempts.chunk_by(is_alike) {
        events.push(attempt_event(alike, &mut told));
    }
    events.extend(job.audit.iter().filter_map(command));
    // Attempts that ended alike are one event, at the start of the first: a retry between them stands behind it.
    events.sort_by_key(|event| event.at);
    let last = job.attempts.last();
    let will_run = matches!(summary.state, JobState::Scheduled | JobState::Retrying);
    let last_at = last.and_then(|attempt| attempt.finished_at).unwrap_or(summary.created_at);
    if will_run && last_at < summary.run_at {
        events.push(event(Some(JobState::Scheduled), words::RUNS_NEXT, summary.run_at));
    }
    // A visitor who cancels a run that waits leaves neither an attempt nor an entry of the audit.
    let is_told = last.is_some_and(|attempt| attempt.outcome == AttemptOutcome::Cancelled)
        || job.audit.last().is_some_and(|entry| entry.action == AuditAction::CancelJob);
    if let (JobState::Cancelled, Some(at), false) = (summary.state, summary.finished_at, is_told) {
        events.push(event(Some(JobState::Cancelled), words::CANCELLED, at));
    }
    events
}

/// What somebody has commanded about the job.
fn command(entry: &AuditEntry) -> Option<Event> {
    let by = entry.by.as_deref();
    let (state, text) = match entry.action {
        AuditAction::RetryJob => (JobState::Waiting, words::retried_by(by)),
        AuditAction::CancelJob => (JobState::Cancelled, words::cancelled_by(by)),
        _ => return None,
    };
    Some(Event { state: Some(state), text, attempt: None, at: entry.at })
}

/// Whether two attempts in a row failed for the same reason.
fn is_alike(one: &Attempt, next: &Attempt) -> bool {
    one.outcome == next.outcome && one.error.is_some() && one.error == next.error
}

/// The event of attempts that are alike. `told` are the errors that earlier events have shown.
fn attempt_event<'a>(alike: &'a [Attempt], told: &mut Vec<&'a str>) -> Event {
    let (first, last) = (&alike[0], &alike[alike.len() - 1]);
    let text = words::attempts(first.number, last.number, last.outcome);
    let error = last.error.as_deref().map(|error| match told.contains(&error) {
        true => Failure::SameAsBefore,
        false => {
            told.push(error);
            Failure::Text(error.to_owned())
        }
    });
    let facts = AttemptFacts {
        count: alike.len(),
        worker: last.worker.clone(),
        started_at: last.started_at,
        finished_at: last.finished_at,
        error,
    };
    // Each time in the timeline is a beginning; how long it took stands beside it.
    Event { state: Some(state_after(last.outcome)), text, attempt: Some(facts), at: first.started_at }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn attempt(number: u32, outcome: AttemptOutcome, error: Option<&str>) -> Attempt {
        let at = TimeMs(i64::from(number) * 1_000);
        let finished_at = (outcome != AttemptOutcome::Running).then(|| at.after(Duration::from_millis(10)));
        Attempt {
            number,
            worker: "w".to_owned(),
            started_at: at,
            finished_at,
            outcome,
            error: error.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn equal_errors_are_told_once_and_counted() {
        let attempts = [
            attempt(1, AttemptOutcome::Failed, Some("no disk")),
            attempt(2, AttemptOutcome::Failed, Some("no disk")),
            attempt(3, AttemptOutcome::Lost, Some("gone")),
            attempt(4, AttemptOutcome::Failed, Some("no disk")),
            attempt(5, AttemptOutcome::Running, None),
        ];
        let mut told = Vec::new();
        let events: Vec<Event> = attempts.chunk_by(is_alike).map(|alike| attempt_event(alike, &mut told)).collect();
        let texts: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
        let expected = [
            "Attempts 1 to 2 failed, will retry",
            "Attempt 3 was lost with its worker",
            "Attempt 4 failed, will retry",
            "Attempt 5 is running",
        ];
        assert_eq!(texts, expected);
        let errors: Vec<Option<Failure>> =
            events.iter().map(|event| event.attempt.as_ref().and_then(|facts| facts.error.clone())).collect();
        let text = |text: &str| Some(Failure::Text(text.to_owned()));
        assert_eq!(errors, [text("no disk"), text("gone"), Some(Failure::SameAsBefore), None]);
        assert_eq!(events[0].at, TimeMs(1_000), "when the first of them began");
        assert_eq!(events[0].attempt.as_ref().map(|facts| facts.count), Some(2));
    }
}
