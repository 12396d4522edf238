//! The queue: jobs of all kinds, by what they wait for.

use api::QueueState;

use super::{Card, Fact, Remark, Weight};
use crate::wording::number;

/// `queue` is none while the database does not answer.
pub(super) fn card(queue: Option<QueueState>) -> Card {
    let (facts, remarks) = match queue {
        Some(queue) => (facts(queue), vec![]),
        None => (vec![], vec![Remark::new(Weight::Note, "Not known while the database does not answer.")]),
    };
    Card { id: "queue-title", title: "Queue", facts, remarks }
}

fn facts(QueueState { waiting, running, later, oldest_waiting_at }: QueueState) -> Vec<Fact> {
    vec![
        Fact::new("Waiting for a worker", number(waiting)),
        Fact::age("Oldest of these", oldest_waiting_at),
        Fact::new("Running", number(running)),
        Fact::new("Waiting for their time", number(later)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_zero() {
        let card = card(None);
        assert_eq!(card.facts, []);
        assert!(card.remarks[0].text.contains("does not answer"));
    }
}
