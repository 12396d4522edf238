//! `/jobs`: the jobs by state and by kind, and the list of jobs with what can be done to each.

use api::{ApiError, ErrorCode, FilterKey, FilterList, JobFilter, JobId, JobState, JobSummary};
use leptos::ev;
use leptos::prelude::*;

use crate::jobs::actions::Actions;
use crate::jobs::hold::{Held, Hold};
use crate::jobs::kinds::{self, KindTable};
use crate::jobs::reading::{ListAddress, ListReader, Reading, address};
use crate::jobs::stream::{self, JobChange};
use crate::jobs::table::JobTable;
use crate::jobs::tabs::StateTabs;
use crate::jobs::toolbar::{JobsToolbar, ScanProgress};
use crate::jobs::words;
use crate::platform::retry;
use crate::platform::sse::StreamState;
use crate::platform::{context, time};
use crate::ui::filter::{focus_field, meant};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Failure, Loading, Notice, Tone};
use crate::ui::page::PageHeading;
use crate::ui::printed::Printed;
use crate::ui::toast::ToastCorner;
use crate::ui::words::{NEWEST, OLDER};
use crate::ui::{highlight, shortcuts};

/// What the address asks for.
#[derive(Clone, Copy)]
struct Asked {
    /// The filter as typed.
    typed: Memo<Option<String>>,
    /// The last one that could be read: one with an error may only be unfinished.
    filter: Memo<JobFilter>,
    error: Memo<Option<api::FilterError>>,
    before: Memo<Option<JobId>>,
    /// Why the address does not name what it seems to.
    unknown: Memo<Option<String>>,
}

impl Asked {
    fn of_address() -> Self {
        let router = context::router();
        let (q, cursor) = (router.parameter("q"), router.parameter("before"));
        // Links from before there was a filter.
        let (state, kind) = (router.parameter("state"), router.parameter("kind"));
        let typed = Memo::new(move |_| {
            let term = |key, value: Option<String>| value.map(|value| JobFilter::of(key, &value)).unwrap_or_default();
            let linked = move || {
                let filter = term(FilterKey::State, state.get()).with(&term(FilterKey::Kind, kind.get()));
                Some(filter.to_string()).filter(|filter| !filter.is_empty())
            };
            q.get().filter(|q| !q.is_empty()).or_else(linked)
        });
        let read = Memo::new(move |_| {
            typed.with(|typed| JobFilter::parse(typed.as_deref().unwrap_or_default(), &time::LocalZone))
        });
        let before = Memo::new(move |_| cursor.get().and_then(|cursor| cursor.parse().ok()).map(JobId));
        let unknown = Memo::new(move |_| {
            let state = state.get().filter(|state| q.with(Option::is_none) && JobState::parse(state).is_none());
            let cursor = cursor.get().filter(|_| before.get().is_none());
            let state = state.map(|name| words::unknown_state(&highlight::visible(&name)));
            state.or(cursor.map(|name| words::unknown_job(&highlight::visible(&name))))
        });
        Self {
            typed,
            filter: Memo::new(move |last: Option<&JobFilter>| {
                read.get().ok().or_else(|| last.cloned()).unwrap_or_default()
            }),
            error: Memo::new(move |_| read.get().err()),
            before,
            unknown,
        }
    }

    fn list(self) -> ListAddress {
        ListAddress { filter: self.filter.get(), before: self.before.get() }
    }
}

#[component]
pub fn JobsPage() -> impl IntoView {
    let asked = Asked::of_address();
    let Asked { typed, filter, error, before, unknown } = asked;
    let list = Memo::new(move |_| asked.list());
    let is_stale = RwSignal::new(false);
    let reader = ListReader::new();
    let refresh = Callback::new(move |()| {
        is_stale.set(false);
        reader.start(list.get_untracked());
    });
    Effect::new(move |_| {
        list.track();
        refresh.run(());
    });
    retry::until_answered(move || reader.outcome(), move || refresh.run(()));
    let hold = Hold::new(refresh);
    // Nothing moves while the visitor reads further down or on an older page, and no scan begins by itself again.
    let stream = stream::follow(move |change| {
        let is_reading = before.get_untracked().is_some() || window().scroll_y().is_ok_and(|y| y > 100.0);
        let is_scan = reader.reading.get_untracked() != Reading::Quick;
        match change {
            _ if !is_reading && !is_scan => refresh.run(()),
            JobChange::States if hold.news() == Held::Nothing => is_stale.set(true),
            JobChange::States | JobChange::Progress => {}
        }
    });
    let actions = Actions::new(Callback::new(move |job| {
        hold.acted(job);
        refresh.run(());
    }));
    handle_keys();
    let jobs = RwSignal::new(Vec::<JobSummary>::new());
    let one_kind = Memo::new(move |_| jobs.with(|jobs| one_kind(jobs)));
    let total = Memo::new(move |_| match filter.with(JobFilter::is_state_alone) {
        // Counted by the database.
        true => {
            let (counts, state) = (stream.counts.get()?, filter.with(JobFilter::state));
            let states = JobState::ALL.into_iter().filter(|&one| state.is_none_or(|state| state == one));
            Some(states.map(|state| counts.of(state)).sum())
        }
        false => reader.answer.with(|answer| {
            let page = answer.as_ref().filter(|answer| answer.address == list.get())?.page.as_ref().ok()?;
            let is_all = before.get().is_none() && page.next.is_none();
            is_all.then_some(page.jobs.len() as u64)
        }),
    });
    let connection = context::connection();
    let is_current = Memo::new(move |_| {
        connection.get() == StreamState::Live
            && !is_stale.get()
            && !hold.is_behind.get()
            && error.with(Option::is_none)
            && !matches!(reader.reading.get(), Reading::Scanning | Reading::Stopped)
    });
    view! {
        <div class="page">
            <header class="jobs_head">
                <PageHeading text=words::HEADING />
                <p class="muted">
                    <strong>{move || total.get().map(words::jobs)}</strong>
                    <a
                        class="jobs_types" href=kinds::ADDRESS title=words::KINDS data-one-kind=move || one_kind.get()
                        on:click=|_| kinds::open()
                    >
                        {move || one_kind.get().unwrap_or_else(|| words::KINDS.to_owned())}
                    </a>
                    <Show when=move || is_current.get() && total.get().is_some()>
                        <span class="jobs_current"><Icon symbol=Symbol::State(JobState::Done) />{words::UP_TO_DATE}</span>
                    </Show>
                </p>
                <Printed />
            </header>
            <JobsToolbar
                typed error has_rows=Signal::derive(move || jobs.with(|jobs| !jobs.is_empty())) kinds=stream.kinds
            />
            <StateTabs counts=stream.counts filter />
            {move || unknown.get().map(|text| view! { <Notice tone=Tone::Warning text /> })}
            <Show when=move || is_stale.get()>
                <Notice tone=Tone::Info text=words::STALE>
                    <button class="button" type="button" on:click=move |_| refresh.run(())>{words::REFRESH}</button>
                </Notice>
            </Show>
            <ScanProgress reader />
            <JobList reader list jobs one_kind actions hold refresh />
            <KindTable kinds=stream.kinds actions hold />
            <ToastCorner toasts=actions.toasts />
        </div>
    }
}

#[derive(Clone, PartialEq)]
enum ListState {
    Loading,
    Empty,
    /// Before a job was found.
    Stopped,
    Rows,
    Failed(ApiError),
}

#[component]
fn JobList(
    reader: ListReader,
    list: Memo<ListAddress>,
    jobs: RwSignal<Vec<JobSummary>>,
    one_kind: Memo<Option<String>>,
    actions: Actions,
    hold: Hold,
    refresh: Callback<()>,
) -> impl IntoView {
    let session = context::session();
    // Which list is shown; another one is not held back.
    let shown = StoredValue::new(None::<ListAddress>);
    let next = RwSignal::new(None::<JobId>);
    let rows = move || if jobs.read_untracked().is_empty() { ListState::Empty } else { ListState::Rows };
    // The rows are a signal of their own, so that a refresh does not rebuild the list.
    let state = Memo::new(move |_| {
        let address = list.get();
        let reading = reader.reading.get();
        // Until its own jobs are there, a list has none.
        let answer = reader.answer.get().filter(|answer| answer.address == address);
        let is_same = shown.with_value(|shown| shown.as_ref() == Some(&address));
        match answer.map(|answer| answer.page) {
            None => ListState::Loading,
            Some(Ok(page)) => {
                shown.set_value(Some(address));
                let held = if is_same && *jobs.read_untracked() != page.jobs { hold.news() } else { Held::Nothing };
                jobs.update(|jobs| take_in(jobs, &page.jobs, held));
                next.set(page.next);
                match (reading, rows()) {
                    // That there is none is known when all were scanned.
                    (Reading::Scanning, ListState::Empty) => ListState::Loading,
                    (Reading::Stopped, ListState::Empty) => ListState::Stopped,
                    (_, rows) => rows,
                }
            }
            // What was read before stays until it can be read again. The connection's state says that it may be old.
            Some(Err(error)) if error.code != ErrorCode::SignedOut && is_same => rows(),
            Some(Err(error)) => ListState::Failed(error),
        }
    });
    let filter = Memo::new(move |_| list.get().filter);
    let link = move |before: Option<JobId>| ListAddress { before, ..list.get() }.url();
    move || match state.get() {
        ListState::Loading => view! { <Loading /> }.into_any(),
        ListState::Stopped => ().into_any(),
        ListState::Failed(error) => {
            session.end_if_signed_out(&error);
            view! { <Failure text=error.message on_retry=refresh /> }.into_any()
        }
        ListState::Empty => {
            let newest = list.get().before.map(|_| view! { <a class="button" href=link(None)>{NEWEST}</a> });
            view! { <div class="empty_state"><Nothing list=list.get() reader />{newest}</div> }.into_any()
        }
        ListState::Rows => view! {
            <JobTable jobs actions is_behind=hold.is_behind one_kind filter />
            <nav class="pager" aria-label=words::PAGES>
                {move || list.get().before.map(|_| view! { <a class="button" href=link(None)>{NEWEST}</a> })}
                {move || next.get().map(|next| view! { <a class="button" href=link(Some(next))>{OLDER}</a> })}
            </nav>
        }
        .into_any(),
    }
}

/// Why a list has no jobs, and what else may be meant.
#[component]
fn Nothing(list: ListAddress, reader: ListReader) -> impl IntoView {
    let ListAddress { filter, before } = list;
    if filter.is_state_alone() {
        let text = match (filter.state(), before) {
            (Some(state), None) => words::none_in(state),
            (Some(state), Some(_)) => words::no_older_in(state),
            (None, None) => words::NO_JOB_YET.to_owned(),
            (None, Some(_)) => words::NO_OLDER_JOB.to_owned(),
        };
        return view! { <p>{text}</p> }.into_any();
    }
    let compared = untrack(|| reader.compared()).unwrap_or_default();
    view! {
        <p>{words::NO_MATCH}</p>
        <p class="muted">{words::scanned(compared)}"."</p>
        {meant(&filter.to_string(), FilterList::Jobs, "/jobs")}
        <a class="button" href=address(JobFilter::default()) on:click=focus_field>{words::SHOW_ALL}</a>
    }
    .into_any()
}

/// The kind of all of these jobs, if they are of one.
fn one_kind(jobs: &[JobSummary]) -> Option<String> {
    let first = &jobs.first()?.kind;
    jobs.iter().all(|job| job.kind == *first).then(|| first.clone())
}

/// Shows `latest` instead of `shown`, except what is held back.
fn take_in(shown: &mut Vec<JobSummary>, latest: &[JobSummary], held: Held) {
    match held {
        Held::Nothing => *shown = latest.to_vec(),
        Held::Everything => {}
        Held::AllBut(id) => {
            let latest = latest.iter().find(|job| job.id == id);
            if let Some((shown, latest)) = shown.iter_mut().find(|job| job.id == id).zip(latest) {
                *shown = latest.clone();
            }
        }
    }
}

/// `j` and `k` move through the rows, `r` retries the focused one.
fn handle_keys() {
    let listener = window_event_listener(ev::keydown, |event| {
        if !shortcuts::is_command(&event) {
            return;
        }
        match event.key().as_str() {
            "j" => shortcuts::focus_row(shortcuts::Step::Next),
            "k" => shortcuts::focus_row(shortcuts::Step::Previous),
            "r" => shortcuts::press_in_row("[data-action=Retry]"),
            _ => {}
        }
    });
    on_cleanup(move || listener.remove());
}

#[cfg(test)]
mod tests {
    use api::TimeMs;

    use super::*;

    fn job(id: i64, state: JobState) -> JobSummary {
        JobSummary {
            id: JobId(id),
            kind: "log_request".to_owned(),
            about: String::new(),
            state,
            attempt: 1,
            max_attempts: 5,
            created_at: TimeMs(0),
            run_at: TimeMs(0),
            finished_at: None,
            error: None,
            progress: None,
        }
    }

    #[test]
    fn a_kind_is_named_once_if_all_jobs_are_of_it() {
        let other = JobSummary { kind: "probe".to_owned(), ..job(3, JobState::Done) };
        let alike = [job(2, JobState::Running), job(1, JobState::Dead)];
        assert_eq!(one_kind(&alike), Some("log_request".to_owned()));
        assert_eq!(one_kind(&[other, job(1, JobState::Dead)]), None);
        assert_eq!(one_kind(&[]), None);
    }

    #[test]
    fn under_the_pointer_only_the_job_that_was_acted_on_changes() {
        let before = [job(2, JobState::Running), job(1, JobState::Dead)];
        let latest = [job(3, JobState::Waiting), job(2, JobState::Done), job(1, JobState::Waiting)];
        let shown = |held| {
            let mut jobs = before.to_vec();
            take_in(&mut jobs, &latest, held);
            jobs
        };
        assert_eq!(shown(Held::Nothing), latest);
        assert_eq!(shown(Held::Everything), before);
        assert_eq!(shown(Held::AllBut(JobId(1))), [job(2, JobState::Running), job(1, JobState::Waiting)]);
        assert_eq!(shown(Held::AllBut(JobId(9))), before, "its row has left the list");
    }
}
