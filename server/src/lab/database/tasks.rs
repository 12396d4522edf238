//! One task: what it does with its connection, and how it ends.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use api::{DatabaseSpec, FaultKind, ItemError, ItemErrorKind, LabFact};
use lab::EventSink;
use store::{ProbeStatement, ProbeUse, StoreError};
use tokio::sync::oneshot::{self, Sender};
use tokio::task::JoinError;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::PoolMonitor;

/// How long a task that is to be aborted holds its connection: longer than its abort takes.
const UNTIL_ABORTED: Duration = Duration::from_secs(60);

pub(super) struct Tasks<'a> {
    pub(super) monitor: Arc<PoolMonitor>,
    pub(super) events: &'a EventSink,
    /// How long each task holds its connection.
    pub(super) hold: Duration,
    pub(super) spec: &'a DatabaseSpec,
}

pub(super) struct EndedTask {
    /// How long it waited for its connection; 0 if it got none.
    pub(super) waited_us: u64,
    /// Whether it was refused a connection, or found the data locked.
    pub(super) is_refused: bool,
}

impl Tasks<'_> {
    /// Runs the task to its end. Dropping the future aborts the task.
    pub(super) async fn run(&self, item: u32) -> EndedTask {
        let fault = fault(self.spec, item);
        let (sender, mut connected) = oneshot::channel();
        let task = AbortOnDropHandle::new(tokio::spawn(self.use_connection(item, fault, sender)));
        let mut when = None;
        if fault == Some(InjectedFault::Abort) {
            // Fails if the task got no connection and has ended by itself.
            when = (&mut connected).await.ok();
            sleep(self.hold / 2).await;
            task.abort();
        }
        let outcome = task.await;
        let waited_us = when.or_else(|| connected.try_recv().ok()).unwrap_or_default();
        self.monitor.sample();
        let is_refused = matches!(&outcome, Ok(Err(error)) if error.kind() == FaultKind::ConnectionError);
        self.events.emit(match item_error(outcome, fault) {
            Some(error) => LabFact::Failed { item, error },
            None => {
                let waited_ms = Duration::from_micros(waited_us).as_secs_f64() * 1_000.0;
                LabFact::Done { item, text: format!("waited {waited_ms:.1} ms") }
            }
        });
        EndedTask { waited_us, is_refused }
    }

    /// `connected` gets the time that the task has waited.
    fn use_connection(
        &self,
        item: u32,
        fault: Option<InjectedFault>,
        connected: Sender<u64>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (monitor, events) = (self.monitor.clone(), self.events.clone());
        let pool = monitor.pool.clone();
        let hold = if fault == Some(InjectedFault::Abort) { UNTIL_ABORTED } else { self.hold };
        let is_invalid = fault == Some(InjectedFault::Statement);
        let statement = if is_invalid { ProbeStatement::Invalid } else { ProbeStatement::Valid };
        async move {
            let asked_us = events.elapsed_us();
            let taken = Box::new(move || {
                let waited_us = events.elapsed_us().saturating_sub(asked_us);
                events.emit(LabFact::Started { item });
                monitor.sample();
                // Fails if the task is being aborted.
                let _ = connected.send(waited_us);
                if fault == Some(InjectedFault::Panic) {
                    // Unwinds without the panic hook: an intended panic does not belong in the log.
                    resume_unwind(Box::new("injected"));
                }
            });
            pool.probe(ProbeUse { taken, statement, hold }).await
        }
    }
}

fn item_error(outcome: Result<Result<(), StoreError>, JoinError>, fault: Option<InjectedFault>) -> Option<ItemError> {
    let (kind, detail) = match outcome {
        Ok(Ok(())) => return None,
        Ok(Err(StoreError::Sql(detail))) if fault == Some(InjectedFault::Statement) => (ItemErrorKind::Task, detail),
        Ok(Err(error)) => (ItemErrorKind::Database, format!("{}: {}", error.kind().as_str(), error.detail())),
        Err(error) if error.is_cancelled() => (ItemErrorKind::Aborted, "while it held a connection".to_owned()),
        Err(_) => (ItemErrorKind::Panic, "while it held a connection".to_owned()),
    };
    Some(ItemError { kind, detail })
}

/// How a task is made to fail while it holds its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InjectedFault {
    /// Its statement is refused.
    Statement,
    Panic,
    Abort,
}

/// Coprime to 100: scatters the faulty tasks, and maps any hundred consecutive tasks to each number once.
const STRIDE: u64 = 37;

/// The fault of this task.
fn fault(spec: &DatabaseSpec, item: u32) -> Option<InjectedFault> {
    let number = u64::from(item) * STRIDE % 100;
    let failing = u64::from(spec.failing);
    let panicking = failing + u64::from(spec.panicking);
    let aborted = panicking + u64::from(spec.aborted);
    match number {
        number if number < failing => Some(InjectedFault::Statement),
        number if number < panicking => Some(InjectedFault::Panic),
        number if number < aborted => Some(InjectedFault::Abort),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(failing: u32, panicking: u32, aborted: u32) -> DatabaseSpec {
        DatabaseSpec { batches: 1, tasks_per_batch: 1, hold_ms: 0, failing, panicking, aborted }
    }

    fn count(spec: &DatabaseSpec, kind: Option<InjectedFault>) -> usize {
        (700..800).filter(|item| fault(spec, *item) == kind).count()
    }

    #[test]
    fn each_hundred_tasks_have_the_requested_number_of_faults() {
        let faults = spec(5, 7, 11);
        let counts = [Some(InjectedFault::Statement), Some(InjectedFault::Panic), Some(InjectedFault::Abort), None]
            .map(|fault| count(&faults, fault));
        assert_eq!(counts, [5, 7, 11, 77]);
        assert_eq!(count(&spec(50, 50, 0), None), 0);
    }

    #[test]
    fn faulty_tasks_are_scattered() {
        let faults = spec(5, 5, 5);
        let is_faulty = |item| fault(&faults, item).is_some();
        assert!((0..100).filter(|item| is_faulty(*item) && is_faulty(item + 1)).count() < 4);
    }
}
