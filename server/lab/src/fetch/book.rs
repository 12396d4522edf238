//! Where all that happens in a run is entered, and told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use api::{ItemError, ItemErrorKind, LabFact, LabSummary};
use bytes::Bytes;

use crate::EventSink;

use super::answer;
use super::plan::FetchPlan;

/// Shared by all that take part in a run.
pub(super) struct Book {
    plan: FetchPlan,
    sink: EventSink,
    entries: Mutex<Vec<Entry>>,
}

/// When an item began and ended, in microseconds of the run, and how.
#[derive(Clone, Copy, Default)]
struct Entry {
    started_us: Option<u64>,
    ended: Option<(u64, End)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    Cancelled,
}

impl Book {
    /// Tells that the run begins.
    pub fn open(plan: FetchPlan, sink: EventSink) -> Self {
        let labels = plan.items().iter().map(|item| item.label.clone()).collect();
        sink.emit(LabFact::Began { labels });
        let entries = Mutex::new(vec![Entry::default(); plan.items().len()]);
        Self { plan, sink, entries }
    }

    pub fn plan(&self) -> &FetchPlan {
        &self.plan
    }

    /// Path and query of an item's request.
    pub fn path(&self, item: u32) -> &str {
        let item = usize::try_from(item).ok().and_then(|index| self.plan.items().get(index));
        item.map_or("/", |item| &item.path)
    }

    pub fn started(&self, item: u32) {
        let at_us = self.sink.emit(LabFact::Started { item });
        self.enter(item, |entry| entry.started_us = Some(at_us));
    }

    /// An item's request has been answered, or has failed.
    pub fn answered(&self, item: u32, answer: Result<Bytes, ItemError>) {
        let read = answer.and_then(|body| Ok((answer::text_of(self.plan.spec().work, &body)?, body)));
        match read {
            Ok((text, body)) => {
                self.plan.hand_over(item, body);
                self.ended(item, End::Done, LabFact::Done { item, text });
            }
            Err(error) => self.ended(item, End::Failed, LabFact::Failed { item, error }),
        }
    }

    pub fn cancelled(&self, item: u32) {
        self.ended(item, End::Cancelled, LabFact::Cancelled { item });
    }

    pub fn called_back(&self, item: u32) {
        self.sink.emit(LabFact::CalledBack { item });
    }

    pub fn delivered(&self, item: u32) {
        self.sink.emit(LabFact::Delivered { item });
    }

    /// Tells that all is over, and adds up.
    pub fn close(&self) -> LabSummary {
        // Whatever has no end by now was being worked on when that panicked; our own code should not, and if it does,
        // the others are told all the same.
        let open = self.plan.numbers().zip(self.entries().clone()).filter(|(_, entry)| entry.ended.is_none());
        for (item, _) in open {
            let error = answer::item_error(ItemErrorKind::Panic, "the task has not come to its end");
            self.ended(item, End::Failed, LabFact::Failed { item, error });
        }
        self.sink.emit(LabFact::Ended);
        summary(&self.entries())
    }

    fn ended(&self, item: u32, end: End, fact: LabFact) {
        let at_us = self.sink.emit(fact);
        self.enter(item, |entry| entry.ended = Some((at_us, end)));
    }

    fn enter(&self, item: u32, change: impl FnOnce(&mut Entry)) {
        let index = usize::try_from(item).unwrap_or(usize::MAX);
        self.entries().get_mut(index).map(change);
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(entries: &[Entry]) -> LabSummary {
    let count = |wanted| entries.iter().filter(|entry| entry.ended.is_some_and(|(_, end)| end == wanted)).count();
    let number = |wanted| u32::try_from(count(wanted)).unwrap_or(u32::MAX);
    let spans = || entries.iter().filter_map(|entry| Some((entry.started_us?, entry.ended?.0)));
    let first = spans().map(|(start, _)| start).min().unwrap_or(0);
    let last = spans().map(|(_, end)| end).max().unwrap_or(0);
    LabSummary {
        elapsed_us: last.saturating_sub(first),
        done: number(End::Done),
        failed: number(End::Failed),
        cancelled: number(End::Cancelled),
        work_us: spans().map(|(start, end)| end.saturating_sub(start)).sum(),
        pool: None,
    }
}
