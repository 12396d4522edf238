//! `/lab`: the waiting lab, where the same work is done in different ways.

use std::time::Duration;

use api::{JobState, LabRun, LabSpec, LabState};
use leptos::prelude::*;

use crate::lab::code::RunCode;
use crate::lab::compare::ComparePanel;
use crate::lab::draft::{DatabaseDraft, RequestDraft};
use crate::lab::form::{DatabaseForm, TrapForm};
use crate::lab::launcher::Launcher;
use crate::lab::run::{Appearance, Host, RunView, Skeleton};
use crate::lab::runs::RunTable;
use crate::lab::shows::{Rule, Takeaway};
use crate::lab::words;
use crate::platform::context;
use crate::platform::retry::{self, Outcome};
use crate::ui::code::with_code;
use crate::ui::notice::{Failure, Notice, Tone};
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
    let is_read = Memo::new(move |_| state.with(Option::is_some));
    // Once the page is read, its runs and the badge say that the server is away: a notice above would move them.
    let error = Memo::new(move |_| {
        let error = answer.get().and_then(Result::err);
        error.filter(|error| !is_read.get() || Outcome::of(&Err::<(), _>(error.clone())) == Outcome::Answered)
    });
    let runs = Memo::new(move |_| {
        let chosen = scenario.get();
        state.with(|state| {
            let runs = state.iter().flat_map(|state| &state.runs);
            runs.filter(|run| Scenario::of(&run.spec) == chosen).cloned().collect::<Vec<_>>()
        })
    });
    let closed = Memo::new(move |_| state.with(|state| state.as_ref().and_then(|state| state.closed.clone())));
    let launcher = Launcher::new(refresh);
    refresh_while_unfinished(runs, refresh);
    let panel = move || match scenario.get() {
        Scenario::Compare => view! { <ComparePanel runs closed launcher /> }.into_any(),
        Scenario::Database => view! { <DatabasePanel runs closed launcher /> }.into_any(),
        Scenario::Trap => view! { <TrapPanel runs closed launcher /> }.into_any(),
    };
    view! {
        <div class="page lab_page">
            <div class="lab_bar">
                <PageHeading text=words::TITLE />
                <ScenarioTabs chosen=scenario />
            </div>
            {move || error.get().map(|error| view! { <Failure text=error.message on_retry=refresh /> })}
            <Show when=move || !is_read.get() && error.with(Option::is_none)>
                <Skeleton appearance=Appearance::Continued />
            </Show>
            <Show when=move || is_read.get()>
                {panel}
                <RunTable runs />
            </Show>
        </div>
    }
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
        view! {
            <a
                class="lab_tab"
                href=scenario.address()
                aria-current=move || (chosen.get() == scenario).then_some("page")
            >
                {scenario.name()}
            </a>
        }
    };
    view! { <nav class="lab_tabs" aria-label=words::SCENARIOS>{Scenario::ALL.map(tab).collect_view()}</nav> }
}

#[component]
fn DatabasePanel(runs: Memo<Vec<LabRun>>, closed: Memo<Option<String>>, launcher: Launcher) -> impl IntoView {
    let draft = DatabaseDraft::new();
    let shown = watch_latest(runs);
    let on_run = Callback::new(move |run| shown.set(Some(run)));
    let form = move || view! { <DatabaseForm draft launcher on_run /> }.into_any();
    let sketch = move || draft.spec().ok().map(|spec| view! { <RunCode spec /> }.into_any());
    // The list has the figures of the shown run as soon as it has ended.
    let result = Memo::new(move |_| {
        let id = shown.with(|shown| shown.as_ref().map(|run| run.id))?;
        runs.with(|runs| runs.iter().find(|run| run.id == id).and_then(database_result))
    });
    view! { <Panel head=words::DATABASE_HEAD closed form shown sketch launcher result /> }
}

#[component]
fn TrapPanel(runs: Memo<Vec<LabRun>>, closed: Memo<Option<String>>, launcher: Launcher) -> impl IntoView {
    let draft = RequestDraft::new();
    let shown = watch_latest(runs);
    let on_run = Callback::new(move |run| shown.set(Some(run)));
    let form = move || view! { <TrapForm draft launcher on_run /> }.into_any();
    let sketch = move || {
        let spec = draft.spec().ok()?;
        Some(
            view! {
                <Takeaway title=words::WHAT_TO_EXPECT>{words::trap::SKETCH}<Rule /></Takeaway>
                <RunCode spec />
            }
            .into_any(),
        )
    };
    view! { <Panel head=words::TRAP_HEAD closed form shown sketch launcher /> }
}

/// A scenario with one run: its headline, its form, and the run that was started or is the latest.
#[component]
fn Panel(
    head: [&'static str; 2],
    closed: Memo<Option<String>>,
    form: impl Fn() -> AnyView + Send + 'static,
    shown: RwSignal<Option<LabRun>>,
    /// Shown as long as there is no run.
    sketch: impl Fn() -> Option<AnyView> + Send + 'static,
    launcher: Launcher,
    /// The headline once there are figures.
    #[prop(optional)]
    result: Option<Memo<Option<Headline>>>,
) -> impl IntoView {
    let [title, lead] = head;
    let result = move || result.and_then(|result| result.get());
    let headline = move || result().map_or_else(|| title.to_owned(), |result| result.text);
    let is_bad = move || result().is_some_and(|result| result.is_bad);
    let start = move || match closed.get() {
        Some(why) => view! { <Notice tone=Tone::Info title=words::CLOSED text=why /> }.into_any(),
        None => form(),
    };
    let run = move || match shown.get() {
        Some(run) => Some(view! { <RunView run host=Host::Lab launcher /> }.into_any()),
        None => sketch(),
    };
    view! {
        <header class="lab_head">
            <h2 class="display" data-bad=move || is_bad().then_some("")>{headline}</h2>
            <p class="lead">{with_code(lead)}</p>
        </header>
        {start}
        {run}
    }
}

/// The headline of a run that has ended.
#[derive(Clone, PartialEq)]
struct Headline {
    text: String,
    /// Something happened that must not happen.
    is_bad: bool,
}

fn database_result(run: &LabRun) -> Option<Headline> {
    let LabSpec::Database(spec) = &run.spec else { return None };
    let summary = run.summary.as_ref().filter(|_| run.state == JobState::Done)?;
    let pool = summary.pool?;
    let tasks = u64::from(spec.batches) * u64::from(spec.tasks_per_batch);
    Some(Headline { text: words::database::headline(tasks, pool.max, pool.leaked), is_bad: pool.leaked > 0 })
}

/// The unfinished run, or else the latest one, when the panel is opened.
fn watch_latest(runs: Memo<Vec<LabRun>>) -> RwSignal<Option<LabRun>> {
    let shown = RwSignal::new(None);
    Effect::new(move |_| {
        let latest = runs.with(|runs| runs.iter().find(|run| !run.state.is_final()).or(runs.first()).cloned());
        if latest.is_some() && shown.with_untracked(Option::is_none) {
            shown.set(latest);
        }
    });
    shown
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    #[default]
    Compare,
    Database,
    Trap,
}

impl Scenario {
    const ALL: [Self; 3] = [Self::Compare, Self::Database, Self::Trap];

    pub fn name(self) -> &'static str {
        let [compare, database, trap] = words::TABS;
        match self {
            Self::Compare => compare,
            Self::Database => database,
            Self::Trap => trap,
        }
    }

    /// Its word in the page's address.
    fn word(self) -> &'static str {
        match self {
            Self::Compare => "compare",
            Self::Database => "database",
            Self::Trap => "trap",
        }
    }

    pub fn of(spec: &LabSpec) -> Self {
        match spec {
            LabSpec::Fetch(_) => Self::Compare,
            LabSpec::Database(_) => Self::Database,
            LabSpec::Request(_) => Self::Trap,
        }
    }

    /// The scenario that the page's address names; the first one by default.
    fn parse(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|scenario| name == Some(scenario.word())).unwrap_or_default()
    }

    pub fn address(self) -> String {
        if self == Self::default() { "/lab".to_owned() } else { format!("/lab?scenario={}", self.word()) }
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
        assert_eq!(Scenario::parse(Some("other")), Scenario::Compare);
    }
}
