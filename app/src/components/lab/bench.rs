//! Where runs are started and watched: the scenario's form, and beside it the latest run.

use leptos::prelude::*;

use super::{DatabaseForm, FetchForm, RunPlace, RunView, TrapForm};
use crate::lab::commands::LabCommands;
use crate::lab::draft::{DatabaseDraft, FetchDraft, RequestDraft};
use crate::lab::scenario::Scenario;

#[component]
pub fn Bench(scenario: Memo<Scenario>, commands: LabCommands) -> impl IntoView {
    // What was typed outlives a look at another scenario.
    let (fetch, database, request) = (FetchDraft::new(), DatabaseDraft::new(), RequestDraft::new());
    let form = move || match scenario.get() {
        Scenario::Requests => view! { <FetchForm draft=fetch commands /> }.into_any(),
        Scenario::Database => view! { <DatabaseForm draft=database commands /> }.into_any(),
        Scenario::Trap => view! { <TrapForm draft=request commands /> }.into_any(),
    };
    let on_end = Callback::new(move |state| commands.ended(state));
    let watched = move || match commands.watched.get() {
        Some(run) => view! { <RunView run place=RunPlace::Lab on_end /> }.into_any(),
        None => view! {
            <div class="card empty_state lab_unwatched">
                <p>"What you start is shown here while it happens: who waits, what arrives, and when."</p>
            </div>
        }
        .into_any(),
    };
    view! {
        <div class="lab_bench">
            <section class="card lab_start" aria-labelledby="lab-start-title">
                <h2 class="visually_hidden" id="lab-start-title">"New run"</h2>
                {form}
            </section>
            <section class="lab_watched" aria-label="Latest run">{watched}</section>
        </div>
    }
}
