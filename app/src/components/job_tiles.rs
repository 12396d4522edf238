//! A job's figures: how long it waited and ran, how often it was tried, and by whom.

use api::JobDetail;
use leptos::prelude::*;

use crate::{context, wording};

#[component]
pub fn JobTiles(job: JobDetail) -> impl IntoView {
    let now = context::now();
    let JobDetail { summary, attempts, .. } = job;
    let first_start = attempts.first().map(|attempt| attempt.started_at);
    let last = attempts.last().cloned();
    let is_final = summary.state.is_final();
    let wait = move || match first_start {
        Some(start) => wording::duration(start.since(summary.created_at)),
        None if is_final => "never began".to_owned(),
        None => wording::duration(now.get().since(summary.created_at) / 1_000 * 1_000),
    };
    let by = last.as_ref().map_or_else(|| "–".to_owned(), |attempt| attempt.worker.clone());
    let run = move || match &last {
        Some(attempt) => match attempt.finished_at {
            Some(end) => wording::duration(end.since(attempt.started_at)),
            None => wording::duration(now.get().since(attempt.started_at) / 1_000 * 1_000),
        },
        None => "–".to_owned(),
    };
    view! {
        <dl class="job_tiles">
            <div class="job_tile"><dt>"Wait"</dt><dd>{wait}</dd></div>
            <div class="job_tile"><dt>"Run"</dt><dd>{run}</dd></div>
            <div class="job_tile">
                <dt>"Attempts"</dt>
                <dd>{format!("{} of {}", summary.attempt, summary.max_attempts)}</dd>
            </div>
            <div class="job_tile"><dt>"By"</dt><dd class="job_worker" title=by.clone()>{by.clone()}</dd></div>
        </dl>
    }
}
