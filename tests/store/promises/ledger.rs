//! The ledger adds up after any sequence of operations, and names missing searches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::{JobCounts, JobState, Ledger, SearchId, TimeMs};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::{Accepted, AttemptResult, ClaimedJob, FinishedAttempt, LOG_JOB, RetryingSearch, Store};
use tests::builders::{START, claim, finished, job, log_entry, log_job, no_attempt, retry, search, signed};
use tests::workload::cases;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::Database;

async fn accept_and_claim(store: &dyn Store, number: u128) -> ClaimedJob {
    store.accept(search(number), log_job(search(number))).await.unwrap();
    store.claim(claim("w", 1, START)).await.unwrap().pop().expect("it waits")
}

fn done(job: &ClaimedJob) -> FinishedAttempt {
    finished(job, "w", AttemptResult::Done, START)
}

async fn ledger(store: &dyn Store) -> Ledger {
    store.ledger().await.unwrap()
}

pub(crate) async fn a_row_and_the_end_of_its_attempt_are_one_transaction(database: impl Database) {
    let store = database.store();
    let job = accept_and_claim(&*store, 1).await;
    assert_eq!(ledger(&*store).await, Ledger { accepted: 1, running: 1, ..Ledger::default() });
    store.record(log_entry(search(1), "life"), done(&job)).await.unwrap();
    assert_eq!(ledger(&*store).await, Ledger { accepted: 1, recorded: 1, ..Ledger::default() });
    assert_eq!(store.job(job.id).await.unwrap().expect("there").state, JobState::Done);
    assert_eq!(store.finish(vec![done(&job)]).await.unwrap(), 0, "it has ended already");
}

pub(crate) async fn a_row_is_written_even_if_its_attempt_was_lost(database: impl Database) {
    let store = database.store();
    let lost = accept_and_claim(&*store, 1).await;
    store.rescue_orphans(START, START).await.unwrap();
    store.record(log_entry(search(1), "life"), done(&lost)).await.unwrap();
    // Its job does not know of the row, and runs again.
    assert_eq!(ledger(&*store).await, Ledger { accepted: 1, recorded: 1, ..Ledger::default() });
    let again = store.claim(claim("w", 1, START)).await.unwrap().pop().expect("it waits");
    store.record(log_entry(search(1), "life"), done(&again)).await.unwrap();
    assert_eq!(ledger(&*store).await, Ledger { accepted: 1, recorded: 1, ..Ledger::default() });
}

pub(crate) async fn a_job_that_is_done_without_a_row_is_missing(database: impl Database) {
    let store = database.store();
    let job = accept_and_claim(&*store, 1).await;
    store.finish(vec![done(&job)]).await.unwrap();
    assert_eq!(ledger(&*store).await.drift(), 1);
    let missing = store.missing_searches(9).await.unwrap();
    assert_eq!((missing.len(), missing[0].search, missing[0].job), (1, search(1), Some(job.id)));
    assert_eq!(store.prune_jobs(TimeMs(i64::MAX), 9).await.unwrap(), 0, "the job shows what is missing");
    assert!(!store.delete_job(job.id, None).await.unwrap());
    assert!(store.retry_job(job.id, START, &signed()).await.unwrap());
    assert_eq!((ledger(&*store).await.drift(), store.missing_searches(9).await.unwrap()), (0, vec![]));
}

pub(crate) async fn a_cancelled_search_stays_cancelled_when_its_job_is_pruned(database: impl Database) {
    let store = database.store();
    let Accepted::New(id) = store.accept(search(1), log_job(search(1))).await.unwrap() else { panic!("it is new") };
    assert!(store.cancel_job(id, START, Some(&signed())).await.unwrap());
    for _ in 0..2 {
        assert_eq!(ledger(&*store).await, Ledger { accepted: 1, cancelled: 1, ..Ledger::default() });
        store.prune_jobs(TimeMs(i64::MAX), 9).await.unwrap();
    }
    assert_eq!(store.job_counts().await.unwrap(), JobCounts::default());
}

pub(crate) async fn a_recorded_search_stays_recorded_whatever_happens_to_its_job(database: impl Database) {
    let store = database.store();
    let (written, waiting) = (accept_and_claim(&*store, 1).await, accept_and_claim(&*store, 2).await);
    store.record(log_entry(search(1), "life"), done(&written)).await.unwrap();
    let expected = Ledger { accepted: 2, recorded: 1, running: 1, ..Ledger::default() };
    let stays = async |after: &str| assert_eq!(ledger(&*store).await, expected, "{after}");
    stays("the row is written").await;
    assert!(store.retry_job(written.id, START, &signed()).await.unwrap());
    stays("its job waits").await;
    assert!(store.cancel_job(written.id, START, Some(&signed())).await.unwrap());
    stays("its job is cancelled").await;
    assert!(store.retry_job(written.id, START, &signed()).await.unwrap());
    let again = store.claim(claim("w", 9, START)).await.unwrap().pop().expect("it waits");
    stays("its job runs").await;
    let dead = AttemptResult::Dead { error: "dead".to_owned() };
    store.finish(vec![finished(&again, "w", dead, START)]).await.unwrap();
    stays("its job is dead").await;
    assert!(store.delete_job(written.id, None).await.unwrap());
    stays("its job is deleted").await;
    assert!(store.cancel_job(waiting.id, START, Some(&signed())).await.unwrap());
    store.finish(vec![finished(&waiting, "w", AttemptResult::Cancelled, START)]).await.unwrap();
    assert_eq!(ledger(&*store).await, Ledger { accepted: 2, recorded: 1, cancelled: 1, ..Ledger::default() });
}

pub(crate) async fn jobs_of_other_kinds_are_not_in_the_ledger(database: impl Database) {
    let store = database.store();
    store.enqueue(tests::builders::job("probe")).await.unwrap();
    let job = store.claim(claim("w", 1, START)).await.unwrap().pop().expect("it waits");
    assert!(!store.delete_job(job.id, None).await.unwrap(), "it has not ended");
    store.finish(vec![done(&job)]).await.unwrap();
    assert_eq!(ledger(&*store).await, Ledger::default());
    assert!(store.delete_job(job.id, None).await.unwrap());
    assert!(!store.delete_job(job.id, None).await.unwrap(), "it is gone");
    assert_eq!(store.job_counts().await.unwrap(), JobCounts::default());
}

pub(crate) async fn the_oldest_waiting_job_is_known(database: impl Database) {
    let store = database.store();
    assert_eq!(store.oldest_waiting().await.unwrap(), None);
    for (number, seconds) in [(1, 5), (2, 7)] {
        let created_at = START.after(Duration::from_secs(seconds));
        store.accept(search(number), store::NewJob { created_at, ..log_job(search(number)) }).await.unwrap();
    }
    assert_eq!(store.oldest_waiting().await.unwrap(), Some(START.after(Duration::from_secs(5))));
    store.claim(claim("w", 1, START)).await.unwrap();
    assert_eq!(store.oldest_waiting().await.unwrap(), Some(START.after(Duration::from_secs(7))));
}

pub(crate) async fn the_oldest_retrying_search_is_known_with_its_error(database: impl Database) {
    let store = database.store();
    assert_eq!(store.oldest_retrying_search().await.unwrap(), None);
    store.enqueue(job("lab")).await.unwrap();
    for number in 1..=2 {
        store.accept(search(number), log_job(search(number))).await.unwrap();
    }
    for attempts in 1..=2 {
        let now = START.after(Duration::from_secs(60 * u64::from(attempts)));
        for claimed in store.claim(claim("w", 9, now)).await.unwrap() {
            let failed = retry(&format!("try {} of {}", claimed.attempt, claimed.id.0));
            store.finish(vec![finished(&claimed, "w", failed, now)]).await.unwrap();
        }
        // The first job is no search.
        let expected = RetryingSearch { attempts, error: format!("try {attempts} of 2") };
        assert_eq!(store.oldest_retrying_search().await.unwrap(), Some(expected));
    }
}

/// Few, so that operations meet the same search repeatedly.
const SEARCHES: u128 = 4;

#[derive(Clone, Debug)]
enum Event {
    Accept(u128),
    Claim,
    /// Writes the row for the nth attempt that was ever claimed, whether it is still held or not.
    Record(usize),
    /// Writes a row without an attempt.
    RecordAlone(u128),
    AttemptResult(usize, AttemptResult),
    Requeue,
    Retry(u128),
    Cancel(u128),
    Prune,
}

fn event() -> impl Strategy<Value = Event> {
    let finish = prop_oneof![
        Just(AttemptResult::Done),
        Just(retry("failed")),
        Just(AttemptResult::Dead { error: "dead".to_owned() }),
        Just(AttemptResult::Cancelled),
        Just(AttemptResult::Release),
    ];
    prop_oneof![
        4 => (0..SEARCHES).prop_map(Event::Accept),
        4 => Just(Event::Claim),
        4 => (0..9_usize).prop_map(Event::Record),
        1 => (0..SEARCHES).prop_map(Event::RecordAlone),
        3 => (0..9_usize, finish).prop_map(|(attempt, finish)| Event::AttemptResult(attempt, finish)),
        1 => Just(Event::Requeue),
        2 => (0..SEARCHES).prop_map(Event::Retry),
        2 => (0..SEARCHES).prop_map(Event::Cancel),
        1 => Just(Event::Prune),
    ]
}

struct Run {
    store: Arc<dyn Store>,
    now: TimeMs,
    claimed: Vec<ClaimedJob>,
    /// Whether the search was cancelled when its job was last seen.
    accepted: BTreeMap<SearchId, bool>,
    /// The number of searches that were cancelled and pruned before the same id was accepted again.
    forgotten: u64,
}

impl Run {
    fn on(store: Arc<dyn Store>) -> Self {
        Self { store, now: START, claimed: Vec::new(), accepted: BTreeMap::new(), forgotten: 0 }
    }

    async fn step(&mut self, event: &Event) {
        // After this time a retry is due.
        self.now = self.now.after(Duration::from_secs(20));
        let (store, now) = (Arc::clone(&self.store), self.now);
        match event {
            Event::Accept(number) => {
                let id = search(*number);
                if matches!(store.accept(id, log_job(id)).await.unwrap(), Accepted::New(_)) {
                    // After a cancelled search is pruned, the same id is a new search.
                    self.forgotten += u64::from(self.accepted.insert(id, false).is_some());
                }
            }
            Event::Claim => self.claimed.extend(store.claim(claim("w", 2, now)).await.unwrap()),
            Event::Record(attempt) => {
                let Some(job) = self.claimed.get(*attempt) else { return };
                let key = store.job(job.id).await.unwrap().and_then(|job| job.key);
                let Some(id) = key.and_then(|key| key.parse().ok()) else { return };
                store.record(log_entry(id, "life"), done(job)).await.unwrap();
            }
            Event::RecordAlone(number) => {
                let id = search(*number);
                if store.position(LOG_JOB, &id.to_string()).await.unwrap().is_some() {
                    store.record(log_entry(id, "life"), no_attempt()).await.unwrap();
                }
            }
            Event::AttemptResult(attempt, finish) => {
                let Some(job) = self.claimed.get(*attempt) else { return };
                store.finish(vec![finished(job, "w", finish.clone(), now)]).await.unwrap();
            }
            Event::Requeue => drop(store.rescue_orphans(now, now).await.unwrap()),
            Event::Retry(number) | Event::Cancel(number) => {
                let Some(place) = store.position(LOG_JOB, &search(*number).to_string()).await.unwrap() else { return };
                match event {
                    Event::Retry(_) => store.retry_job(place.job, now, &signed()).await.unwrap(),
                    _ => store.cancel_job(place.job, now, Some(&signed())).await.unwrap(),
                };
            }
            Event::Prune => drop(store.prune_jobs(now, 9).await.unwrap()),
        }
    }

    /// Counts the searches one by one.
    async fn counted(&mut self) -> (Ledger, Vec<SearchId>) {
        let accepted = self.accepted.len() as u64 + self.forgotten;
        let mut counted = Ledger { accepted, cancelled: self.forgotten, ..Ledger::default() };
        let mut missing = Vec::new();
        for (&id, was_cancelled) in &mut self.accepted {
            let place = self.store.position(LOG_JOB, &id.to_string()).await.unwrap().map(|place| place.state);
            let has_row = self.store.log_row_of_search(id).await.unwrap().is_some();
            *was_cancelled = place == Some(JobState::Cancelled) || (place.is_none() && *was_cancelled);
            match place {
                _ if has_row => counted.recorded += 1,
                Some(JobState::Scheduled) => counted.scheduled += 1,
                Some(JobState::Waiting) => counted.waiting += 1,
                Some(JobState::Running) => counted.running += 1,
                Some(JobState::Retrying) => counted.retrying += 1,
                Some(JobState::Dead) => counted.dead += 1,
                Some(JobState::Cancelled) => counted.cancelled += 1,
                None if *was_cancelled => counted.cancelled += 1,
                Some(JobState::Done) | None => missing.push(id),
            }
        }
        (counted, missing)
    }
}

pub(crate) async fn the_ledger_equals_a_count<D: Database>(_first: D) {
    let config = Config { cases: cases(D::CASES), failure_persistence: None, ..Config::default() };
    let outcome = block_in_place(|| {
        TestRunner::new(config).run(&vec(event(), 1..50), |events| {
            Handle::current().block_on(async {
                let database = D::create().await;
                let mut run = Run::on(database.store());
                for event in events {
                    run.step(&event).await;
                    let (counted, missing) = run.counted().await;
                    assert_eq!(ledger(&*run.store).await, counted, "after {event:?}");
                    assert_eq!(counted.drift(), missing.len() as i64);
                    let named = run.store.missing_searches(99).await.unwrap();
                    let mut named: Vec<SearchId> = named.iter().map(|missing| missing.search).collect();
                    named.sort();
                    assert_eq!(named, missing, "after {event:?}");
                }
            });
            Ok(())
        })
    });
    outcome.unwrap();
}
