//! The interface to apalis: the backend that its worker polls for jobs, and the layer around each attempt.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use futures::FutureExt;
use futures::future::BoxFuture;
use store::{AttemptResult, Clock};
use tokio::sync::{mpsc, watch};
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt::{Attempt, End, EndedAttempt, JobError, JobOutcome, StopReason};
use crate::settings::Settings;

/// Yields the jobs that the dispatcher has claimed, and ends when the dispatcher does.
///
/// apalis calls such a backend ephemeral: it leaves decoding and acknowledging to us. A payload that apalis itself
/// failed to decode would end the worker.
#[derive(Debug)]
pub(crate) struct JobBackend {
    jobs: mpsc::Receiver<Attempt>,
    layer: AttemptLayer,
}

impl JobBackend {
    pub(crate) fn new(jobs: mpsc::Receiver<Attempt>, layer: AttemptLayer) -> Self {
        Self { jobs, layer }
    }
}

impl Backend for JobBackend {
    type Task = Task<Attempt>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Attempt>, Infallible>>> {
        self.jobs.poll_recv(cx).map(|attempt| attempt.map(|attempt| Ok(Task::new(attempt))))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        // A worker whose backend has ended waits until `stop` is called. `stop` fails only if the worker never started,
        // and then nothing waits for it.
        let _ = worker.stop();
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for JobBackend {
    type Args = Attempt;
    type Id = TaskId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = AttemptLayer;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> AttemptLayer {
        self.layer.clone()
    }
}

/// Wraps a worker's handler in an [`AttemptService`].
#[derive(Clone)]
pub(crate) struct AttemptLayer {
    limits: Arc<Limits>,
}

/// Shared by all attempts.
struct Limits {
    clock: Arc<dyn Clock>,
    settings: Settings,
    ended: mpsc::Sender<EndedAttempt>,
}

impl AttemptLayer {
    pub(crate) fn new(clock: Arc<dyn Clock>, settings: Settings, ended: mpsc::Sender<EndedAttempt>) -> Self {
        Self { limits: Arc::new(Limits { clock, settings, ended }) }
    }
}

impl fmt::Debug for AttemptLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptLayer").field("timeout", &self.limits.settings.timeout).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for AttemptLayer {
    type Service = AttemptService<S>;

    fn layer(&self, handler: S) -> AttemptService<S> {
        AttemptService { handler, limits: self.limits.clone() }
    }
}

/// Runs the handler with a timeout, catches its panics, stops it when the dispatcher asks for it, and sends the result
/// to the dispatcher. Never fails.
#[derive(Clone)]
pub(crate) struct AttemptService<S> {
    handler: S,
    limits: Arc<Limits>,
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
        // A handler that fails to become ready returns the same error when it is called.
        self.handler.poll_ready(cx).map(|_| Ok(()))
    }

    fn call(&mut self, task: Task<Attempt>) -> Self::Future {
        let Attempt { jobs, stop } = task.args.clone();
        let limits = self.limits.clone();
        let running = self.handler.call(task);
        async move {
            let number = jobs.first().map_or(1, |job| job.attempt);
            let end = match limits.run(running, stop, number).await {
                None => End::Stored,
                Some(result) if result == AttemptResult::Done || jobs.len() == 1 => End::Reported(result),
                Some(_) => End::Split,
            };
            // The dispatcher outlives its attempts, except when the whole runtime is torn down.
            let _ = limits.ended.send(EndedAttempt { jobs, end }).await;
            Ok(())
        }
        .boxed()
    }
}

impl Limits {
    async fn run(
        &self,
        running: impl Future<Output = Result<JobOutcome, BoxDynError>>,
        mut stop: watch::Receiver<Option<StopReason>>,
        attempt: u32,
    ) -> Option<AttemptResult> {
        let timeout = self.settings.timeout;
        let time_is_up = self.clock.sleep_until(self.clock.steady().after(timeout));
        let result = tokio::select! {
            // A result that arrives with the deadline still counts.
            biased;
            ended = AssertUnwindSafe(running).catch_unwind() => match ended {
                Ok(Ok(JobOutcome::Done)) => AttemptResult::Done,
                Ok(Ok(JobOutcome::Stored)) => return None,
                Ok(Err(error)) => self.failed(error, attempt),
                Err(panic) => self.retry(format!("panicked: {}", panic_text(&*panic)), attempt),
            },
            reason = stop_reason(&mut stop) => reason.result(),
            () = time_is_up => self.retry(format!("took longer than {} s", timeout.as_secs()), attempt),
        };
        Some(result)
    }

    fn failed(&self, error: BoxDynError, attempt: u32) -> AttemptResult {
        match error.downcast::<JobError>().map(|error| *error) {
            Ok(JobError::Retry(error)) => self.retry(error, attempt),
            Ok(JobError::Dead(error)) => AttemptResult::Dead { error },
            Err(other) => self.retry(other.to_string(), attempt),
        }
    }

    fn retry(&self, error: String, attempt: u32) -> AttemptResult {
        AttemptResult::Retry { error, after: self.settings.backoff.after(attempt, (self.settings.jitter)()) }
    }
}

async fn stop_reason(stop: &mut watch::Receiver<Option<StopReason>>) -> StopReason {
    match stop.wait_for(Option::is_some).await.map(|reason| *reason) {
        Ok(Some(reason)) => reason,
        // Without a dispatcher nothing takes the result. The job is rescued when its lease expires.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
