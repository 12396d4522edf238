//! `/jobs`: the jobs by state and by kind, and the list of jobs with what can be done to each.

use api::{ApiError, ErrorCode, JobFilter, JobId, JobState, JobSummary, JobsPage as Page};
use leptos::ev;
use leptos::prelude::*;

use crate::jobs::actions::Actions;
use crate::jobs::hold::{Held, Hold};
use crate::jobs::kinds::{self, KindTable};
use crate::jobs::stream::{self, JobChange};
use crate::jobs::table::JobTable;
use crate::jobs::tabs::StateTabs;
use crate::jobs::words;
use crate::platform::retry::{self, Outcome};
use crate::platform::sse::StreamState;
use crate::platform::{context, url};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Failure, Loading, Notice, Tone};
use crate::ui::page::PageHeading;
use crate::ui::printed::Printed;
use crate::ui::toast::ToastCorner;
use crate::ui::{highlight, shortcuts};

#[component]
pub fn JobsPage() -> impl IntoView {
    let router = context::router();
    let (state_name, cursor) = (router.parameter("state"), router.parameter("before"));
    let kind_name = router.parameter("kind");
    let kind = Memo::new(move |_| kind_name.get().filter(|kind| !kind.is_empty()));
    let state = Memo::new(move |_| state_name.get().as_deref().and_then(JobState::parse));
    let before = Memo::new(move |_| cursor.get().and_then(|cursor| cursor.parse().ok()).map(JobId));
    let is_stale = RwSignal::new(false);
    let page = LocalResource::new(move || {
        is_stale.set(false);
        let list = ListAddress { state: state.get(), kind: kind.get(), before: before.get() };
        let answer = api::jobs(JobFilter { state: list.state, kind: list.kind.clone() }, list.before);
        async move { (list, answer.await) }
    });
    let refresh = Callback::new(move |()| page.refetch());
    retry::reload(page, |(_, answer)| Outcome::of(answer));
    let hold = Hold::new(refresh);
    // Nothing moves while the visitor reads further down or on an older page.
    let stream = stream::follow(move |change| {
        let is_reading = before.get_untracked().is_some() || window().scroll_y().is_ok_and(|y| y > 100.0);
        match change {
            _ if !is_reading => refresh.run(()),
            JobChange::States if hold.news() == Held::Nothing => is_stale.set(true),
            JobChange::States | JobChange::Progress => {}
        }
    });
    let actions = Actions::new(Callback::new(move |job| {
        hold.acted(job);
        refresh.run(());
    }));
    let unknown = move || {
        let state = state_name.get().filter(|_| state.get().is_none());
        let text = |name: String| words::unknown_state(&highlight::visible(&name));
        let cursor = cursor.get().filter(|_| before.get().is_none());
        let newest = |name: String| words::unknown_job(&highlight::visible(&name));
        state.map(text).or(cursor.map(newest))
    };
    handle_keys();
    let jobs = RwSignal::new(Vec::<JobSummary>::new());
    let one_kind = Memo::new(move |_| jobs.with(|jobs| one_kind(jobs)));
    let total = Memo::new(move |_| {
        let (counts, state) = (stream.counts.get()?, state.get());
        let states = JobState::ALL.into_iter().filter(|&one| state.is_none_or(|state| state == one));
        // The numbers are of all kinds.
        kind.with(Option::is_none).then(|| states.map(|state| counts.of(state)).sum())
    });
    let connection = context::connection();
    let is_current =
        Memo::new(move |_| connection.get() == StreamState::Live && !is_stale.get() && !hold.is_behind.get());
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
            <StateTabs counts=stream.counts chosen=state kind />
            {move || unknown().map(|text| view! { <Notice tone=Tone::Warning text /> })}
            {move || kind.get().map(|kind| view! {
                <Notice tone=Tone::Info text=words::only_kind(&kind)>
                    <a class="button" href=move || url::with_query("/jobs", &[("state", state.get().map(JobState::as_str))])>
                        {words::SHOW_ALL}
                    </a>
                </Notice>
            })}
            <Show when=move || is_stale.get()>
                <Notice tone=Tone::Info text=words::STALE>
                    <button class="button" type="button" on:click=move |_| refresh.run(())>{words::REFRESH}</button>
                </Notice>
            </Show>
            <JobList
                page=Signal::derive_local(move || page.get()) jobs one_kind state kind before actions hold refresh
            />
            <KindTable kinds=stream.kinds actions hold />
            <ToastCorner toasts=actions.toasts />
        </div>
    }
}

/// What names a list: its filter and its cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ListAddress {
    state: Option<JobState>,
    kind: Option<String>,
    before: Option<JobId>,
}

/// The list that was asked for, and the answer.
type ListAnswer = (ListAddress, Result<Page, ApiError>);

#[derive(Clone, PartialEq)]
enum ListState {
    Loading,
    Empty,
    Rows,
    Failed(ApiError),
}

#[component]
fn JobList(
    page: Signal<Option<ListAnswer>, LocalStorage>,
    jobs: RwSignal<Vec<JobSummary>>,
    one_kind: Memo<Option<String>>,
    state: Memo<Option<JobState>>,
    kind: Memo<Option<String>>,
    before: Memo<Option<JobId>>,
    actions: Actions,
    hold: Hold,
    refresh: Callback<()>,
) -> impl IntoView {
    let session = context::session();
    // Which list is shown; another one is not held back.
    let shown = StoredValue::new(None::<ListAddress>);
    let next = RwSignal::new(None::<JobId>);
    // The rows are a signal of their own, so that a refresh does not rebuild the list.
    let list =
        Memo::new(move |_| {
            let address = ListAddress { state: state.get(), kind: kind.get(), before: before.get() };
            // Until its own jobs are there, a list has none.
            page.with(|page| match page.as_ref().filter(|(asked, _)| *asked == address).map(|(_, page)| page) {
                None => ListState::Loading,
                Some(Ok(page)) => {
                    let is_same = shown.with_value(|shown| shown.as_ref() == Some(&address));
                    shown.set_value(Some(address));
                    let held = if is_same && *jobs.read_untracked() != page.jobs { hold.news() } else { Held::Nothing };
                    jobs.update(|jobs| take_in(jobs, &page.jobs, held));
                    next.set(page.next);
                    if jobs.read_untracked().is_empty() { ListState::Empty } else { ListState::Rows }
                }
                // What was read before stays until it can be read again. The connection's state says that it may be old.
                Some(Err(error))
                    if error.code != ErrorCode::SignedOut
                        && shown.with_value(|shown| shown.as_ref() == Some(&address)) =>
                {
                    if jobs.read_untracked().is_empty() { ListState::Empty } else { ListState::Rows }
                }
                Some(Err(error)) => ListState::Failed(error.clone()),
            })
        });
    let link = move |before: Option<JobId>| {
        let before = before.map(|JobId(id)| id.to_string());
        let (state, kind) = (state.get().map(JobState::as_str), kind.get());
        url::with_query("/jobs", &[("state", state), ("kind", kind.as_deref()), ("before", before.as_deref())])
    };
    move || match list.get() {
        ListState::Loading => view! { <Loading /> }.into_any(),
        ListState::Failed(error) => {
            session.end_if_signed_out(&error);
            view! { <Failure text=error.message on_retry=refresh /> }.into_any()
        }
        ListState::Empty => {
            let is_first = before.get().is_none();
            let text = match (state.get(), kind.get()) {
                (_, Some(kind)) => words::none_of_kind(&kind),
                (Some(state), None) if is_first => words::none_in(state),
                (Some(state), None) => words::no_older_in(state),
                (None, None) if is_first => words::NO_JOB_YET.to_owned(),
                (None, None) => words::NO_OLDER_JOB.to_owned(),
            };
            let newest = (!is_first).then(|| view! { <a class="button" href=link(None)>{words::NEWEST}</a> });
            view! { <div class="empty_state"><p>{text}</p>{newest}</div> }.into_any()
        }
        ListState::Rows => view! {
            <JobTable jobs actions is_behind=hold.is_behind one_kind />
            <nav class="pager" aria-label=words::PAGES>
                {move || before.get().map(|_| view! { <a class="button" href=link(None)>{words::NEWEST}</a> })}
                {move || next.get().map(|next| view! { <a class="button" href=link(Some(next))>{words::OLDER}</a> })}
            </nav>
        }
        .into_any(),
    }
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
