//! The workers of this process, and how busy they are.

use api::WorkerState;

use super::{Card, Fact, Remark, Weight};
use crate::gauge::Gauge;
use crate::wording::number;

pub(super) fn card(workers: &[WorkerState]) -> Card {
    let none = Remark::new(Weight::Note, "This process runs no jobs: it was started with --no-worker.");
    Card {
        id: "workers-title",
        title: "Workers",
        facts: workers.iter().flat_map(facts).collect(),
        remarks: if workers.is_empty() { vec![none] } else { vec![] },
    }
}

fn facts(worker: &WorkerState) -> [Fact; 3] {
    let busy = format!("{} of {} slots", number(worker.busy.into()), number(worker.slots.into()));
    [
        Fact::new("Name", worker.name.as_str()),
        Fact::new("Busy", busy).with(Gauge::of_worker(worker)),
        Fact::age("Started", Some(worker.started_at)),
    ]
}

#[cfg(test)]
mod tests {
    use api::TimeMs;

    use super::*;

    #[test]
    fn a_worker_is_told_by_its_slots_and_none_by_a_sentence() {
        let worker = WorkerState { name: "worker-1".to_owned(), slots: 1_024, busy: 12, started_at: TimeMs(7) };
        let full = card(std::slice::from_ref(&worker));
        assert_eq!(full.facts[1], Fact::new("Busy", "12 of 1,024 slots").with(Gauge::of_worker(&worker)));
        assert_eq!(full.remarks, []);
        let empty = card(&[]);
        assert_eq!(empty.facts, []);
        assert_eq!(empty.remarks[0].text, "This process runs no jobs: it was started with --no-worker.");
    }
}
