//! What a transaction has changed: how many jobs went from which state to which, and whom to wake.

use api::JobState;
use store::{Topic, Waker};

#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// By [`JobState::ALL`]'s order.
    counts: [i64; JobState::ALL.len()],
    touched: [bool; Topic::ALL.len()],
}

impl Changes {
    pub(crate) fn added(&mut self, state: JobState) {
        self.count(state, 1);
        self.entered(state);
    }

    pub(crate) fn moved(&mut self, from: JobState, to: JobState) {
        self.removed(from);
        self.added(to);
    }

    pub(crate) fn removed(&mut self, state: JobState) {
        self.count(state, -1);
        self.touched(Topic::Jobs);
        // The earliest time at which a job is due may be another now.
        if matches!(state, JobState::Scheduled | JobState::Retrying) {
            self.touched(Topic::Work);
        }
    }

    pub(crate) fn touched(&mut self, topic: Topic) {
        self.touched[topic as usize] = true;
    }

    /// How many more or fewer jobs there are in each state.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (JobState, i64)> {
        JobState::ALL.into_iter().zip(self.counts)
    }

    /// For after the commit.
    pub(crate) fn wake(&self, waker: &Waker) {
        for topic in Topic::ALL.into_iter().filter(|&topic| self.touched[topic as usize]) {
            waker.wake(topic);
        }
    }

    fn entered(&mut self, state: JobState) {
        self.touched(Topic::Jobs);
        if matches!(state, JobState::Waiting | JobState::Scheduled | JobState::Retrying) {
            self.touched(Topic::Work);
        }
    }

    fn count(&mut self, state: JobState, by: i64) {
        self.counts[state as usize] += by;
    }
}
