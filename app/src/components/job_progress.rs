//! How far a job is, as it says itself: a bar, and a few words.

use api::{JobProgress as Progress, JobState};
use leptos::prelude::*;

use crate::{marking, wording};

#[component]
pub fn JobProgress(progress: Progress, state: JobState) -> impl IntoView {
    let percent = wording::percent(progress.percent);
    let note = marking::visible(&progress.note);
    view! {
        <div class="job_progress" data-state=state.as_str()>
            <p class="job_progress_words">
                <span class="job_progress_note" dir="auto">{note.clone()}</span>
                <span>{percent.clone()}</span>
            </p>
            <div
                class="job_progress_track"
                role="progressbar"
                aria-label="Progress"
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=progress.percent.to_string()
                aria-valuetext=if note.is_empty() { percent } else { format!("{percent}, {note}") }
            >
                <div class="job_progress_bar" style:width=format!("{}%", progress.percent)></div>
            </div>
        </div>
    }
}
