//! Every attempt at a job: by whom, when, how long, and what came of it.

use api::Attempt;
use leptos::prelude::*;

use crate::components::{OutcomeBadge, TimeAgo};
use crate::{context, marking, wording};

#[component]
pub fn AttemptList(attempts: Vec<Attempt>) -> impl IntoView {
    if attempts.is_empty() {
        return view! { <p class="muted">"No worker has begun with it yet."</p> }.into_any();
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
    let took = move || match finished_at {
        Some(end) => wording::duration(end.since(started_at)),
        None => wording::duration(now.get().since(started_at) / 1_000 * 1_000),
    };
    view! {
        <li class="attempt">
            <p class="attempt_head">
                <strong>{format!("Attempt {number}")}</strong>
                <OutcomeBadge outcome />
                <span class="muted attempt_worker" title=worker.clone()>{format!("by {worker}")}</span>
                <span class="attempt_times"><TimeAgo time=started_at />", took "{took}</span>
            </p>
            {error.map(|error| view! {
                <details class="error_details" open>
                    <summary>"Error"</summary>
                    <pre tabindex="0">{marking::visible_lines(&error)}</pre>
                </details>
            })}
        </li>
    }
}
