//! Random histories of a file on a disk that fails and loses power, against a simple model.

use std::collections::BTreeMap;

use api::{SearchId, TimeMs};
use proptest::prelude::*;

use super::*;
use crate::simulated_disk::{Failing, SimulatedDisk};

const CAPACITY: usize = HEADER_BYTES as usize + 6_000;

#[derive(Clone, Debug)]
enum Event {
    /// Records of these payload sizes, in one batch.
    Append(Vec<usize>),
    Empty,
    Fail(Failing),
    /// The next event gets only so many writes and syncs done, and then the power is gone.
    Interrupt(u32),
    /// The bits say which sectors survive.
    Crash(u64),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => prop::collection::vec(0..1_500_usize, 1..4).prop_map(Event::Append),
        1 => Just(Event::Empty),
        1 => prop_oneof![Just(Failing::Write), Just(Failing::Sync)].prop_map(Event::Fail),
        2 => (0..6_u32).prop_map(Event::Interrupt),
        2 => any::<u64>().prop_map(Event::Crash),
    ]
}

/// What may and what must be in the file.
#[derive(Default)]
struct Model {
    next: u128,
    /// Answered for, and not emptied.
    kept: BTreeMap<SearchId, Record>,
    /// Written or emptied with an error: there or not.
    perhaps: BTreeMap<SearchId, Record>,
    /// Whether the last append has failed: only then may there be anything that is no line.
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
    fn begin() -> Self {
        let mut bytes = Phase::Open.header();
        bytes.resize(CAPACITY, 0);
        let disk = SimulatedDisk::of(bytes);
        let (file, _) = SpoolFile::open(disk.clone()).expect("opened");
        Self { disk, file, model: Model::default() }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Append(sizes) => {
                let records: Vec<Record> = sizes.into_iter().map(|size| self.model.record(size)).collect();
                let answers = self.file.append(&records);
                let is_io = |answer: &Result<u64, AppendError>| matches!(answer, Err(AppendError::Io { .. }));
                self.model.is_dirty =
                    answers.iter().any(is_io) || (self.model.is_dirty && !answers.iter().any(Result::is_ok));
                for (record, answer) in records.into_iter().zip(answers) {
                    match answer {
                        Ok(_) => self.model.kept.insert(record.search, record),
                        Err(AppendError::Full { .. }) => None,
                        Err(_) => self.model.perhaps.insert(record.search, record),
                    };
                }
            }
            Event::Empty => match self.file.empty() {
                Ok(()) => self.model = Model { next: self.model.next, ..Model::default() },
                Err(_) => self.model.perhaps.append(&mut self.model.kept),
            },
            Event::Interrupt(operations) => self.disk.lose_power_after(operations),
            Event::Fail(failing) => self.disk.fail_once(failing),
            Event::Crash(survivors) => {
                let mut bits = (0..64).cycle().map(|bit| survivors >> bit & 1 == 1);
                self.disk.crash(|| bits.next().expect("endless"));
                self.opens_again();
            }
        }
    }

    fn opens_again(&mut self) {
        let (mut file, found) = SpoolFile::open(self.disk.clone()).expect("whatever is on the disk can be opened");
        let records: BTreeMap<SearchId, Record> =
            found.records.iter().map(|(_, record)| (record.search, record.clone())).collect();
        assert_eq!(records.len(), found.records.len(), "a record stands there twice");
        if !self.model.is_dirty {
            assert_eq!((&found.gaps, &found.torn), (&vec![], &None), "a false alarm");
        }
        for (search, record) in &self.model.kept {
            assert_eq!(records.get(search), Some(record), "answered for and lost");
        }
        for (search, record) in &records {
            let known = self.model.kept.get(search).or_else(|| self.model.perhaps.get(search));
            assert_eq!(known, Some(record), "comes from nowhere, or is back after it was emptied");
        }
        file.clear(&found.gaps, found.torn).expect("cleared");
        let (_, again) = SpoolFile::open(self.disk.clone()).expect("opened");
        assert_eq!((again.gaps, again.torn), (vec![], None), "what was cleared is not found again");
        assert_eq!(again.records, found.records);
        self.file = file;
        // What is there now is synced, and stays.
        self.model.kept = records;
        self.model.perhaps.clear();
        self.model.is_dirty = false;
    }
}

/// A history is made quickly, and the rare ones are those that count.
fn many() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: 8 * usual.cases, ..usual }
}

proptest! {
    #![proptest_config(many())]
    #[test]
    fn what_was_answered_for_is_there_after_any_crash(events in prop::collection::vec(any_event(), 1..40)) {
        let mut history = History::begin();
        for event in events {
            history.happens(event);
        }
        history.happens(Event::Crash(0));
    }
}

#[test]
fn a_full_file_refuses_and_takes_again_once_it_is_emptied() {
    let mut history = History::begin();
    let large = history.model.record(5_900);
    let small = history.model.record(10);
    assert!(history.file.append(std::slice::from_ref(&large))[0].is_ok());
    let another = history.model.record(5_900);
    let answers = history.file.append(&[another, small]);
    assert!(matches!(answers[..], [Err(AppendError::Full { .. }), Ok(2)]), "{answers:?}");
    history.file.empty().expect("emptied");
    assert_eq!(history.file.used_bytes(), 0);
    assert_eq!(history.file.append(&[large]), [Ok(1)]);
}

#[test]
fn nothing_is_promised_while_an_emptying_is_half_done() {
    let mut history = History::begin();
    history.happens(Event::Append(vec![10]));
    history.happens(Event::Fail(Failing::Sync));
    history.happens(Event::Empty);
    assert_eq!(history.model.perhaps.len(), 1, "the emptying has failed");
    // This append has to finish the emptying first, or a crash would wipe it.
    history.happens(Event::Append(vec![20]));
    assert_eq!(history.model.kept.len(), 1);
    history.happens(Event::Crash(u64::MAX));
    assert_eq!(history.model.kept.len(), 1, "the record that was answered for, and not the emptied one");
}
