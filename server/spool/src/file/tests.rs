//! Random histories of a file on a disk with failed writes and power loss, compared with a simple model.

use std::collections::BTreeMap;

use api::{SearchId, TimeMs};
use proptest::prelude::*;

use super::simulated_disk::{Fault, SimulatedDisk};
use super::*;

const CAPACITY: usize = HEADER_BYTES as usize + 6_000;

#[derive(Clone, Debug)]
enum Event {
    /// One batch of records with these payload sizes.
    Append(Vec<usize>),
    Empty,
    Fail(Fault),
    /// The power fails after this many writes and syncs.
    Interrupt(u32),
    /// Each bit decides whether a sector survives.
    Crash(u64),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => prop::collection::vec(0..1_500_usize, 1..4).prop_map(Event::Append),
        1 => Just(Event::Empty),
        1 => prop_oneof![Just(Fault::Write), Just(Fault::Sync)].prop_map(Event::Fail),
        2 => (0..6_u32).prop_map(Event::Interrupt),
        2 => any::<u64>().prop_map(Event::Crash),
    ]
}

/// Which records must be in the file, and which may be.
#[derive(Default)]
struct Model {
    next: u128,
    /// Acknowledged, and not emptied.
    required: BTreeMap<SearchId, Record>,
    /// Appending or emptying has failed, so the file may contain them or not.
    possible: BTreeMap<SearchId, Record>,
    /// Whether the last append failed: only then may the file contain damaged bytes.
    is_dirty: bool,
}

impl Model {
    fn record(&mut self, size: usize) -> Record {
        self.next += 1;
        Record { search: SearchId(self.next), searched_at: TimeMs(7), payload: "x".repeat(size) }
    }
}

struct History {
    disk: SimulatedDisk,
    file: SpoolFile<SimulatedDisk>,
    model: Model,
}

impl History {
    fn new() -> Self {
        let mut bytes = Phase::Open.header();
        bytes.resize(CAPACITY, 0);
        let disk = SimulatedDisk::new(bytes);
        let (file, _) = SpoolFile::open(disk.clone()).expect("opened");
        Self { disk, file, model: Model::default() }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Append(sizes) => {
                let records: Vec<Record> = sizes.into_iter().map(|size| self.model.record(size)).collect();
                let results = self.file.append(&records);
                let is_io = |result: &Result<u64, AppendError>| matches!(result, Err(AppendError::Io { .. }));
                self.model.is_dirty =
                    results.iter().any(is_io) || (self.model.is_dirty && !results.iter().any(Result::is_ok));
                for (record, result) in records.into_iter().zip(results) {
                    match result {
                        Ok(_) => self.model.required.insert(record.search, record),
                        Err(AppendError::Full { .. }) => None,
                        Err(_) => self.model.possible.insert(record.search, record),
                    };
                }
            }
            Event::Empty => match self.file.empty() {
                Ok(()) => self.model = Model { next: self.model.next, ..Model::default() },
                Err(_) => self.model.possible.append(&mut self.model.required),
            },
            Event::Interrupt(operations) => self.disk.lose_power_after(operations),
            Event::Fail(fault) => self.disk.fail_once(fault),
            Event::Crash(survivors) => {
                let mut bits = (0..64).cycle().map(|bit| survivors >> bit & 1 == 1);
                self.disk.crash(|| bits.next().expect("endless"));
                self.reopen();
            }
        }
    }

    fn reopen(&mut self) {
        let (mut file, recovered) = SpoolFile::open(self.disk.clone()).expect("any contents can be opened");
        let records: BTreeMap<SearchId, Record> =
            recovered.records.iter().map(|(_, record)| (record.search, record.clone())).collect();
        assert_eq!(records.len(), recovered.records.len(), "a record was read twice");
        if !self.model.is_dirty {
            assert_eq!((&recovered.gaps, &recovered.torn), (&vec![], &None), "a false alarm");
        }
        for (search, record) in &self.model.required {
            assert_eq!(records.get(search), Some(record), "an acknowledged record was lost");
        }
        for (search, record) in &records {
            let known = self.model.required.get(search).or_else(|| self.model.possible.get(search));
            assert_eq!(known, Some(record), "the record was never appended, or returned after emptying");
        }
        file.clear(&recovered.gaps, recovered.torn).expect("cleared");
        let (_, again) = SpoolFile::open(self.disk.clone()).expect("opened");
        assert_eq!((again.gaps, again.torn), (vec![], None), "damage was found again after it was cleared");
        assert_eq!(again.records, recovered.records);
        self.file = file;
        // Recovered records are synced, so they must stay.
        self.model.required = records;
        self.model.possible.clear();
        self.model.is_dirty = false;
    }
}

/// Histories run quickly, and only rare ones find faults.
fn more_cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: 8 * default.cases, ..default }
}

proptest! {
    #![proptest_config(more_cases())]
    #[test]
    fn acknowledged_records_survive_any_crash(events in prop::collection::vec(any_event(), 1..40)) {
        let mut history = History::new();
        for event in events {
            history.apply(event);
        }
        history.apply(Event::Crash(0));
    }
}

#[test]
fn a_full_file_refuses_appends_until_it_is_emptied() {
    let mut history = History::new();
    let large = history.model.record(5_900);
    let small = history.model.record(10);
    assert!(history.file.append(std::slice::from_ref(&large))[0].is_ok());
    let another = history.model.record(5_900);
    let results = history.file.append(&[another, small]);
    assert!(matches!(results[..], [Err(AppendError::Full { .. }), Ok(2)]), "{results:?}");
    history.file.empty().expect("emptied");
    assert_eq!(history.file.used_bytes(), 0);
    assert_eq!(history.file.append(&[large]), [Ok(1)]);
}

#[test]
fn an_append_first_finishes_an_emptying_that_failed() {
    let mut history = History::new();
    history.apply(Event::Append(vec![10]));
    history.apply(Event::Fail(Fault::Sync));
    history.apply(Event::Empty);
    assert_eq!(history.model.possible.len(), 1, "the emptying failed");
    // Otherwise the next start would empty the file, with this record in it.
    history.apply(Event::Append(vec![20]));
    assert_eq!(history.model.required.len(), 1);
    history.apply(Event::Crash(u64::MAX));
    assert_eq!(history.model.required.len(), 1, "only the acknowledged record, not the emptied one");
}
