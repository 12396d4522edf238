//! The jobs that a dispatcher has claimed and not yet given back.

use std::collections::HashMap;

use api::JobId;
use store::ClaimedJob;
use tokio::sync::watch;

use crate::attempt::{Attempt, StopReason};

#[derive(Debug, Default)]
pub(crate) struct Held {
    jobs: HashMap<JobId, watch::Sender<Option<StopReason>>>,
}

impl Held {
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(crate) fn ids(&self) -> Vec<JobId> {
        self.jobs.keys().copied().collect()
    }

    pub(crate) fn add(&mut self, job: ClaimedJob) -> Attempt {
        let (sender, stop) = watch::channel(None);
        self.jobs.insert(job.id, sender);
        Attempt { job, stop }
    }

    pub(crate) fn remove(&mut self, id: JobId) {
        self.jobs.remove(&id);
    }

    /// Stops an attempt that is still running. The first reason counts.
    pub(crate) fn stop(&self, id: JobId, reason: StopReason) {
        if let Some(sender) = self.jobs.get(&id) {
            sender.send_if_modified(|current| {
                let first = current.is_none();
                current.get_or_insert(reason);
                first
            });
        }
    }

    pub(crate) fn stop_all(&self, reason: StopReason) {
        for &id in self.jobs.keys() {
            self.stop(id, reason);
        }
    }
}
