//! `/lab`: the waiting lab, where the same work is done in different ways.

use std::time::Duration;

use api::{LabRun, LabState};
use leptos::prelude::*;
use web_sys::VisibilityState;

use crate::components::lab::{Bench, RunTable, ScenarioTabs};
use crate::components::{Loading, Notice, PageHeading, Tone};
use crate::context;
use crate::lab::commands::LabCommands;
use crate::lab::scenario::Scenario;

/// How often the list of runs is read again while one of them has not ended. The run that is watched has a stream.
const REREAD: Duration = Duration::from_secs(1);

#[component]
pub fn LabPage() -> impl IntoView {
    let word = context::navigation().parameter("scenario");
    let scenario = Memo::new(move |_| word.with(|word| Scenario::of(word.as_deref())));
    let version = RwSignal::new(0_u32);
    let answer = LocalResource::new(move || {
        version.track();
        api::lab()
    });
    let refresh = Callback::new(move |()| {
        version.try_update(|version| *version += 1);
    });
    // What was read last stays on the page when it cannot be read again.
    let state = Memo::new(move |before: Option<&Option<LabState>>| {
        answer.get().and_then(Result::ok).or_else(|| before.cloned().flatten())
    });
    let error = Memo::new(move |_| answer.get().and_then(Result::err));
    let runs = Memo::new(move |_| state.with(|state| state.as_ref().map_or_else(Vec::new, |state| state.runs.clone())));
    let is_read = Memo::new(move |_| state.with(Option::is_some));
    let closed = Memo::new(move |_| state.with(|state| state.as_ref().and_then(|state| state.closed.clone())));
    let commands = LabCommands::new(refresh);
    watch_what_goes_on(runs, commands);
    reread_while_unfinished(runs, refresh);
    view! {
        <div class="page">
            <header class="lab_head">
                <PageHeading text="The waiting lab" />
                <p class="lab_lead">
                    "Most of what takes long is waiting: for a server, a database, a disk. Do the same work in sequence, \
                    on threads and asynchronously, and see who waits for what, and who need not."
                </p>
            </header>
            <ScenarioTabs chosen=scenario />
            {move || error.get().map(|error| view! {
                <Notice tone=Tone::Error text=error.message>
                    <button class="button" type="button" on:click=move |_| refresh.run(())>"Try again"</button>
                </Notice>
            })}
            <Show when=move || !is_read.get() && error.with(Option::is_none)><Loading /></Show>
            <Show when=move || is_read.get()>
                {move || match closed.get() {
                    Some(why) => view! { <Notice tone=Tone::Info title="The lab is closed here" text=why /> }.into_any(),
                    None => view! { <Bench scenario commands /> }.into_any(),
                }}
                <RunTable runs />
            </Show>
        </div>
    }
}

/// Who opens the page sees what goes on, or what has gone on last.
fn watch_what_goes_on(runs: Memo<Vec<LabRun>>, commands: LabCommands) {
    Effect::new(move |_| {
        let latest = runs.with(|runs| runs.iter().find(|run| !run.state.is_final()).or(runs.first()).cloned());
        if latest.is_some() && commands.watched.with_untracked(Option::is_none) {
            commands.watched.set(latest);
        }
    });
}

fn reread_while_unfinished(runs: Memo<Vec<LabRun>>, refresh: Callback<()>) {
    let reread = move || {
        let is_seen = document().visibility_state() == VisibilityState::Visible;
        let is_unfinished = runs.with_untracked(|runs| runs.iter().any(|run| !run.state.is_final()));
        if is_seen && is_unfinished {
            refresh.run(());
        }
    };
    if let Ok(timer) = set_interval_with_handle(reread, REREAD) {
        on_cleanup(move || timer.clear());
    }
}
