//! How a row came to be written: the attempts of its job.

use std::sync::Arc;

use api::{Attempt, AttemptOutcome, JobState, LogRow, TimeMs};
use leptos::prelude::*;

use crate::log::words;
use crate::platform::time;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::{self, format};

struct Step {
    state: JobState,
    text: String,
    /// The worker, and how long it took.
    more: Option<String>,
    at: TimeMs,
}

#[component]
pub fn RowHistory(row: Arc<LogRow>) -> impl IntoView {
    let job_id = row.job_id;
    let job = LocalResource::new(move || api::job(job_id));
    let (searched_at, recorded_at) = (row.searched_at, row.recorded_at);
    view! {
        <section class="row_history" aria-labelledby="history-title">
            <header class="timeline_head">
                <h3 id="history-title">{words::HISTORY}</h3>
                <small class="muted">{ui::words::times_in(&time::zone_name())}</small>
            </header>
            // Without the job, which may be deleted before its row, the row itself says when.
            {move || {
                let attempts = job.get().and_then(Result::ok).map(|job| job.attempts).unwrap_or_default();
                view! { <ol>{steps(searched_at, recorded_at, attempts).into_iter().map(|step| shown(step, searched_at)).collect_view()}</ol> }
            }}
        </section>
    }
}

fn shown(step: Step, since: TimeMs) -> impl IntoView {
    let Step { state, text, more, at } = step;
    let when = if at == since { time::local(at) } else { words::later(&format::duration(at.since(since))) };
    view! {
        <li class="timeline_event" data-state=state.as_str()>
            <Icon symbol=Symbol::State(state) />
            <span class="timeline_text">{text}{more.map(|more| view! { <small class="muted">{more}</small> })}</span>
            <time class="timeline_time" datetime=time::iso(at) title=time::local(at)>{when}</time>
        </li>
    }
}

fn steps(searched_at: TimeMs, recorded_at: TimeMs, attempts: Vec<Attempt>) -> Vec<Step> {
    let searched = Step { state: JobState::Done, text: words::SEARCHED.to_owned(), more: None, at: searched_at };
    let recorded = Step { state: JobState::Done, text: words::RECORDED.to_owned(), more: None, at: recorded_at };
    let attempts = attempts.into_iter().map(|attempt| {
        let state = match attempt.outcome {
            AttemptOutcome::Running => JobState::Running,
            AttemptOutcome::Done => JobState::Done,
            AttemptOutcome::Dead => JobState::Dead,
            AttemptOutcome::Cancelled => JobState::Cancelled,
            AttemptOutcome::Failed | AttemptOutcome::Lost | AttemptOutcome::Released => JobState::Retrying,
        };
        let worker = words::worker(&attempt.worker);
        let took = attempt.finished_at.map(|end| words::took(&format::duration(end.since(attempt.started_at))));
        Step {
            state,
            text: words::attempt(attempt.number, attempt.outcome.as_str()),
            more: Some(took.map_or_else(|| worker.clone(), |took| format!("{worker}, {took}"))),
            at: attempt.started_at,
        }
    });
    let mut later: Vec<Step> = attempts.chain([recorded]).collect();
    // A retried job has attempts after its row was written. A clock that was set back changes nothing about what was first.
    later.sort_by_key(|step| step.at);
    std::iter::once(searched).chain(later).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_in_the_order_of_their_times() {
        let attempt = |number: u32, started: i64, finished: i64, outcome| Attempt {
            number,
            worker: "w".to_owned(),
            started_at: TimeMs(started),
            finished_at: Some(TimeMs(finished)),
            outcome,
            error: None,
        };
        let attempts = vec![attempt(1, 5, 9, AttemptOutcome::Lost), attempt(2, 20, 40, AttemptOutcome::Done)];
        let texts: Vec<String> = steps(TimeMs(7), TimeMs(30), attempts).into_iter().map(|step| step.text).collect();
        assert_eq!(texts, [words::SEARCHED, "Attempt 1: lost", "Attempt 2: done", words::RECORDED]);
    }
}
