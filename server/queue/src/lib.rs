//! The apalis worker on top of the store's job queue: claims, leases, retries, results.
//!
//! [`run`] runs jobs until it is asked to stop. It has two halves. The `Dispatcher` talks to the store: it claims as
//! many jobs as there are free slots, renews their leases, and stores the results. The `JobBackend` is polled by an
//! apalis worker. Two bounded channels connect them. No failure of the database, of a handler or of a payload reaches
//! the worker as an error or ends it.
//!
//! No other package but a benchmark depends on apalis.

mod attempt;
mod dispatcher;
mod engine;
mod payload;
mod settings;

use std::future::Future;
use std::sync::Arc;

use apalis::prelude::{WorkerBuilder, WorkerBuilderExt};
use store::{ClaimedJob, Clock, JobQueue};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::attempt::Attempt;
use crate::dispatcher::Dispatcher;
use crate::engine::{AttemptLayer, JobBackend};

pub use crate::attempt::{JobError, JobOutcome};
pub use crate::payload::{Payload, decode, encode};
pub use crate::settings::{Backoff, Settings};

/// Runs jobs with `perform` until `stop` is cancelled, then drains and returns.
///
/// Draining claims no more jobs, lets running jobs continue for [`Settings::grace`], and then releases the rest.
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
    let perform = move |jobs: Arc<[ClaimedJob]>| perform(jobs[0].clone());
    run_grouped(queue, clock, settings, None, perform, stop).await;
}

/// As [`run`], but jobs of the kind `grouped` that are claimed together, for the first time, run together.
///
/// `perform` gets all of them, and succeeds if all have succeeded. If it fails, panics or takes too long, or one of the
/// jobs is cancelled or has lost its lease, each of them runs alone, as if it had not run before. So a group must change nothing before it
/// succeeds, or nothing that hurts if it happens twice. All other jobs run alone, too.
pub async fn run_grouped<P, F, R>(
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    grouped: Option<&'static str>,
    perform: P,
    stop: CancellationToken,
) where
    P: Fn(Arc<[ClaimedJob]>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<R, JobError>> + Send + 'static,
    R: Into<JobOutcome>,
{
    // A job occupies a slot from its claim until its result is stored, so neither channel can ever be full.
    let (job_sender, job_receiver) = mpsc::channel(settings.slots);
    let (ended_sender, ended_receiver) = mpsc::channel(settings.slots);
    let layer = AttemptLayer::new(clock.clone(), settings.clone(), ended_sender);
    let worker = WorkerBuilder::new(settings.worker.0.clone())
        .backend(JobBackend::new(job_receiver, layer))
        .concurrency(settings.slots)
        .build(move |attempt: Attempt| {
            let performed = perform(attempt.jobs);
            async { performed.await.map(Into::<JobOutcome>::into) }
        });
    let dispatcher = Dispatcher::new(queue, clock, settings, grouped, job_sender, ended_receiver, stop);
    let (worker_end, ()) = tokio::join!(worker.run(), dispatcher.run());
    if let Err(error) = worker_end {
        // Unexpected: the backend has no errors, and a handler's error is a result.
        tracing::error!(%error, "the worker ended with an error");
    }
}
