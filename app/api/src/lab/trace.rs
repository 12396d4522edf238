//! The state of a run, built from its events.

use super::{ItemError, LabEvent, LabFact, LabSummary, Lane, LaneStep};

/// The state of a run. Events arrive ordered by time, in parts of any size. An event that arrives twice changes
/// nothing, because a part may be sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabTrace {
    /// Indexed by item number.
    pub items: Vec<ItemTrace>,
    /// The items in the order of delivery.
    pub delivered: Vec<u32>,
    /// Ordered by time.
    pub pool: Vec<PoolStep>,
    pub lanes: Vec<LaneTrace>,
    /// The time of the latest event.
    pub latest_us: u64,
    pub has_ended: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemTrace {
    pub label: String,
    pub state: ItemState,
    pub started_us: Option<u64>,
    pub ended_us: Option<u64>,
    pub called_back_us: Option<u64>,
    pub delivered_us: Option<u64>,
    pub text: String,
    pub error: Option<ItemError>,
}

text_enum! {
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum ItemState {
        #[default]
        Pending = "pending",
        Running = "running",
        Done = "done",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

/// The pool's connections in use and idle, and the tasks that wait for one, from this time on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStep {
    pub at_us: u64,
    pub in_use: u32,
    pub idle: u32,
    pub waiting: u32,
}

/// The steps of one search in the request scenario, ordered by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneTrace {
    pub lane: Lane,
    pub steps: Vec<(u64, LaneStep)>,
}

impl LaneTrace {
    /// When the lane reached a step, in microseconds since the run began.
    pub fn time(&self, wanted: LaneStep) -> Option<u64> {
        self.steps.iter().find(|(_, step)| *step == wanted).map(|&(at_us, _)| at_us)
    }
}

impl LabTrace {
    /// Applies an event. Ignores events of unknown items.
    pub fn apply(&mut self, event: LabEvent) {
        let LabEvent { at_us, what } = event;
        self.latest_us = self.latest_us.max(at_us);
        match what {
            LabFact::Began { labels } => {
                let items = labels.into_iter().map(|label| ItemTrace { label, ..ItemTrace::default() }).collect();
                *self = Self { items, latest_us: at_us, ..Self::default() };
            }
            LabFact::Started { item } => self.change(item, |item| {
                item.state = ItemState::Running;
                item.started_us = Some(at_us);
            }),
            LabFact::Done { item, text } => self.end(item, ItemState::Done, at_us, |item| item.text = text),
            LabFact::Failed { item, error } => {
                self.end(item, ItemState::Failed, at_us, |item| item.error = Some(error));
            }
            LabFact::Cancelled { item } => self.end(item, ItemState::Cancelled, at_us, |_| ()),
            LabFact::CalledBack { item } => self.change(item, |item| item.called_back_us = Some(at_us)),
            LabFact::Delivered { item } => {
                let mut is_new = false;
                self.change(item, |item| is_new = item.delivered_us.replace(at_us).is_none());
                if is_new {
                    self.delivered.push(item);
                }
            }
            LabFact::Pool { in_use, idle, waiting } => {
                if self.pool.last().is_none_or(|latest| latest.at_us < at_us) {
                    self.pool.push(PoolStep { at_us, in_use, idle, waiting });
                }
            }
            LabFact::Lane { lane, step } => {
                let steps = self.lane(lane);
                if !steps.contains(&(at_us, step)) {
                    steps.push((at_us, step));
                }
            }
            LabFact::Ended => self.has_ended = true,
        }
    }

    /// How many items are in this state.
    pub fn count(&self, state: ItemState) -> usize {
        self.items.iter().filter(|item| item.state == state).count()
    }

    /// The figures of the items that have ended.
    pub fn summary(&self) -> LabSummary {
        let count = |state| u32::try_from(self.count(state)).unwrap_or(u32::MAX);
        let spans = || self.items.iter().filter_map(|item| Some((item.started_us?, item.ended_us?)));
        let first_us = spans().map(|(started_us, _)| started_us).min().unwrap_or_default();
        let last_us = spans().map(|(_, ended_us)| ended_us).max().unwrap_or_default();
        LabSummary {
            elapsed_us: last_us.saturating_sub(first_us),
            done: count(ItemState::Done),
            failed: count(ItemState::Failed),
            cancelled: count(ItemState::Cancelled),
            work_us: spans().map(|(started_us, ended_us)| ended_us.saturating_sub(started_us)).sum(),
            pool: None,
        }
    }

    fn change(&mut self, item: u32, change: impl FnOnce(&mut ItemTrace)) {
        let index = usize::try_from(item).unwrap_or(usize::MAX);
        self.items.get_mut(index).map(change);
    }

    fn end(&mut self, item: u32, state: ItemState, at_us: u64, change: impl FnOnce(&mut ItemTrace)) {
        self.change(item, |item| {
            (item.state, item.ended_us) = (state, Some(at_us));
            change(item);
        });
    }

    fn lane(&mut self, lane: Lane) -> &mut Vec<(u64, LaneStep)> {
        let index = self.lanes.iter().position(|known| known.lane == lane).unwrap_or_else(|| {
            self.lanes.push(LaneTrace { lane, steps: Vec::new() });
            self.lanes.len() - 1
        });
        &mut self.lanes[index].steps
    }
}

#[cfg(test)]
mod tests {
    use super::super::ItemErrorKind;
    use super::*;

    fn trace(facts: impl IntoIterator<Item = (u64, LabFact)>) -> LabTrace {
        let mut trace = LabTrace::default();
        for (at_us, what) in facts {
            trace.apply(LabEvent { at_us, what });
        }
        trace
    }

    fn began() -> (u64, LabFact) {
        (0, LabFact::Began { labels: vec!["BR".to_owned(), "XX".to_owned()] })
    }

    #[test]
    fn items_are_pending_until_they_start() {
        let error = ItemError { kind: ItemErrorKind::NotFound, detail: "404".to_owned() };
        let trace = trace([
            began(),
            (5, LabFact::Started { item: 1 }),
            (9, LabFact::Failed { item: 1, error: error.clone() }),
            (9, LabFact::Delivered { item: 1 }),
        ]);
        assert_eq!(trace.items[0].state, ItemState::Pending);
        assert_eq!((trace.items[1].started_us, trace.items[1].ended_us), (Some(5), Some(9)));
        assert_eq!(trace.items[1].error, Some(error));
        assert_eq!((trace.delivered, trace.latest_us), (vec![1], 9));
    }

    #[test]
    fn a_restarted_run_forgets_the_lost_attempt() {
        let began_again = trace([began(), (5, LabFact::Started { item: 0 }), began()]);
        assert_eq!(began_again, trace([began()]));
    }

    #[test]
    fn a_repeated_event_changes_nothing() {
        let facts = [
            began(),
            (1, LabFact::Started { item: 0 }),
            (2, LabFact::Pool { in_use: 1, idle: 7, waiting: 0 }),
            (3, LabFact::Done { item: 0, text: "7".to_owned() }),
            (4, LabFact::Delivered { item: 0 }),
            (5, LabFact::Lane { lane: Lane::Job, step: LaneStep::Sent }),
        ];
        // A part that is sent again contains the latest events.
        let again = facts[1..].to_vec();
        assert_eq!(trace(facts.clone().into_iter().chain(again)), trace(facts));
    }

    #[test]
    fn an_event_of_an_unknown_item_changes_nothing() {
        assert_eq!(trace([began(), (0, LabFact::Started { item: 2 })]), trace([began()]));
    }

    #[test]
    fn lanes_are_in_the_order_of_their_first_event() {
        let step = |lane, step| LabFact::Lane { lane, step };
        let trace = trace([
            (1, step(Lane::Job, LaneStep::Sent)),
            (2, step(Lane::Awaited, LaneStep::Sent)),
            (3, step(Lane::Job, LaneStep::Answered)),
        ]);
        assert_eq!(trace.lanes[0].steps, [(1, LaneStep::Sent), (3, LaneStep::Answered)]);
        assert_eq!(trace.lanes[1].lane, Lane::Awaited);
    }
}
