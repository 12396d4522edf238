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
    pub(super) faults: InjectedFaults,
}

/// Times are microseconds since the run began.
pub(super) struct EndedTask {
    pub(super) item: u32,
    /// None if it got no connection.
    pub(super) connected: Option<Connected>,
    pub(super) ended_us: u64,
    pub(super) has_failed: bool,
    /// Whether it was refused a connection, or found the data locked.
    pub(super) is_refused: bool,
}

/// When a task asked for its connection, and when it got it.
#[derive(Clone, Copy)]
pub(super) struct Connected {
    pub(super) asked_us: u64,
    pub(super) started_us: u64,
}

impl Tasks<'_> {
    /// Runs the task to its end. Dropping the future aborts the task.
    pub(super) async fn run(&self, item: u32) -> EndedTask {
        let fault = self.faults.of(item);
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
        let connected = when.or_else(|| connected.try_recv().ok());
        self.monitor.sample();
        let ended_us = self.events.elapsed_us();
        let is_refused = matches!(&outcome, Ok(Err(error)) if error.kind() == FaultKind::ConnectionError);
        let error = item_error(outcome, fault);
        let has_failed = error.is_some();
        self.events.emit(match error {
            Some(error) => LabFact::Failed { item, error },
            None => LabFact::Done { item, text: waited(connected) },
        });
        EndedTask { item, connected, ended_us, has_failed, is_refused }
    }

    fn use_connection(
        &self,
        item: u32,
        fault: Option<InjectedFault>,
        connected: Sender<Connected>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (monitor, events) = (self.monitor.clone(), self.events.clone());
        let pool = monitor.pool.clone();
        let hold = if fault == Some(InjectedFault::Abort) { UNTIL_ABORTED } else { self.hold };
        let is_invalid = fault == Some(InjectedFault::Statement);
        let statement = if is_invalid { ProbeStatement::Invalid } else { ProbeStatement::Valid };
        async move {
            let asked_us = events.elapsed_us();
            let taken = Box::new(move || {
                let started_us = events.elapsed_us();
                events.emit(LabFact::Started { item });
                monitor.sample();
                // Fails if the task is being aborted.
                let _ = connected.send(Connected { asked_us, started_us });
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

fn waited(connected: Option<Connected>) -> String {
    let waited_us = connected.map_or(0, |times| times.started_us.saturating_sub(times.asked_us));
    format!("waited {:.1} ms", Duration::from_micros(waited_us).as_secs_f64() * 1_000.0)
}

/// How a task is made to fail while it holds its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InjectedFault {
    /// Its statement is refused.
    Statement,
    Panic,
    Abort,
}

/// How many of each hundred tasks have which fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct InjectedFaults {
    failing: u32,
    panicking: u32,
    aborted: u32,
}

/// Coprime to 100: scatters the faulty tasks, and maps any hundred consecutive tasks to each number once.
const STRIDE: u64 = 37;

impl From<&DatabaseSpec> for InjectedFaults {
    fn from(spec: &DatabaseSpec) -> Self {
        Self { failing: spec.failing, panicking: spec.panicking, aborted: spec.aborted }
    }
}

impl InjectedFaults {
    fn of(self, item: u32) -> Option<InjectedFault> {
        let number = u64::from(item) * STRIDE % 100;
        let failing = u64::from(self.failing);
        let panicking = failing + u64::from(self.panicking);
        let aborted = panicking + u64::from(self.aborted);
        match number {
            number if number < failing => Some(InjectedFault::Statement),
            number if number < panicking => Some(InjectedFault::Panic),
            number if number < aborted => Some(InjectedFault::Abort),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(faults: InjectedFaults, fault: Option<InjectedFault>) -> usize {
        (700..800).filter(|item| faults.of(*item) == fault).count()
    }

    #[test]
    fn each_hundred_tasks_have_the_requested_number_of_faults() {
        let faults = InjectedFaults { failing: 5, panicking: 7, aborted: 11 };
        let counts = [Some(InjectedFault::Statement), Some(InjectedFault::Panic), Some(InjectedFault::Abort), None]
            .map(|fault| count(faults, fault));
        assert_eq!(counts, [5, 7, 11, 77]);
        let all = InjectedFaults { failing: 50, panicking: 50, aborted: 0 };
        assert_eq!(count(all, None), 0);
    }

    #[test]
    fn faulty_tasks_are_scattered() {
        let faults = InjectedFaults { failing: 5, panicking: 5, aborted: 5 };
        let is_faulty = |item| faults.of(item).is_some();
        assert!((0..100).filter(|item| is_faulty(*item) && is_faulty(item + 1)).count() < 4);
    }
}
