//! One task: what it does with its connection, and what becomes of it.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use api::{FaultKind, ItemError, ItemErrorKind, LabFact};
use lab::EventSink;
use store::{Exercise, StoreError};
use tokio::sync::oneshot::{self, Sender};
use tokio::task::JoinError;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::fate::{Fate, Fates};
use super::pool_watch::PoolWatch;

/// One that is to be aborted holds its connection until it is.
const UNTIL_ABORTED: Duration = Duration::from_secs(60);

pub(super) struct Tasks<'a> {
    pub(super) watch: Arc<PoolWatch>,
    pub(super) tell: &'a EventSink,
    /// How long each keeps its connection.
    pub(super) hold: Duration,
    pub(super) fates: Fates,
}

/// Times are those of the run, in microseconds.
pub(super) struct Ended {
    pub(super) item: u32,
    /// None if it got no connection.
    pub(super) taken: Option<Taken>,
    pub(super) ended_us: u64,
    pub(super) has_failed: bool,
    /// Whether it was refused a connection, or found the data locked.
    pub(super) is_refused: bool,
}

/// When a task asked for its connection, and when it had it.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    pub(super) asked_us: u64,
    pub(super) started_us: u64,
}

impl Tasks<'_> {
    /// Runs the task to its end, whichever that is. It is aborted where this is dropped.
    pub(super) async fn run(&self, item: u32) -> Ended {
        let fate = self.fates.of(item);
        let (tell_taken, mut taken) = oneshot::channel();
        let task = AbortOnDropHandle::new(tokio::spawn(self.exercise(item, fate, tell_taken)));
        let mut when = None;
        if fate == Fate::Aborted {
            // Without a connection it has ended by itself.
            when = (&mut taken).await.ok();
            sleep(self.hold / 2).await;
            task.abort();
        }
        let outcome = task.await;
        let when = when.or_else(|| taken.try_recv().ok());
        self.watch.look();
        let ended_us = self.tell.elapsed_us();
        let is_refused = matches!(&outcome, Ok(Err(error)) if error.kind() == FaultKind::ConnectionError);
        let error = failure(outcome, fate);
        let has_failed = error.is_some();
        self.tell.emit(match (error, when) {
            (Some(error), _) => LabFact::Failed { item, error },
            (None, when) => LabFact::Done { item, text: waited(when) },
        });
        Ended { item, taken: when, ended_us, has_failed, is_refused }
    }

    fn exercise(
        &self,
        item: u32,
        fate: Fate,
        tell_taken: Sender<Taken>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (watch, tell) = (self.watch.clone(), self.tell.clone());
        let hold = if fate == Fate::Aborted { UNTIL_ABORTED } else { self.hold };
        async move {
            let asked_us = tell.elapsed_us();
            let look = watch.clone();
            let taken = Box::new(move || {
                let started_us = tell.elapsed_us();
                tell.emit(LabFact::Started { item });
                look.look();
                // Whoever does not wait for it any more has aborted us.
                let _ = tell_taken.send(Taken { asked_us, started_us });
                if fate == Fate::Panicking {
                    // As a panic unwinds, but not into the log: nobody has to mend this one.
                    resume_unwind(Box::new("as it was told to"));
                }
            });
            watch.store.exercise(Exercise { taken, hold, is_broken: fate == Fate::Failing }).await
        }
    }
}

fn failure(outcome: Result<Result<(), StoreError>, JoinError>, fate: Fate) -> Option<ItemError> {
    let (kind, detail) = match outcome {
        Ok(Ok(())) => return None,
        Ok(Err(StoreError::Sql(detail))) if fate == Fate::Failing => (ItemErrorKind::Task, detail),
        Ok(Err(error)) => (ItemErrorKind::Database, format!("{}: {}", error.kind().as_str(), error.detail())),
        Err(error) if error.is_cancelled() => (ItemErrorKind::Aborted, "while it held a connection".to_owned()),
        Err(_) => (ItemErrorKind::Panic, "while it held a connection".to_owned()),
    };
    Some(ItemError { kind, detail })
}

fn waited(taken: Option<Taken>) -> String {
    let waited_us = taken.map_or(0, |taken| taken.started_us.saturating_sub(taken.asked_us));
    format!("waited {:.1} ms", Duration::from_micros(waited_us).as_secs_f64() * 1_000.0)
}
