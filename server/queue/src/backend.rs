//! What an apalis worker polls for jobs.

use std::convert::Infallible;
use std::task::{Context, Poll};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use tokio::sync::mpsc;

use crate::attempt::Attempt;
use crate::layer::AttemptLayer;

/// Yields the jobs that the dispatcher has claimed, and ends when the dispatcher does.
///
/// To apalis it is ephemeral, which only means that the engine leaves decoding and
/// acknowledging to us: a payload that it failed to decode would end the worker.
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
        // A worker whose backend has ended waits to be told to stop, for ever if nobody does.
        // It can only fail to stop where it never started, and then nothing waits for it.
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
