//! Random sequences of operations, compared with a model of the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::{Attempt, AttemptOutcome, JobId, LogSeq, TimeMs};
use futures::future::try_join_all;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::{Accepted, AttemptResult, Enqueued, FinishedAttempt, JobSelection, LOG_JOB, NewJob};
use tests::QueueModel;
use tests::builders::{START, claim, job, log_entry, log_job, no_attempt, search, signed, worker};
use tests::queue_model::ModelAttempt;
use tests::workload::cases;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::Database;
use crate::promises::kinds::set_paused;

pub(crate) async fn any_sequence_of_operations_matches_the_model<D: Database>(_first: D) {
    // Each case needs a database. A failing case is shrunk and printed with its operations.
    let config = Config { cases: cases(D::CASES), failure_persistence: None, ..Config::default() };
    let outcome = block_in_place(|| {
        TestRunner::new(config).run(&vec(operation(), 1..60), |operations| {
            Handle::current().block_on(async {
                let mut run = Run::on(D::create().await);
                for operation in operations {
                    run.step(&operation).await;
                }
            });
            Ok(())
        })
    });
    outcome.unwrap();
}

const WORKERS: [&str; 2] = ["w1", "w2"];
const KINDS: [&str; 2] = ["modelled", LOG_JOB];

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Enqueue {
        key: Option<u8>,
        priority: i16,
        delay_s: u64,
        max_attempts: u32,
    },
    /// A search, sent for the first time or again.
    Accept {
        search: u8,
    },
    /// A search's log row, written for the first time or again.
    Record {
        search: u8,
    },
    /// The rows and ends of all attempts at log jobs that were ever claimed, at once, by one worker.
    RecordTogether {
        worker: usize,
    },
    Claim {
        worker: usize,
        limit: u32,
    },
    /// A new job and a concurrent claim, in either order.
    EnqueueDuringClaim {
        priority: i16,
        delay_s: u64,
        worker: usize,
        limit: u32,
    },
    /// All jobs that any worker ever claimed.
    Extend {
        worker: usize,
        lease_s: u64,
    },
    /// One of the attempts that were ever claimed, by any worker.
    Finish {
        attempt: usize,
        worker: usize,
        result: AttemptResult,
    },
    Expire,
    Requeue {
        latest_s: u64,
    },
    Retry {
        job: usize,
    },
    Cancel {
        job: usize,
    },
    Prune {
        limit: u32,
    },
    /// A kind that may not exist yet.
    Pause {
        kind: usize,
        paused: bool,
    },
    Limit {
        kind: usize,
        limit: Option<u32>,
    },
    Advance {
        seconds: u64,
    },
    /// The process ends, and the next one opens the committed state.
    Reopen,
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => (prop::option::of(0..4_u8), -1..=1_i16, 0..3_u64, 1..3_u32)
            .prop_map(|(key, priority, delay_s, max_attempts)| Operation::Enqueue { key, priority, delay_s, max_attempts }),
        4 => (0..4_u8).prop_map(|search| Operation::Accept { search }),
        2 => (0..4_u8).prop_map(|search| Operation::Record { search }),
        4 => (0..2_usize).prop_map(|worker| Operation::RecordTogether { worker }),
        6 => (0..2_usize, 0..6_u32).prop_map(|(worker, limit)| Operation::Claim { worker, limit }),
        4 => (-1..=1_i16, 0..2_u64, 0..2_usize, 0..6_u32).prop_map(|(priority, delay_s, worker, limit)| {
            Operation::EnqueueDuringClaim { priority, delay_s, worker, limit }
        }),
        2 => (0..2_usize, 0..30_u64).prop_map(|(worker, lease_s)| Operation::Extend { worker, lease_s }),
        8 => (0..30_usize, 0..2_usize, finish())
            .prop_map(|(attempt, worker, result)| Operation::Finish { attempt, worker, result }),
        2 => Just(Operation::Expire),
        1 => (0..3_u64).prop_map(|latest_s| Operation::Requeue { latest_s }),
        2 => (0..20_usize).prop_map(|job| Operation::Retry { job }),
        2 => (0..20_usize).prop_map(|job| Operation::Cancel { job }),
        1 => (0..4_u32).prop_map(|limit| Operation::Prune { limit }),
        2 => (0..2_usize, prop::bool::weighted(0.3)).prop_map(|(kind, paused)| Operation::Pause { kind, paused }),
        3 => (0..2_usize, prop::option::weighted(0.7, 0..3_u32)).prop_map(|(kind, limit)| Operation::Limit { kind, limit }),
        3 => (0..20_u64).prop_map(|seconds| Operation::Advance { seconds }),
        1 => Just(Operation::Reopen),
    ]
}

fn finish() -> impl Strategy<Value = AttemptResult> {
    prop_oneof![
        Just(AttemptResult::Done),
        (0..4_u64).prop_map(|s| AttemptResult::Retry { error: "failed".to_owned(), after: Duration::from_secs(s) }),
        Just(AttemptResult::Dead { error: "dead".to_owned() }),
        Just(AttemptResult::Cancelled),
        Just(AttemptResult::Release),
    ]
}

pub(super) struct Run<D> {
    database: D,
    model: QueueModel,
    now: TimeMs,
    /// All attempts that were ever claimed.
    claimed: Vec<(JobId, u32)>,
    /// The searches that have a log row.
    recorded: BTreeMap<u8, LogSeq>,
}

impl<D: Database> Run<D> {
    pub(super) fn on(database: D) -> Self {
        Self { database, model: QueueModel::default(), now: START, claimed: Vec::new(), recorded: BTreeMap::new() }
    }

    /// Applies `operation` to both, and fails if they differ.
    pub(super) async fn step(&mut self, operation: &Operation) {
        let (store, now) = (self.database.store(), self.now);
        match operation {
            Operation::Enqueue { key, priority, delay_s, max_attempts } => {
                let new = NewJob {
                    key: key.map(|key| key.to_string()),
                    priority: *priority,
                    max_attempts: *max_attempts,
                    run_at: now.after(Duration::from_secs(*delay_s)),
                    now,
                    ..job("modelled")
                };
                let present = self.model.with_key(new.key.as_deref());
                match store.enqueue(new.clone()).await.unwrap() {
                    Enqueued::New(id) => {
                        assert_eq!(present, None);
                        self.model.add(id, &new);
                    }
                    Enqueued::Exists(id) => assert_eq!(present, Some(id)),
                }
            }
            Operation::Accept { search: number } => {
                let id = search((*number).into());
                let new = NewJob { run_at: now, now, ..log_job(id) };
                let present = self.model.with_key(new.key.as_deref());
                match store.accept(id, new.clone()).await.unwrap() {
                    Accepted::New(job) => {
                        assert_eq!((present, self.recorded.get(number)), (None, None));
                        self.model.add(job, &new);
                    }
                    Accepted::Queued { job, payload } => assert_eq!((Some(job), payload), (present, new.payload)),
                    Accepted::Recorded(row) => {
                        assert_eq!((present, Some(&row.seq)), (None, self.recorded.get(number)));
                    }
                }
            }
            Operation::Record { search: number } => {
                let seq = store.record(log_entry(search((*number).into()), "modelled"), no_attempt()).await.unwrap();
                assert_eq!(*self.recorded.entry(*number).or_insert(seq), seq);
            }
            Operation::RecordTogether { worker: name } => {
                let told = self.claimed.iter().filter_map(|&(job, attempt)| {
                    let worker = worker(WORKERS[*name]);
                    let told = FinishedAttempt { job, attempt, worker, result: AttemptResult::Done, now, wall: now };
                    Some((self.search_of(job)?, told))
                });
                let told: Vec<_> = told.collect();
                let records = told
                    .iter()
                    .map(|(number, told)| store.record(log_entry(search((*number).into()), "modelled"), told.clone()));
                let seqs = try_join_all(records).await.unwrap();
                for ((number, told), seq) in told.iter().zip(seqs) {
                    assert_eq!(*self.recorded.entry(*number).or_insert(seq), seq);
                    self.model.finish(told);
                }
            }
            Operation::Claim { worker, limit } => {
                let claim = claim(WORKERS[*worker], *limit, now);
                let claimed = store.claim(claim.clone()).await.unwrap();
                assert_eq!(claimed, self.model.claim(&claim));
                self.claimed.extend(claimed.iter().map(|job| (job.id, job.attempt)));
            }
            Operation::EnqueueDuringClaim { priority, delay_s, worker, limit } => {
                let run_at = now.after(Duration::from_secs(*delay_s));
                let new = NewJob { priority: *priority, run_at, now, ..job("modelled") };
                let claim = claim(WORKERS[*worker], *limit, now);
                let (added, claimed) = tokio::join!(store.enqueue(new.clone()), store.claim(claim.clone()));
                let (Enqueued::New(id), claimed) = (added.unwrap(), claimed.unwrap()) else { panic!("it has no key") };
                let mut claim_first = self.model.clone();
                let would_claim = claim_first.claim(&claim);
                claim_first.add(id, &new);
                self.model.add(id, &new);
                if claimed == would_claim {
                    self.model = claim_first;
                } else {
                    assert_eq!(claimed, self.model.claim(&claim));
                }
                self.claimed.extend(claimed.iter().map(|job| (job.id, job.attempt)));
            }
            Operation::Extend { worker: name, lease_s } => {
                let (worker, until) = (worker(WORKERS[*name]), now.after(Duration::from_secs(*lease_s)));
                let jobs: Vec<JobId> = self.claimed.iter().map(|&(job, _)| job).collect();
                let lost = store.renew_leases(&worker, &jobs, until).await.unwrap();
                assert_eq!(lost, self.model.renew_leases(&worker, &jobs, until));
            }
            Operation::Finish { attempt, worker: name, result } => {
                let Some(&(job, attempt)) = self.claimed.get(attempt % self.claimed.len().max(1)) else { return };
                let (worker, result) = (worker(WORKERS[*name]), result.clone());
                let told = FinishedAttempt { job, attempt, worker, result, now, wall: now };
                assert_eq!(store.finish(vec![told.clone()]).await.unwrap(), self.model.finish(&told));
            }
            Operation::Expire => {
                assert_eq!(store.expire_leases(now).await.unwrap(), self.model.expire_leases(now));
            }
            Operation::Requeue { latest_s } => {
                let latest = now.after(Duration::from_secs(*latest_s));
                let lost = store.rescue_orphans(now, latest).await.unwrap();
                self.model.pull_schedules(latest);
                self.model.grant_attempts();
                assert_eq!(lost, self.model.lose(now, |_| true));
            }
            Operation::Retry { job } => {
                let Some(id) = self.nth(*job) else { return };
                assert_eq!(store.retry_job(id, now, &signed()).await.unwrap(), self.model.retry(id, now));
            }
            Operation::Cancel { job } => {
                let Some(id) = self.nth(*job) else { return };
                assert_eq!(store.cancel_job(id, now, Some(&signed())).await.unwrap(), self.model.cancel(id, now));
            }
            Operation::Prune { limit } => {
                let recorded = self.recorded.keys().map(|&number| search(number.into()).to_string());
                let recorded: BTreeSet<String> = recorded.collect();
                let pruned = self.model.prune(now, *limit, |key| recorded.contains(key));
                assert_eq!(store.prune_jobs(now, *limit).await.unwrap(), pruned);
            }
            Operation::Pause { kind, paused } => {
                let kind = KINDS[*kind];
                assert_eq!(set_paused(&*store, kind, *paused).await, self.model.pause(kind, *paused));
            }
            Operation::Limit { kind, limit } => {
                let kind = KINDS[*kind];
                assert_eq!(store.limit_kind(kind, *limit, &signed()).await.unwrap(), self.model.limit(kind, *limit));
            }
            Operation::Reopen => {
                drop(store);
                self.database.reopen().await;
            }
            Operation::Advance { seconds } => self.now = now.after(Duration::from_secs(*seconds)),
        }
        self.compare().await;
    }

    /// The search of a log job that is there.
    fn search_of(&self, id: JobId) -> Option<u8> {
        let job = self.model.jobs.iter().find(|job| job.id == id && job.kind == LOG_JOB)?;
        (0..4).find(|&number| job.key == Some(search(number.into()).to_string()))
    }

    fn nth(&self, index: usize) -> Option<JobId> {
        let count = self.model.jobs.len().max(1);
        self.model.jobs.get(index % count).map(|job| job.id)
    }

    async fn compare(&self) {
        let store = self.database.store();
        assert_eq!(store.job_counts().await.unwrap(), self.model.counts());
        assert_eq!(store.kinds().await.unwrap(), self.model.stored_kinds());
        assert_eq!(store.next_due().await.unwrap(), self.model.next_due());
        for name in WORKERS {
            let worker = worker(name);
            assert_eq!(store.cancellations(&worker).await.unwrap(), self.model.cancellations(&worker));
        }
        let mut stored = store.jobs(JobSelection::default(), None, 1000).await.unwrap().jobs;
        stored.reverse();
        assert_eq!(stored.len(), self.model.jobs.len());
        for (stored, model) in stored.iter().zip(&self.model.jobs) {
            assert_eq!((stored.id, stored.state), (model.id, model.state));
            assert_eq!((stored.attempt, stored.max_attempts), (model.attempt, model.max_attempts));
            assert_eq!(stored.worker, model.worker);
            assert_eq!(stored.cancel_requested, model.cancel_requested);
            assert_eq!((stored.run_at, stored.finished_at), (model.run_at, model.finished_at));
            let attempts = store.attempts(model.id).await.unwrap();
            let ended = attempts.into_iter().filter(|attempt| attempt.outcome != AttemptOutcome::Running);
            let ended = ended.map(|Attempt { number, worker, started_at, finished_at, outcome, .. }| ModelAttempt {
                number,
                worker,
                started_at,
                finished_at,
                outcome,
            });
            assert_eq!(ended.collect::<Vec<_>>(), model.attempts);
        }
    }
}
