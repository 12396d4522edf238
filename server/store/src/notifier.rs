//! Subscription-ups: "something has changed, look again". They carry no data; the data is in the tables.

use tokio::sync::watch;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A row was added to the log.
    Log,
    /// A job has changed its state, or somebody has paused, resumed or limited a kind.
    Jobs,
    /// A job became claimable, or there is room for one, or the time of the earliest one that
    /// will be claimable has changed.
    Work,
    /// A running job is to be cancelled.
    Cancel,
    /// A running job has said how far it is, or has put something out.
    Output,
}

impl Topic {
    pub const ALL: [Self; 5] = [Self::Log, Self::Jobs, Self::Work, Self::Cancel, Self::Output];

    fn index(self) -> usize {
        self as usize
    }
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
    /// Wakes everyone who waits for `topic`. Called after the commit, never before.
    pub fn wake(&self, topic: Topic) {
        self.topics[topic.index()].send_replace(());
    }

    #[must_use]
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        Subscription(self.topics[topic.index()].subscribe())
    }
}

/// The receiving side. Subscribe first, then read, then wait: so nothing is missed.
#[derive(Clone, Debug)]
pub struct Subscription(watch::Receiver<()>);

impl Subscription {
    /// Returns at the first change since the last return (or since the subscription).
    ///
    /// Many changes at once are one wake-up. Once the store is closed there are no changes
    /// any more, and this never returns.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
