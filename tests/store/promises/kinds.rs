//! Kinds of jobs: registered, paused and limited.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::{JobCounts, JobId, JobState};
use futures::FutureExt;
use futures::future::join_all;
use store::{AttemptResult, ClaimedJob, JobAdmin, NewJob, Store, StoredKind, Subscription, Topic};
use tests::builders::{LEASE, START, claim, finished, job, log_job, retry, search, signed};
use tokio::task::JoinSet;

use crate::{Database, enqueue};

/// Enqueues this many jobs of a kind, one after the other.
async fn enqueue_many(store: &dyn Store, kind: &str, count: usize) -> Vec<JobId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(enqueue(store, job(kind)).await);
    }
    ids
}

async fn claim_all(store: &dyn Store) -> Vec<ClaimedJob> {
    store.claim(claim("w", 1000, START)).await.unwrap()
}

fn ids(jobs: &[ClaimedJob]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

/// Whether there was a wake-up since the last call.
fn is_woken(wake: &mut Subscription) -> bool {
    let woken = wake.changed().now_or_never().is_some();
    while wake.changed().now_or_never().is_some() {}
    woken
}

async fn until_woken(wake: &mut Subscription, why: &str) {
    let woken = tokio::time::timeout(Duration::from_secs(30), wake.changed()).await;
    woken.unwrap_or_else(|_| panic!("no wake-up although {why}"));
}

pub(crate) async fn a_kind_is_known_since_its_first_job(mut database: impl Database) {
    let store = database.store();
    assert_eq!(store.kinds().await.unwrap(), []);
    for kind in ["b", "a"] {
        assert!(!store.pause_kind(kind, &signed()).await.unwrap());
        assert!(!store.limit_kind(kind, Some(1), &signed()).await.unwrap());
    }
    enqueue_many(&*store, "b", 2).await;
    enqueue_many(&*store, "a", 1).await;
    store.accept(search(1), log_job(search(1))).await.unwrap();
    let claimed = store.claim(claim("w", 1, START)).await.unwrap();
    store.finish(vec![finished(&claimed[0], "w", AttemptResult::Done, START)]).await.unwrap();
    let expected = [
        ("a", JobCounts { waiting: 1, ..JobCounts::default() }),
        ("b", JobCounts { waiting: 1, done: 1, ..JobCounts::default() }),
        ("log_request", JobCounts { waiting: 1, ..JobCounts::default() }),
    ];
    let expected = expected.map(|(kind, counts)| StoredKind { kind: kind.into(), paused: false, limit: None, counts });
    assert_eq!(store.kinds().await.unwrap(), expected);
    // The kind remains when all its jobs are gone.
    assert!(store.delete_job(claimed[0].id, None).await.unwrap());
    let rest = claim_all(&*store).await;
    let done = rest.iter().filter(|job| job.kind == "b").map(|job| finished(job, "w", AttemptResult::Done, START));
    store.finish(done.collect()).await.unwrap();
    assert_eq!(store.prune_jobs(START.after(LEASE), 9).await.unwrap(), 1);
    assert_eq!(store.kinds().await.unwrap()[1].counts, JobCounts::default());
    drop(store);
    database.reopen().await;
    assert_eq!(database.store().kinds().await.unwrap().len(), 3);
}

pub(crate) async fn a_paused_kind_waits_while_others_run(database: impl Database) {
    let store = database.store();
    let running = enqueue_many(&*store, "paused", 1).await;
    assert_eq!(ids(&claim_all(&*store).await), running);
    assert!(store.pause_kind("paused", &signed()).await.unwrap());
    let urgent = enqueue(&*store, NewJob { priority: 9, ..job("paused") }).await;
    let waiting = enqueue_many(&*store, "paused", 3).await;
    let due = START.after(Duration::from_secs(1));
    let scheduled = enqueue(&*store, NewJob { run_at: due, ..job("paused") }).await;
    let others = enqueue_many(&*store, "other", 2).await;
    // Even if its jobs have the highest priority.
    assert_eq!(ids(&store.claim(claim("w", 1, START)).await.unwrap()), others[..1]);
    assert_eq!(ids(&store.claim(claim("w", 9, due)).await.unwrap()), others[1..]);
    assert_eq!(store.claim(claim("w", 9, due)).await.unwrap(), []);
    // Its running job continues.
    assert_eq!(store.job(running[0]).await.unwrap().expect("there").state, JobState::Running);
    let kinds = store.kinds().await.unwrap();
    assert_eq!(kinds.iter().map(|kind| kind.paused).collect::<Vec<_>>(), [false, true]);
    assert!(store.resume_kind("paused", &signed()).await.unwrap());
    let resumed = [&[urgent], &waiting[..], &[scheduled]].concat();
    assert_eq!(ids(&store.claim(claim("w", 9, due)).await.unwrap()), resumed);
}

pub(crate) async fn set_paused(store: &dyn Store, kind: &str, paused: bool) -> bool {
    if paused {
        store.pause_kind(kind, &signed()).await.unwrap()
    } else {
        store.resume_kind(kind, &signed()).await.unwrap()
    }
}

pub(crate) async fn pausing_twice_is_pausing_once(database: impl Database) {
    let store = database.store();
    let waiting = enqueue_many(&*store, "a", 1).await;
    for paused in [true, true, false, false] {
        assert!(set_paused(&*store, "a", paused).await);
        assert_eq!(store.kinds().await.unwrap()[0].paused, paused);
    }
    assert_eq!(ids(&claim_all(&*store).await), waiting);
}

pub(crate) async fn a_limit_counts_the_running_jobs_of_all_workers(database: impl Database) {
    let store = database.store();
    enqueue_many(&*store, "limited", 6).await;
    let other = enqueue_many(&*store, "other", 1).await;
    assert!(store.limit_kind("limited", Some(3), &signed()).await.unwrap());
    let first = store.claim(claim("w1", 2, START)).await.unwrap();
    assert_eq!(first.len(), 2);
    // One more of the limited kind, and the next job of another.
    let second = store.claim(claim("w2", 9, START)).await.unwrap();
    assert_eq!(second.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["limited", "other"]);
    assert_eq!(second[1].id, other[0]);
    assert_eq!(store.claim(claim("w1", 9, START)).await.unwrap(), []);
    // Every ended job frees a slot, whatever its outcome.
    let now = START.after(Duration::from_secs(1));
    store.finish(vec![finished(&first[0], "w1", AttemptResult::Done, now)]).await.unwrap();
    assert_eq!(store.claim(claim("w3", 9, now)).await.unwrap().len(), 1);
    store.finish(vec![finished(&first[1], "w1", retry("failed"), now)]).await.unwrap();
    assert_eq!(store.claim(claim("w3", 9, now)).await.unwrap().len(), 1);
    assert_eq!(store.claim(claim("w3", 9, now)).await.unwrap(), []);
    let expired = now.after(LEASE + Duration::from_millis(1));
    assert_eq!(store.expire_leases(expired).await.unwrap(), 4);
    assert_eq!(store.claim(claim("w3", 9, expired)).await.unwrap().len(), 4);
    let running: Vec<u64> = store.kinds().await.unwrap().iter().map(|kind| kind.counts.running).collect();
    assert_eq!(running, [3, 1]);
}

pub(crate) async fn a_limit_can_be_raised_lowered_and_lifted(database: impl Database) {
    let store = database.store();
    enqueue_many(&*store, "a", 9).await;
    let mut claimed = Vec::new();
    for (limit, more) in [(Some(0), 0), (Some(2), 2), (Some(4), 2), (Some(1), 0), (Some(5), 1), (None, 4)] {
        assert!(store.limit_kind("a", limit, &signed()).await.unwrap());
        assert_eq!(store.kinds().await.unwrap()[0].limit, limit);
        let now = claim_all(&*store).await;
        assert_eq!(now.len(), more, "under the limit {limit:?}, with {} running", claimed.len());
        claimed.extend(ids(&now));
    }
    assert!(claimed.is_sorted());
    assert!(store.limit_kind("a", Some(u32::MAX), &signed()).await.unwrap());
    assert_eq!(store.kinds().await.unwrap()[0].limit, Some(u32::MAX));
}

pub(crate) async fn the_most_urgent_of_all_kinds_come_first_within_their_limits(database: impl Database) {
    let store = database.store();
    let mut made = Vec::new();
    for (priority, kind) in [(0, "a"), (0, "b"), (1, "a"), (1, "c"), (2, "a"), (0, "c"), (-1, "b")] {
        made.push(enqueue(&*store, NewJob { priority, ..job(kind) }).await);
    }
    assert!(store.limit_kind("a", Some(2), &signed()).await.unwrap());
    let claimed = store.claim(claim("w", 4, START)).await.unwrap();
    assert_eq!(ids(&claimed), [made[4], made[2], made[3], made[1]]);
    assert_eq!(ids(&claim_all(&*store).await), [made[5], made[6]]);
    store.finish(vec![finished(&claimed[0], "w", AttemptResult::Done, START)]).await.unwrap();
    assert_eq!(ids(&claim_all(&*store).await), [made[0]]);
}

/// The most jobs that may run at a time in [`a_limit_holds_for_concurrent_claims`].
const CROWD_LIMIT: usize = 5;

pub(crate) async fn a_limit_holds_for_concurrent_claims(database: impl Database) {
    let store = database.store();
    join_all((0..200).map(|_| enqueue(&*store, job("limited")))).await;
    assert!(store.limit_kind("limited", Some(5), &signed()).await.unwrap());
    let running = Arc::new(AtomicUsize::new(0));
    let done = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for number in 0..8 {
        let (store, running, done) = (database.store(), Arc::clone(&running), Arc::clone(&done));
        workers.spawn(async move {
            let name = format!("w{number}");
            while done.load(Ordering::SeqCst) < 200 {
                let claimed = store.claim(claim(&name, 3, START)).await.unwrap();
                let now = running.fetch_add(claimed.len(), Ordering::SeqCst) + claimed.len();
                assert!(now <= CROWD_LIMIT, "{now} run at the same time");
                tokio::task::yield_now().await;
                // Counted down first, because another worker may claim the free slot before this returns.
                running.fetch_sub(claimed.len(), Ordering::SeqCst);
                let ends = claimed.iter().map(|job| finished(job, &name, AttemptResult::Done, START)).collect();
                let stored = store.finish(ends).await.unwrap();
                done.fetch_add(usize::try_from(stored).unwrap(), Ordering::SeqCst);
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    assert_eq!(store.job_counts().await.unwrap(), JobCounts { done: 200, ..JobCounts::default() });
}

pub(crate) async fn free_slots_of_a_limited_kind_notify_workers(database: impl Database) {
    let store = database.store();
    enqueue_many(&*store, "a", 8).await;
    let mut work = store.subscribe(Topic::Work);
    let mut jobs = store.subscribe(Topic::Jobs);
    assert!(store.limit_kind("a", Some(1), &signed()).await.unwrap());
    until_woken(&mut jobs, "there is a limit").await;
    let [claimed] = &store.claim(claim("w", 9, START)).await.unwrap()[..] else { panic!("one may run") };
    is_woken(&mut work);
    store.finish(vec![finished(claimed, "w", AttemptResult::Done, START)]).await.unwrap();
    until_woken(&mut work, "the next may run").await;
    let [claimed] = &store.claim(claim("w", 9, START)).await.unwrap()[..] else { panic!("one may run") };
    assert!(store.limit_kind("a", Some(2), &signed()).await.unwrap());
    until_woken(&mut work, "the limit was raised").await;
    store.claim(claim("w", 1, START)).await.unwrap();
    assert!(store.limit_kind("a", None, &signed()).await.unwrap());
    until_woken(&mut work, "the limit was lifted").await;
    is_woken(&mut jobs);
    assert!(store.pause_kind("a", &signed()).await.unwrap());
    until_woken(&mut jobs, "the kind was paused").await;
    assert!(!is_woken(&mut work), "there is nothing to claim");
    store.finish(vec![finished(claimed, "w", AttemptResult::Done, START)]).await.unwrap();
    assert!(!is_woken(&mut work), "a kind without a limit always has free slots");
    is_woken(&mut jobs);
    assert!(store.resume_kind("a", &signed()).await.unwrap());
    until_woken(&mut jobs, "the kind was resumed").await;
    until_woken(&mut work, "they may run again").await;
    assert!(
        !store.resume_kind("b", &signed()).await.unwrap() && !store.limit_kind("b", None, &signed()).await.unwrap()
    );
    assert!(!is_woken(&mut jobs) && !is_woken(&mut work), "nothing was changed");
}

pub(crate) async fn the_settings_of_a_kind_survive_a_reopening(mut database: impl Database) {
    let store = database.store();
    enqueue_many(&*store, "limited", 3).await;
    enqueue_many(&*store, "paused", 3).await;
    assert!(store.limit_kind("limited", Some(2), &signed()).await.unwrap());
    assert!(store.pause_kind("paused", &signed()).await.unwrap());
    let before = store.kinds().await.unwrap();
    assert_eq!(store.claim(claim("w", 1, START)).await.unwrap().len(), 1);
    drop(store);
    database.reopen().await;
    let store = database.store();
    let after = store.kinds().await.unwrap();
    let decided = |kinds: &[StoredKind]| -> Vec<_> { kinds.iter().map(|kind| (kind.paused, kind.limit)).collect() };
    assert_eq!(decided(&after), decided(&before));
    assert_eq!(decided(&after), [(false, Some(2)), (true, None)]);
    // The job that an earlier process claimed still counts.
    let claimed = claim_all(&*store).await;
    assert_eq!(claimed.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["limited"]);
}

pub(crate) async fn a_kind_is_registered_once(mut database: impl Database) {
    let store = database.store();
    let limits = async |store: &dyn JobAdmin| -> Vec<(String, Option<u32>)> {
        store.kinds().await.unwrap().into_iter().map(|kind| (kind.kind, kind.limit)).collect()
    };
    let named =
        |kinds: &[(&str, Option<u32>)]| kinds.iter().map(|&(kind, limit)| (kind.to_owned(), limit)).collect::<Vec<_>>();
    let mut jobs = store.subscribe(Topic::Jobs);
    store.register_kind("lab", Some(1)).await.unwrap();
    tokio::time::timeout(Duration::ZERO, jobs.changed()).await.expect("there is one kind more");
    assert_eq!(limits(&*store).await, named(&[("lab", Some(1))]));
    // The limit applies to the first job already.
    for _ in 0..3 {
        store.enqueue(job("lab")).await.unwrap();
    }
    assert_eq!(store.claim(claim("w", 9, START)).await.unwrap().len(), 1);
    assert!(store.limit_kind("lab", Some(2), &signed()).await.unwrap());
    assert!(store.pause_kind("lab", &signed()).await.unwrap());
    drop(store);
    database.reopen().await;
    let store = database.store();
    store.register_kind("lab", Some(1)).await.unwrap();
    store.register_kind("lab", None).await.unwrap();
    assert_eq!(limits(&*store).await, named(&[("lab", Some(2))]));
    assert!(store.kinds().await.unwrap()[0].paused);
    // Registering does not set a limit on a kind that already exists.
    store.enqueue(job("probe")).await.unwrap();
    store.register_kind("probe", Some(1)).await.unwrap();
    assert_eq!(limits(&*store).await, named(&[("lab", Some(2)), ("probe", None)]));
}
