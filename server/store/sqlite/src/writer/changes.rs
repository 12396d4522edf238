//! What a transaction has changed: how many jobs went from which state to which, what the ledger
//! says now, and whom to wake.

use std::collections::BTreeSet;

use api::JobState;
use store::{ChangedTopics, Notifier, Topic};

#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// For each kind of job, by [`JobState::ALL`]'s order. There are few kinds.
    counts: Vec<(String, [i64; JobState::ALL.len()])>,
    /// The kinds of the jobs that have ceased to run.
    ceased: BTreeSet<String>,
    touched: ChangedTopics,
    pub(crate) ledger: LedgerChanges,
}

/// See the table `ledger`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LedgerChanges {
    pub(crate) accepted: i64,
    pub(crate) recorded: i64,
    pub(crate) reopened: i64,
}

impl Changes {
    pub(crate) fn added(&mut self, kind: &str, state: JobState) {
        self.count(kind, state, 1);
        self.touched.entered(state);
    }

    pub(crate) fn moved(&mut self, kind: &str, from: JobState, to: JobState) {
        self.count(kind, from, -1);
        self.touched.left(from);
        if from == JobState::Running && !self.ceased.contains(kind) {
            self.ceased.insert(kind.to_owned());
        }
        self.added(kind, to);
    }

    /// The tables count by themselves what is deleted.
    pub(crate) fn deleted(&mut self, state: JobState) {
        self.touched.left(state);
    }

    pub(crate) fn touched(&mut self, topic: Topic) {
        self.touched.topic(topic);
    }

    /// How many more or fewer jobs there are of each kind in each state, where that has changed.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, JobState, i64)> {
        self.counts
            .iter()
            .flat_map(|(kind, counts)| {
                JobState::ALL.into_iter().zip(counts).map(|(state, by)| (kind.as_str(), state, *by))
            })
            .filter(|(_, _, by)| *by != 0)
    }

    pub(crate) fn ceased(&self) -> &BTreeSet<String> {
        &self.ceased
    }

    /// For after the commit.
    pub(crate) fn wake(&self, waker: &Notifier) {
        self.touched.wake(waker);
    }

    fn count(&mut self, kind: &str, state: JobState, by: i64) {
        let place = self.counts.iter().position(|(known, _)| known == kind).unwrap_or_else(|| {
            self.counts.push((kind.to_owned(), [0; JobState::ALL.len()]));
            self.counts.len() - 1
        });
        self.counts[place].1[state as usize] += by;
    }
}
