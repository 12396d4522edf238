//! A job while it runs, and the worker that runs it.

use std::sync::Arc;
use std::time::Duration;

use api::JobId;
use queue::{JobError, Settings};
use store::{AttemptResult, Clock, FinishedAttempt, JobReport, Store, WorkerName};

/// Pause before a failed report is retried.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The worker of this process.
#[derive(Clone, Debug)]
pub struct LocalWorker {
    pub name: WorkerName,
    /// The most jobs that it runs concurrently.
    pub slots: u32,
}

impl LocalWorker {
    pub fn of(settings: &Settings) -> Self {
        Self { name: settings.worker.clone(), slots: u32::try_from(settings.slots).unwrap_or(u32::MAX) }
    }
}

/// One attempt of a job.
#[derive(Clone)]
pub struct Attempt {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub job: JobId,
    pub number: u32,
    pub worker: WorkerName,
}

/// A job's progress and output.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// 0 to 100.
    pub percent: u8,
    /// In a few words, for people.
    pub note: String,
    /// The next part of the output.
    pub part: Option<String>,
    /// The job's result, for machines.
    pub result: Option<String>,
}

impl Attempt {
    /// The result of an attempt that is done now.
    pub fn done(&self) -> FinishedAttempt {
        FinishedAttempt {
            job: self.job,
            attempt: self.number,
            worker: self.worker.clone(),
            result: AttemptResult::Done,
            now: self.clock.steady(),
            wall: self.clock.wall(),
        }
    }

    /// Makes the report durable. Retries while the store fails, until the attempt's time is up.
    pub async fn report(&self, report: Report) -> Result<(), JobError> {
        let report = JobReport {
            job: self.job,
            attempt: self.number,
            worker: self.worker.clone(),
            percent: report.percent.min(100),
            note: report.note,
            part: report.part,
            result: report.result,
        };
        loop {
            match self.store.report(report.clone()).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(JobError::Retry("another worker has taken this job over".to_owned())),
                Err(error) => tracing::warn!(%error, job = self.job.0, "a job's report could not be written"),
            }
            self.clock.sleep_until(self.clock.steady().after(AFTER_FAILURE)).await;
        }
    }
}
