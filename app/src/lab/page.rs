//! `/lab`: the waiting lab, where the same work is done in different ways.

use std::time::Duration;

use api::{LabRun, LabState};
use leptos::prelude::*;

use crate::lab::draft::{DatabaseDraft, FetchDraft, RequestDraft};
use crate::lab::form::{DatabaseForm, FetchForm, TrapForm};
use crate::lab::launcher::Launcher;
use crate::lab::run::{Host, RunView};
use crate::lab::runs::RunTable;
use crate::platform::context;
use crate::platform::retry::{self, Outcome};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Failure, Loading, Notice, Tone};
use crate::ui::page::PageHeading;

/// How often the list of runs is refreshed while one of them is unfinished. The shown run has a stream.
const REFRESH: Duration = Duration::from_secs(1);

#[component]
pub fn LabPage() -> impl IntoView {
    let name = context::router().parameter("scenario");
    let scenario = Memo::new(move |_| name.with(|name| Scenario::parse(name.as_deref())));
    let answer = LocalResource::new(api::lab);
    let refresh = Callback::new(move |()| answer.refetch());
    retry::reload(answer, Outcome::of);
    // If a refresh fails, the last response stays on the page.
    let state = Memo::new(move |before: Option<&Option<LabState>>| {
        answer.get().and_then(Result::ok).or_else(|| before.cloned().flatten())
    });
    let error = Memo::new(move |_| answer.get().and_then(Result::err));
    let runs = Memo::new(move |_| state.with(|state| state.as_ref().map_or_else(Vec::new, |state| state.runs.clone())));
    let is_read = Memo::new(move |_| state.with(Option::is_some));
    let closed = Memo::new(move |_| state.with(|state| state.as_ref().and_then(|state| state.closed.clone())));
    let launcher = Launcher::new(refresh);
    watch_latest(runs, launcher);
    refresh_while_unfinished(runs, refresh);
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
            {move || error.get().map(|error| view! { <Failure text=error.message on_retry=refresh /> })}
            <Show when=move || !is_read.get() && error.with(Option::is_none)><Loading /></Show>
            <Show when=move || is_read.get()>
                {move || match closed.get() {
                    Some(why) => view! { <Notice tone=Tone::Info title="The lab is closed here" text=why /> }.into_any(),
                    None => view! { <Bench scenario launcher /> }.into_any(),
                }}
                <RunTable runs />
            </Show>
        </div>
    }
}

/// Shows the unfinished run, or else the latest one, when the page is opened.
fn watch_latest(runs: Memo<Vec<LabRun>>, launcher: Launcher) {
    Effect::new(move |_| {
        let latest = runs.with(|runs| runs.iter().find(|run| !run.state.is_final()).or(runs.first()).cloned());
        if latest.is_some() && launcher.watched.with_untracked(Option::is_none) {
            launcher.watched.set(latest);
        }
    });
}

fn refresh_while_unfinished(runs: Memo<Vec<LabRun>>, refresh: Callback<()>) {
    let refresh_unfinished = move || {
        let is_seen = !document().hidden();
        let is_unfinished = runs.with_untracked(|runs| runs.iter().any(|run| !run.state.is_final()));
        if is_seen && is_unfinished {
            refresh.run(());
        }
    };
    if let Ok(timer) = set_interval_with_handle(refresh_unfinished, REFRESH) {
        on_cleanup(move || timer.clear());
    }
}

#[component]
fn ScenarioTabs(chosen: Memo<Scenario>) -> impl IntoView {
    let tab = move |scenario: Scenario| {
        let [_, name, about] = scenario.texts();
        let symbol = match scenario {
            Scenario::Requests => Symbol::Bars,
            Scenario::Database => Symbol::Disk,
            Scenario::Trap => Symbol::Alert,
        };
        view! {
            <a
                class="lab_tab"
                href=scenario.address()
                aria-current=move || (chosen.get() == scenario).then_some("page")
            >
                <Icon symbol />
                <span>
                    <strong>{name}</strong>
                    <span class="lab_tab_about">{about}</span>
                </span>
            </a>
        }
    };
    view! { <nav class="lab_tabs" aria-label="Scenarios">{Scenario::ALL.map(tab).collect_view()}</nav> }
}

#[component]
fn Bench(scenario: Memo<Scenario>, launcher: Launcher) -> impl IntoView {
    // What was typed stays while another scenario is shown.
    let (fetch, database, request) = (FetchDraft::new(), DatabaseDraft::new(), RequestDraft::new());
    let form = move || match scenario.get() {
        Scenario::Requests => view! { <FetchForm draft=fetch launcher /> }.into_any(),
        Scenario::Database => view! { <DatabaseForm draft=database launcher /> }.into_any(),
        Scenario::Trap => view! { <TrapForm draft=request launcher /> }.into_any(),
    };
    let on_end = Callback::new(move |state| launcher.ended(state));
    let watched = move || match launcher.watched.get() {
        Some(run) => view! { <RunView run host=Host::Lab on_end /> }.into_any(),
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scenario {
    #[default]
    Requests,
    Database,
    Trap,
}

impl Scenario {
    const ALL: [Self; 3] = [Self::Requests, Self::Database, Self::Trap];

    /// Its word in the page's address, its name, and what it is about.
    fn texts(self) -> [&'static str; 3] {
        match self {
            Self::Requests => ["requests", "Requests", "many requests to a slow server"],
            Self::Database => ["database", "Database", "many tasks on a few connections"],
            Self::Trap => ["trap", "The trap", "one search with a slow log"],
        }
    }

    /// The scenario that the page's address names; the first one by default.
    fn parse(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|scenario| name == Some(scenario.texts()[0])).unwrap_or_default()
    }

    fn address(self) -> String {
        if self == Self::default() { "/lab".to_owned() } else { format!("/lab?scenario={}", self.texts()[0]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_leads_to_its_scenario() {
        for scenario in Scenario::ALL {
            let address = scenario.address();
            assert_eq!(Scenario::parse(address.split_once('=').map(|(_, word)| word)), scenario);
        }
        assert_eq!(Scenario::parse(Some("other")), Scenario::Requests);
    }
}
