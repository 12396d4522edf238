//! What is shown in place of missing rows, and the progress of a scan.

use std::time::Duration;

use api::{FilterError, FilterList, JobState, Ledger, LogSeq};
use leptos::prelude::*;

use crate::log::query::{LogQuery, Reading};
use crate::log::scan::Direction;
use crate::log::window::LogWindow;
use crate::log::words;
use crate::platform::url;
use crate::ui::filter::{focus_field, meant};
use crate::ui::format;
use crate::ui::notice::{Failure, Loading};

/// Says that rows are loading, that there are none, or that they could not be read.
#[component]
pub fn LogState(
    query: LogQuery,
    /// The filter as typed.
    #[prop(into)]
    filter: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<FilterError>>,
) -> impl IntoView {
    let is_empty = Memo::new(move |_| query.window.with(LogWindow::is_empty));
    let is_complete = Memo::new(move |_| query.window.with(|window| window.is_complete));
    let is_scanning = Memo::new(move |_| query.scan.with(Option::is_some));
    move || match (query.reading.get(), is_empty.get()) {
        (Reading::Failed(_, error), _) => view! {
            <div class="log_state"><Failure text=error.message on_retry=move |()| query.resume() /></div>
        }
        .into_any(),
        // Once a scan has reported its progress, LogProgress shows it.
        (Reading::Rows(_), true) if !is_scanning.get() => view! { <div class="log_state"><Loading /></div> }.into_any(),
        (Reading::Nothing, true) if error.with(Option::is_some) => view! {
            <div class="log_state empty_state">
                <p>{words::FIX_FILTER}</p>
                <a class="button" href="/viewlog" on:click=focus_field>{words::CLEAR}</a>
            </div>
        }
        .into_any(),
        (Reading::Nothing, true) if is_complete.get() => {
            let scanned = query.scan.with(|scan| scan.and_then(|scan| scan.scanned(Direction::Older)));
            let none = if query.is_filtered() {
                no_match(scanned, query.asked_search(), filter.get_untracked()).into_any()
            } else {
                view! { <EmptyLog /> }.into_any()
            };
            view! { <div class="log_state empty_state">{none}</div> }.into_any()
        }
        _ => ().into_any(),
    }
}

/// `search` is the id or the receipt of the search that is asked for, `filter` the text that asks.
fn no_match(scanned: Option<(LogSeq, LogSeq)>, search: Option<String>, filter: Option<String>) -> impl IntoView {
    let scanned = scanned.map(|scanned| view! { <p class="muted">{looked_through(scanned)}"."</p> });
    view! {
        <p>{words::NO_MATCH}</p>
        {scanned}
        {search.map(|search| view! { <JobOfSearch search /> })}
        {filter.and_then(|filter| meant(&filter, FilterList::Log, "/viewlog"))}
        <a class="button" href="/viewlog" on:click=focus_field>{words::SHOW_ALL}</a>
    }
}

fn looked_through((low, high): (LogSeq, LogSeq)) -> String {
    words::looked_through(&format::row_number(low), &format::row_number(high))
}

/// The job of a search that is not in the log, if there is one.
#[component]
fn JobOfSearch(search: String) -> impl IntoView {
    let job = LocalResource::new(move || api::find_job(search.clone()));
    let text = move || {
        Some(match job.get()? {
            Ok(Some(job)) => view! {
                <p>
                    {whereabouts(job.state)}
                    " "
                    <a href=url::of_job(job.id)>{words::its_job(job.id.0, job.state.as_str())}</a>
                </p>
            }
            .into_any(),
            Ok(None) => view! { <p>{words::NO_JOB_EITHER}</p> }.into_any(),
            Err(error) => view! { <p>{error.message}</p> }.into_any(),
        })
    };
    view! { <div role="status">{text}</div> }
}

/// Where the record of a search is that is not in the log.
fn whereabouts(job: JobState) -> &'static str {
    match job {
        JobState::Done => words::ROW_DELETED,
        JobState::Dead => words::RECORD_DEAD,
        JobState::Cancelled => words::RECORD_CANCELLED,
        _ => words::NOT_YET,
    }
}

/// How often an empty log looks where its searches are.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Why the log has no rows.
#[component]
fn EmptyLog() -> impl IntoView {
    let system = LocalResource::new(api::system);
    if let Ok(timer) = set_interval_with_handle(move || system.refetch(), LOOK_AGAIN) {
        on_cleanup(move || timer.clear());
    }
    let answer = Memo::new(move |_| system.get().map(|state| state.map(|state| state.ledger.map(Searches::of))));
    move || match answer.get() {
        None => view! { <Loading /> }.into_any(),
        Some(Ok(Some(Searches::None))) => view! {
            <p>{words::NO_SEARCH}</p>
            <a class="button button-primary" href="/">{words::FIRST_SEARCH}</a>
        }
        .into_any(),
        Some(Ok(Some(Searches::Unwritten(sentence)))) => view! {
            <p>{sentence}</p>
            <a class="button" href="/jobs">{words::SHOW_JOBS}</a>
        }
        .into_any(),
        Some(Ok(Some(Searches::Deleted))) => view! { <p>{words::ALL_DELETED}</p> }.into_any(),
        Some(Ok(None)) => view! { <p>{words::NOTHING_KNOWN}</p> }.into_any(),
        Some(Err(error)) => view! { <Failure text=error.message on_retry=move |()| system.refetch() /> }.into_any(),
    }
}

/// Where the searches are of which the log has no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Searches {
    None,
    /// They are not written yet, or could not be. A sentence says how many.
    Unwritten(String),
    Deleted,
}

impl Searches {
    fn of(ledger: Ledger) -> Self {
        let Ledger { accepted, scheduled, waiting, running, retrying, dead, cancelled, spooled, .. } = ledger;
        let parts = [
            (scheduled + waiting, words::WAITING),
            (running, words::BEING_WRITTEN),
            (retrying, words::RETRYING),
            (spooled, words::IN_SPOOL),
            (dead, words::DEAD),
            (cancelled, words::CANCELLED),
        ];
        let parts = parts.into_iter().filter(|&(count, _)| count > 0);
        let parts: Vec<String> = parts.map(|(count, state)| words::count_in(count, state)).collect();
        match (accepted, parts.is_empty()) {
            (_, false) => Self::Unwritten(words::no_rows_yet(&parts.join(", "))),
            (0, true) => Self::None,
            (_, true) => Self::Deleted,
        }
    }
}

/// A scan counts as ended after this time without a request.
const BETWEEN_RESPONSES: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Scan {
    is_running: bool,
    scanned: Option<(LogSeq, LogSeq)>,
    thousandths: u64,
}

/// The progress of a scan, with buttons that stop and resume it.
#[component]
pub fn LogProgress(query: LogQuery) -> impl IntoView {
    let scan = Memo::new(move |_| {
        let (direction, is_running) = match query.reading.get() {
            Reading::Rows(direction) => (direction, true),
            Reading::Stopped(direction) => (direction, false),
            _ => return None,
        };
        let scan = query.scan.get().filter(|_| query.is_filtered())?;
        let (done, total) = scan.numbers(direction)?;
        let thousandths = done.saturating_mul(1_000) / total.max(1);
        Some(Scan { is_running, scanned: scan.scanned(direction), thousandths })
    });
    // Between two responses nothing is read for a moment. The last state stays, so that its button can be pressed.
    let shown = RwSignal::new(None::<Scan>);
    Effect::new(move |_| match scan.get() {
        Some(scan) => shown.set(Some(scan)),
        None => set_timeout(
            move || {
                // The page may be gone.
                if scan.try_get_untracked() == Some(None) {
                    shown.try_set(None);
                }
            },
            BETWEEN_RESPONSES,
        ),
    });
    let is_shown = Memo::new(move |_| shown.with(Option::is_some));
    let is_running = Memo::new(move |_| shown.get().is_some_and(|scan| scan.is_running));
    let text = move || shown.get().and_then(|scan| scan.scanned).map(looked_through);
    let thousandths = move || shown.get().unwrap_or_default().thousandths.to_string();
    view! {
        <Show when=move || is_shown.get()>
            <div class="log_progress" data-running=move || is_running.get().then_some("")>
                <p id="log-progress-text">{text}</p>
                <progress max="1000" value=thousandths aria-labelledby="log-progress-text"></progress>
                <Show
                    when=move || is_running.get()
                    fallback=move || view! {
                        <button class="button button-small" type="button" on:click=move |_| query.resume()>{words::GO_ON}</button>
                    }
                >
                    <button class="button button-small" type="button" on:click=move |_| query.stop()>{words::STOP}</button>
                </Show>
            </div>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_log_says_where_the_searches_are() {
        assert_eq!(Searches::of(Ledger::default()), Searches::None);
        let waiting = Ledger { accepted: 3, waiting: 2, dead: 1, ..Ledger::default() };
        let sentence = "The log has no rows yet. Searches: 2 waiting, 1 dead.";
        assert_eq!(Searches::of(waiting), Searches::Unwritten(sentence.to_owned()));
        assert_eq!(Searches::of(Ledger { accepted: 3, recorded: 3, ..Ledger::default() }), Searches::Deleted);
    }
}
