//! Wake-ups: "something has changed, read again". They carry no data; the data is in the tables.

use api::JobState;
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A row was added to the log.
    Log,
    /// A job has changed its state, or a kind was paused, resumed or limited.
    Jobs,
    /// A job became claimable, a limited kind has room again, or the next job's due time has changed.
    Work,
    /// Cancellation of a running job was requested.
    Cancel,
    /// A running job has reported progress or output.
    Output,
}

impl Topic {
    pub const ALL: [Self; 5] = [Self::Log, Self::Jobs, Self::Work, Self::Cancel, Self::Output];
}

/// The sending side, held by a store's implementation: one channel for each topic.
#[derive(Debug)]
pub struct Notifier {
    topics: [watch::Sender<()>; Topic::ALL.len()],
}

impl Default for Notifier {
    fn default() -> Self {
        Self { topics: Topic::ALL.map(|_| watch::Sender::new(())) }
    }
}

impl Notifier {
    /// Wakes all subscribers of `topic`. Called after the commit, never before.
    pub fn notify(&self, topic: Topic) {
        self.topics[topic as usize].send_replace(());
    }

    pub fn subscribe(&self, topic: Topic) -> Subscription {
        Subscription(self.topics[topic as usize].subscribe())
    }
}

/// The receiving side. Subscribe, then read, then wait: in this order, no change is missed.
#[derive(Clone, Debug)]
pub struct Subscription(watch::Receiver<()>);

impl Subscription {
    /// Waits for a change since the last call (or since the subscription). Several changes may be one wake-up.
    ///
    /// Never returns once the store is closed.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The topics that a write has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangedTopics([bool; Topic::ALL.len()]);

impl ChangedTopics {
    pub fn topics(topics: &[Topic]) -> Self {
        let mut changed = Self::default();
        topics.iter().for_each(|&topic| changed.topic(topic));
        changed
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
        // The earliest time at which a job is due may have changed.
        if matches!(state, JobState::Scheduled | JobState::Retrying) {
            self.topic(Topic::Work);
        }
    }

    /// Call only after the commit.
    pub fn notify(self, notifier: &Notifier) {
        for topic in Topic::ALL.into_iter().filter(|&topic| self.0[topic as usize]) {
            notifier.notify(topic);
        }
    }
}
