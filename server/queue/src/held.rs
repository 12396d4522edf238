//! The attempts that a dispatcher has claimed and not yet given back.

use std::collections::BTreeMap;

use api::JobId;
use store::ClaimedJob;
use tokio::sync::watch;

use crate::attempt::{Attempt, StopReason};

/// Kept by attempt, not by job: one whose lease was lost may still be running when the same job
/// is claimed again.
#[derive(Debug, Default)]
pub(crate) struct Held {
    attempts: BTreeMap<(JobId, u32), watch::Sender<Option<StopReason>>>,
}

impl Held {
    pub(crate) fn len(&self) -> usize {
        self.attempts.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    /// The jobs, each once.
    pub(crate) fn jobs(&self) -> Vec<JobId> {
        let mut jobs: Vec<JobId> = self.attempts.keys().map(|&(job, _)| job).collect();
        jobs.dedup();
        jobs
    }

    pub(crate) fn add(&mut self, job: ClaimedJob) -> Attempt {
        // Whoever claims a job again does not hold its earlier attempts any more.
        if job.attempt > 1 {
            self.stop(job.id, StopReason::Lost);
        }
        let (sender, stop) = watch::channel(None);
        self.attempts.insert((job.id, job.attempt), sender);
        Attempt { job, stop }
    }

    pub(crate) fn remove(&mut self, job: JobId, attempt: u32) {
        self.attempts.remove(&(job, attempt));
    }

    /// Stops the attempts at a job that are still running. The first reason counts.
    pub(crate) fn stop(&self, job: JobId, reason: StopReason) {
        self.attempts.range((job, 0)..=(job, u32::MAX)).for_each(|(_, sender)| send_stop(sender, reason));
    }

    pub(crate) fn stop_all(&self, reason: StopReason) {
        self.attempts.values().for_each(|sender| send_stop(sender, reason));
    }
}

fn send_stop(sender: &watch::Sender<Option<StopReason>>, reason: StopReason) {
    sender.send_if_modified(|current| {
        let is_first = current.is_none();
        current.get_or_insert(reason);
        is_first
    });
}
