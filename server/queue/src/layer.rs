//! The layer around each attempt: whatever the handler does, an ordinary outcome comes out.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use futures::FutureExt;
use futures::future::BoxFuture;
use store::{AttemptResult, Clock};
use tokio::sync::{mpsc, watch};
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt::{Attempt, JobError, JobOutcome, Outcome, StopReason};
use crate::settings::{Backoff, Settings};

/// Wraps a worker's handler; see [`AttemptService`].
#[derive(Clone)]
pub(crate) struct AttemptLayer {
    rules: Arc<Rules>,
}

struct Rules {
    clock: Arc<dyn Clock>,
    timeout: Duration,
    backoff: Backoff,
    roll: Arc<dyn Fn() -> f64 + Send + Sync>,
    outcomes: mpsc::Sender<Outcome>,
}

impl AttemptLayer {
    pub(crate) fn new(clock: Arc<dyn Clock>, settings: &Settings, outcomes: mpsc::Sender<Outcome>) -> Self {
        let Settings { timeout, backoff, roll, .. } = settings.clone();
        Self { rules: Arc::new(Rules { clock, timeout, backoff, roll, outcomes }) }
    }
}

impl fmt::Debug for AttemptLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptLayer").field("timeout", &self.rules.timeout).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for AttemptLayer {
    type Service = AttemptService<S>;

    fn layer(&self, handler: S) -> AttemptService<S> {
        AttemptService { handler, rules: self.rules.clone() }
    }
}

/// Runs the handler under a timeout, catches its panics, stops it when it is told to, and
/// sends what came of it to the dispatcher. Never fails.
#[derive(Clone)]
pub(crate) struct AttemptService<S> {
    handler: S,
    rules: Arc<Rules>,
}

impl<S> Service<Task<Attempt>> for AttemptService<S>
where
    S: Service<Task<Attempt>, Response = JobOutcome, Error = BoxDynError>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<(), Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A handler that cannot get ready will say so again, as an error, when it is called.
        self.handler.poll_ready(cx).map(|_| Ok(()))
    }

    fn call(&mut self, task: Task<Attempt>) -> Self::Future {
        let Attempt { job, stop } = &task.args;
        let (id, number, stop) = (job.id, job.attempt, stop.clone());
        let rules = self.rules.clone();
        let running = self.handler.call(task);
        async move {
            let finish = rules.finish(running, stop, number).await;
            let outcome = Outcome { job: id, attempt: number, finish };
            // The dispatcher outlives its attempts, except when the whole runtime is torn down.
            let _ = rules.outcomes.send(outcome).await;
            Ok(())
        }
        .boxed()
    }
}

impl Rules {
    async fn finish(
        &self,
        running: impl Future<Output = Result<JobOutcome, BoxDynError>>,
        mut stop: watch::Receiver<Option<StopReason>>,
        attempt: u32,
    ) -> Option<AttemptResult> {
        let time_is_up = self.clock.sleep_until(self.clock.steady().after(self.timeout));
        let finish = tokio::select! {
            // A job that has ended has ended, even if its time was up at the same moment.
            biased;
            ended = AssertUnwindSafe(running).catch_unwind() => match ended {
                Ok(Ok(JobOutcome::Done)) => AttemptResult::Done,
                Ok(Ok(JobOutcome::Stored)) => return None,
                Ok(Err(error)) => self.failed(error, attempt),
                Err(panic) => self.retry(format!("panicked: {}", panic_text(&*panic)), attempt),
            },
            reason = stop_reason(&mut stop) => match reason {
                StopReason::Cancelled => AttemptResult::Cancelled,
                StopReason::Lost | StopReason::Shutdown => AttemptResult::Release,
            },
            () = time_is_up => self.retry(format!("took longer than {} s", self.timeout.as_secs()), attempt),
        };
        Some(finish)
    }

    fn failed(&self, error: BoxDynError, attempt: u32) -> AttemptResult {
        match error.downcast::<JobError>().map(|error| *error) {
            Ok(JobError::Retry(error)) => self.retry(error, attempt),
            Ok(JobError::Dead(error)) => AttemptResult::Dead { error },
            Err(other) => self.retry(other.to_string(), attempt),
        }
    }

    fn retry(&self, error: String, attempt: u32) -> AttemptResult {
        AttemptResult::Retry { error, after: self.backoff.after(attempt, (self.roll)()) }
    }
}

async fn stop_reason(stop: &mut watch::Receiver<Option<StopReason>>) -> StopReason {
    match stop.wait_for(Option::is_some).await.map(|reason| *reason) {
        Ok(Some(reason)) => reason,
        // Without a dispatcher nobody will take the outcome: the lease's end gives the job back.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
