//! Emits the events of a run's items.

use api::{ItemError, ItemErrorKind, LabFact, LabSummary};
use bytes::Bytes;

use super::client::{item_error, text_of};
use super::plan::FetchPlan;
use crate::EventSink;

/// Shared by all threads or tasks of a run.
pub(super) struct RunRecorder {
    plan: FetchPlan,
    sink: EventSink,
}

impl RunRecorder {
    /// Begins the run.
    pub(super) fn begin(plan: FetchPlan, sink: EventSink) -> Self {
        sink.emit(LabFact::Began { labels: plan.items().iter().map(|item| item.label.clone()).collect() });
        Self { plan, sink }
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
        self.sink.emit(LabFact::Started { item });
    }

    /// Records the response to an item's request, or its failure.
    pub(super) fn answered(&self, item: u32, answer: Result<Bytes, ItemError>) {
        let read = answer.and_then(|body| Ok((text_of(self.plan.spec().work, &body)?, body)));
        self.sink.emit(match read {
            Ok((text, body)) => {
                self.plan.send_body(item, body);
                LabFact::Done { item, text }
            }
            Err(error) => LabFact::Failed { item, error },
        });
    }

    pub(super) fn cancelled(&self, item: u32) {
        self.sink.emit(LabFact::Cancelled { item });
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
        for item in self.sink.open_items() {
            let error = item_error(ItemErrorKind::Panic, "the task has not come to its end");
            self.sink.emit(LabFact::Failed { item, error });
        }
        self.sink.emit(LabFact::Ended);
        self.sink.summary()
    }
}
