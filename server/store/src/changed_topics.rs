//! Whom a write has to wake.

use api::JobState;

use crate::{Notifier, Topic};

/// The topics that a write has touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangedTopics([bool; Topic::ALL.len()]);

impl ChangedTopics {
    #[must_use]
    pub fn topics(topics: &[Topic]) -> Self {
        let mut touched = Self::default();
        topics.iter().for_each(|&topic| touched.topic(topic));
        touched
    }

    pub fn topic(&mut self, topic: Topic) {
        self.0[topic as usize] = true;
    }

    /// A job is in `state` now.
    pub fn entered(&mut self, state: JobState) {
        self.topic(Topic::Jobs);
        if matches!(state, JobState::Waiting | JobState::Scheduled | JobState::Retrying) {
            self.topic(Topic::Work);
        }
    }

    /// A job is no longer in `state`.
    pub fn left(&mut self, state: JobState) {
        self.topic(Topic::Jobs);
        // The earliest time at which a job is due may be another now.
        if matches!(state, JobState::Scheduled | JobState::Retrying) {
            self.topic(Topic::Work);
        }
    }

    /// For after the commit.
    pub fn wake(self, waker: &Notifier) {
        for topic in Topic::ALL.into_iter().filter(|&topic| self.0[topic as usize]) {
            waker.wake(topic);
        }
    }
}
