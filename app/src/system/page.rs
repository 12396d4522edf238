//! `/system`: the state of the system, live.

use api::{Health, HealthCause, HealthStatus, JobState, Probe, StoreFault, SystemState, TimeMs};
use leptos::prelude::*;

use crate::platform::sse::{EventStream, StreamState};
use crate::platform::{context, time};
use crate::system::groups::{ProcessFold, SystemGroup};
use crate::system::ledger::LedgerSection;
use crate::system::workers::WorkerTable;
use crate::system::{overview, words};
use crate::ui::format::{self, TimeAgo};
use crate::ui::highlight;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Failure, Loading, Notice, Tone};
use crate::ui::page::PageHeading;
use crate::ui::printed::Printed;

#[component]
pub fn SystemPage() -> impl IntoView {
    let system = follow();
    let connection = context::connection();
    // A lost stream leaves the last state on the page, marked as old.
    let is_old = Memo::new(move |_| connection.get() != StreamState::Live && system.state.with(Option::is_some));
    view! {
        <div class="page system_page" data-old=move || is_old.get().then_some("")>
            <header class="system_head">
                <PageHeading text=words::HEADING />
                <Show when=move || is_old.get()><AsOf received_at=system.received_at /></Show>
                <Printed />
            </header>
            {move || match system.state.get() {
                Some(state) => view! { <SystemBoard state /> }.into_any(),
                None if matches!(connection.get(), StreamState::Reconnecting(_)) => {
                    view! { <Failure text=words::UNREADABLE on_retry=move |()| system.stream.retry() /> }.into_any()
                }
                None => view! { <Loading /> }.into_any(),
            }}
        </div>
    }
}

#[derive(Clone, Copy)]
struct SystemStream {
    stream: EventStream,
    /// `None` until the first state has arrived.
    state: RwSignal<Option<SystemState>>,
    /// When the last state arrived.
    received_at: RwSignal<TimeMs>,
}

/// Follows the system's state as long as the calling page is shown.
fn follow() -> SystemStream {
    let stream = EventStream::new();
    let system = SystemStream { stream, state: RwSignal::new(None), received_at: RwSignal::new(time::now()) };
    let deliver = move |_: &str, data: String| {
        if let Ok(state) = serde_json::from_str(&data) {
            system.received_at.set(time::now());
            system.state.set(Some(state));
        }
    };
    stream.open(|| "/api/admin/system/events".to_owned(), deliver);
    system
}

#[component]
fn AsOf(received_at: RwSignal<TimeMs>) -> impl IntoView {
    let (now, connection) = (context::now(), context::connection());
    let why = move || match connection.get() {
        StreamState::Paused | StreamState::Crowded => words::PAUSED,
        StreamState::Outdated(_) => words::NOTHING_NEWER,
        StreamState::Silent(_) => words::NO_ANSWER,
        _ => words::RECONNECTING,
    };
    view! {
        <p class="as_of">
            <Icon symbol=Symbol::Alert />
            {move || words::as_of(&format::relative(received_at.get(), now.get()), why())}
        </p>
    }
}

/// Rebuilt as a whole with each state. Only differences reach the DOM, so the hundred figures need no signals of their
/// own.
#[component]
fn SystemBoard(state: SystemState) -> impl IntoView {
    let groups = overview::groups(&state).into_iter().map(|group| view! { <SystemGroup group /> }).collect_view();
    view! {
        <HealthBanner health=state.health />
        {state.fault.map(|fault| view! { <StoreFaultNotice fault /> })}
        <LedgerSection ledger=state.ledger missing=state.missing />
        <WorkerTable workers=state.workers />
        <div class="system_board">{groups}</div>
        <ProcessFold process=state.process />
    }
}

/// The health status with its reasons, and the time of the last end-to-end check.
#[component]
fn HealthBanner(health: Health) -> impl IntoView {
    let Health { light: status, probe, .. } = health;
    let causes = health.causes.iter().map(|cause| highlight::visible(&cause.sentence)).collect::<Vec<_>>().join("\n");
    view! {
        <section class="health_banner" data-status=status.as_str() aria-labelledby="health-title">
            <span class="health_symbol"><Icon symbol=symbol(status) /></span>
            <div class="health_text">
                // Screen readers announce only changes of the status.
                <div role="status">
                    <h2 id="health-title" title=causes.clone() aria-describedby="health-causes">{status.as_str()}</h2>
                </div>
                {health_causes(&health)}
            </div>
            <p class="health_probe muted">
                {probe.map_or_else(|| words::NOT_CHECKED.into_any(), last_check)}
            </p>
        </section>
    }
}

/// All causes, worst first, each with a link to where something can be done about it.
fn health_causes(health: &Health) -> AnyView {
    if health.causes.is_empty() {
        return view! { <p id="health-causes">{health.sentence().to_owned()}</p> }.into_any();
    }
    let cause = |HealthCause { light, sentence, page }: &HealthCause| {
        let link = page.clone().map(|page| {
            let label = words::next_step(&page);
            view! { <a class="button button-small" href=page>{label}</a> }
        });
        view! {
            <li class="health_cause" data-status=light.as_str()>
                <Icon symbol=symbol(*light) />
                <span>{highlight::visible(sentence)}</span>
                {link}
            </li>
        }
    };
    let causes = health.causes.iter().map(cause).collect_view();
    view! { <ul class="health_causes" id="health-causes" role="list">{causes}</ul> }.into_any()
}

fn symbol(status: HealthStatus) -> Symbol {
    match status {
        HealthStatus::Healthy => Symbol::State(JobState::Done),
        HealthStatus::Checking => Symbol::State(JobState::Waiting),
        HealthStatus::Degraded => Symbol::Alert,
        HealthStatus::Failing => Symbol::State(JobState::Dead),
    }
}

fn last_check(Probe { ended_at, took_ms }: Probe) -> AnyView {
    let took = format::duration(took_ms.try_into().unwrap_or(i64::MAX));
    view! { {words::LAST_CHECK}<TimeAgo time=ended_at />{words::took(&took)} }.into_any()
}

/// What is wrong with the database, and what its operator should do.
#[component]
fn StoreFaultNotice(fault: StoreFault) -> impl IntoView {
    let StoreFault { kind, detail, since } = fault;
    view! {
        <div class="store_fault">
            <Notice tone=Tone::Error title=kind.as_str() text=kind.advice()>
                // A screen reader repeats an alert when something in it changes; it should not do so every second.
                <p class="muted" aria-live="off">{words::BEGAN}<TimeAgo time=since />"."</p>
                <details class="error_details" aria-live="off">
                    <summary>{words::DATABASE_SAID}</summary>
                    <pre tabindex="0">{highlight::visible_lines(&detail)}</pre>
                </details>
            </Notice>
        </div>
    }
}
