//! Records the items of a run and emits their events.

use std::sync::{Mutex, MutexGuard, PoisonError};

use api::{ItemError, ItemErrorKind, LabFact, LabSummary};
use bytes::Bytes;

use crate::EventSink;

use super::client::{item_error, text_of};
use super::plan::FetchPlan;

/// Shared by all threads or tasks of a run.
pub(super) struct RunRecorder {
    plan: FetchPlan,
    sink: EventSink,
    entries: Mutex<Vec<Entry>>,
}

/// When an item began and ended, in microseconds since the run began, and how it ended.
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

impl RunRecorder {
    /// Begins the run.
    pub(super) fn begin(plan: FetchPlan, sink: EventSink) -> Self {
        let labels = plan.items().iter().map(|item| item.label.clone()).collect();
        sink.emit(LabFact::Began { labels });
        let entries = Mutex::new(vec![Entry::default(); plan.items().len()]);
        Self { plan, sink, entries }
    }

    pub(super) fn plan(&self) -> &FetchPlan {
        &self.plan
    }

    /// Path and query of an item's request.
    pub(super) fn path(&self, item: u32) -> &str {
        let item = usize::try_from(item).ok().and_then(|index| self.plan.items().get(index));
        item.map_or("/", |item| &item.path)
    }

    pub(super) fn started(&self, item: u32) {
        let at_us = self.sink.emit(LabFact::Started { item });
        self.update(item, |entry| entry.started_us = Some(at_us));
    }

    /// Records the response to an item's request, or its failure.
    pub(super) fn answered(&self, item: u32, answer: Result<Bytes, ItemError>) {
        let read = answer.and_then(|body| Ok((text_of(self.plan.spec().work, &body)?, body)));
        match read {
            Ok((text, body)) => {
                self.plan.send_body(item, body);
                self.ended(item, End::Done, LabFact::Done { item, text });
            }
            Err(error) => self.ended(item, End::Failed, LabFact::Failed { item, error }),
        }
    }

    pub(super) fn cancelled(&self, item: u32) {
        self.ended(item, End::Cancelled, LabFact::Cancelled { item });
    }

    pub(super) fn called_back(&self, item: u32) {
        self.sink.emit(LabFact::CalledBack { item });
    }

    pub(super) fn delivered(&self, item: u32) {
        self.sink.emit(LabFact::Delivered { item });
    }

    /// Ends the run.
    pub(super) fn end(&self) -> LabSummary {
        // An item without an end belongs to a task that has panicked. Our code should not, but if it does, the run
        // still ends properly.
        let open = self.plan.numbers().zip(self.entries().clone()).filter(|(_, entry)| entry.ended.is_none());
        for (item, _) in open {
            let error = item_error(ItemErrorKind::Panic, "the task has not come to its end");
            self.ended(item, End::Failed, LabFact::Failed { item, error });
        }
        self.sink.emit(LabFact::Ended);
        summary(&self.entries())
    }

    fn ended(&self, item: u32, end: End, fact: LabFact) {
        let at_us = self.sink.emit(fact);
        self.update(item, |entry| entry.ended = Some((at_us, end)));
    }

    fn update(&self, item: u32, change: impl FnOnce(&mut Entry)) {
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
