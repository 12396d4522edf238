//! Reads a page of the list, in as many requests as it takes.

use api::{ApiError, JOBS_PAGE, JobFilter, JobId, JobState, JobSummary, JobsPage};
use leptos::prelude::*;

use crate::platform::retry::Outcome;
use crate::platform::task::Task;
use crate::platform::url;

/// What names a list: its filter and its cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListAddress {
    pub filter: JobFilter,
    pub before: Option<JobId>,
}

impl ListAddress {
    /// The address of the page.
    pub fn url(&self) -> String {
        let filter = Some(self.filter.to_string()).filter(|filter| !filter.is_empty());
        let before = self.before.map(|JobId(id)| id.to_string());
        url::with_query("/jobs", &[("q", filter.as_deref()), ("before", before.as_deref())])
    }
}

/// The address of the newest jobs that `filter` matches.
pub fn address(filter: JobFilter) -> String {
    ListAddress { filter, before: None }.url()
}

/// The address of the newest jobs in a state that the rest of the filter matches.
pub fn in_state(filter: JobFilter, state: Option<JobState>) -> String {
    let rest = filter.without(Some(api::FilterKey::State));
    address(match state {
        Some(state) => rest.with(&JobFilter::of(api::FilterKey::State, state.as_str())),
        None => rest,
    })
}

/// The list that was asked for, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAnswer {
    pub address: ListAddress,
    /// If it is cut, the reading goes on at `next`, or was stopped.
    pub page: Result<JobsPage, ApiError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// One request has been enough so far.
    Quick,
    /// Jobs are scanned for those that match.
    Scanning,
    /// The visitor has stopped the scan.
    Stopped,
    /// It took a scan, which is over.
    Scanned,
}

#[derive(Clone, Copy)]
pub struct ListReader {
    pub answer: RwSignal<Option<ListAnswer>>,
    pub reading: RwSignal<Reading>,
    task: StoredValue<Option<Task>, LocalStorage>,
}

impl ListReader {
    pub fn new() -> Self {
        Self { answer: RwSignal::new(None), reading: RwSignal::new(Reading::Quick), task: StoredValue::new_local(None) }
    }

    /// How the reading stands, for its repetition.
    pub fn outcome(self) -> Outcome {
        self.answer.with(|answer| answer.as_ref().map_or(Outcome::Pending, |answer| Outcome::of(&answer.page)))
    }

    /// How many jobs were compared. `None` until the first answer, and after an error.
    pub fn compared(self) -> Option<u64> {
        self.answer.with(|answer| Some(answer.as_ref()?.page.as_ref().ok()?.compared))
    }

    /// Reads the list, anew if it is read already.
    pub fn start(self, address: ListAddress) {
        self.reading.set(Reading::Quick);
        self.read(address, Vec::new(), 0, None);
    }

    /// Ends the scan where it is.
    pub fn stop(self) {
        self.task.set_value(None);
        self.reading.set(Reading::Stopped);
    }

    /// Goes on with a scan that was stopped.
    pub fn resume(self) {
        let known = self.answer.get_untracked();
        if let Some(ListAnswer { address, page: Ok(JobsPage { jobs, next, compared, is_cut: true }) }) = known {
            self.reading.set(Reading::Scanning);
            self.read(address, jobs, compared, next);
        }
    }

    fn read(self, address: ListAddress, known: Vec<JobSummary>, compared: u64, next: Option<JobId>) {
        let filter = address.filter.to_string();
        let (mut jobs, mut compared, mut next) = (known, compared, next.or(address.before));
        let task = Task::start(async move {
            loop {
                let page = api::jobs(filter.clone(), next).await;
                let page = page.map(|page| {
                    jobs.extend(page.jobs);
                    (compared, next) = (compared + page.compared, page.next);
                    // A page of what was found may be short of a few: it is cut all the same.
                    JobsPage { jobs: jobs.clone(), next, compared, is_cut: page.is_cut }
                });
                let is_over = !page.as_ref().is_ok_and(|page| page.is_cut && page.jobs.len() < JOBS_PAGE as usize);
                self.reading.try_update(|reading| {
                    *reading = match (is_over, *reading) {
                        (false, _) => Reading::Scanning,
                        (true, Reading::Quick) => Reading::Quick,
                        (true, _) => Reading::Scanned,
                    };
                });
                self.answer.try_set(Some(ListAnswer { address: address.clone(), page }));
                if is_over {
                    break;
                }
            }
        });
        self.task.set_value(Some(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_and_the_cursor_are_in_the_address() {
        let filter = |text: &str| text.parse::<JobFilter>().expect("a filter");
        let list = ListAddress { filter: filter("state:dead \"a b\""), before: Some(JobId(7)) };
        assert_eq!(list.url(), "/jobs?q=state:dead%20%22a%20b%22&before=7");
        assert_eq!(address(JobFilter::default()), "/jobs");
        assert_eq!(in_state(filter("hello state:dead"), Some(JobState::Done)), "/jobs?q=hello%20state:done");
        assert_eq!(in_state(filter("hello -state:dead"), None), "/jobs?q=hello");
    }
}
