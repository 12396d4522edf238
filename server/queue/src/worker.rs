//! A worker process: the dispatcher and the apalis worker, side by side.

use std::future::Future;
use std::sync::Arc;

use apalis::prelude::{WorkerBuilder, WorkerBuilderExt};
use store::{ClaimedJob, Clock, JobQueue};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, JobError, JobOutcome};
use crate::backend::JobBackend;
use crate::dispatcher::Dispatcher;
use crate::layer::AttemptLayer;
use crate::settings::Settings;

/// Runs jobs with `perform` until `stop` is cancelled, then drains and returns.
///
/// Draining claims no more, gives running jobs [`Settings::grace`], and hands back at once what
/// has not ended by then.
pub async fn run<P, F, R>(
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    perform: P,
    stop: CancellationToken,
) where
    P: Fn(ClaimedJob) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<R, JobError>> + Send + 'static,
    R: Into<JobOutcome>,
{
    // A slot is taken from the claim until the outcome is stored, so neither channel can ever be full.
    let (job_sender, job_receiver) = mpsc::channel(settings.slots);
    let (outcome_sender, outcome_receiver) = mpsc::channel(settings.slots);
    let layer = AttemptLayer::new(clock.clone(), &settings, outcome_sender);
    let worker = WorkerBuilder::new(settings.worker.0.clone())
        .backend(JobBackend::new(job_receiver, layer))
        .concurrency(settings.slots)
        .build(move |attempt: Attempt| {
            let performed = perform(attempt.job);
            async { performed.await.map(Into::<JobOutcome>::into) }
        });
    let dispatcher = Dispatcher::new(queue, clock, settings, job_sender, outcome_receiver, stop);
    let (worker_end, ()) = tokio::join!(worker.run(), dispatcher.run());
    if let Err(error) = worker_end {
        // Its backend cannot fail and its handlers' errors are outcomes.
        tracing::error!(%error, "the worker ended with an error");
    }
}
