//! How a running job says how far it is, and what it puts out.

use std::time::Duration;

use api::JobId;
use queue::JobError;
use store::{JobReport, WorkerName};

use crate::worker::JobEnvironment;

/// A store that fails is asked again after this long.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Speaks for one attempt.
pub struct Reporter {
    pub env: JobEnvironment,
    pub job: JobId,
    pub attempt: u32,
    pub worker: WorkerName,
}

/// What there is to say.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// 0 to 100.
    pub percent: u8,
    /// In a few words, for people.
    pub note: String,
    /// The next part of the output.
    pub part: Option<String>,
    /// What came of the job, for machines.
    pub result: Option<String>,
}

impl Reporter {
    /// Durable when it returns. A store that does not answer is asked until it does, or the attempt's time is up.
    pub async fn report(&self, report: Report) -> Result<(), JobError> {
        let report = JobReport {
            job: self.job,
            attempt: self.attempt,
            worker: self.worker.clone(),
            percent: report.percent.min(100),
            note: report.note,
            part: report.part,
            result: report.result,
        };
        loop {
            match self.env.log.report(report.clone()).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(JobError::Retry("another worker has taken this job over".to_owned())),
                Err(error) => tracing::warn!(%error, job = self.job.0, "a job's report could not be written"),
            }
            self.env.clock.sleep_until(self.env.clock.steady().after(AFTER_FAILURE)).await;
        }
    }
}
