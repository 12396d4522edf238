//! Lists of jobs, positions, pruning and wake-ups.

use std::time::Duration;

use api::{JobCounts, JobId, JobState};
use store::{AttemptResult, JobPosition, JobSelection, NewJob, Store, Subscription, Topic};
use tests::builders::{START, claim, finished, job, log_entry, log_job, no_attempt, search, signed};

use crate::{Database, enqueue};

async fn enqueue_many(store: &dyn Store, count: usize) {
    for _ in 0..count {
        store.enqueue(job("a")).await.unwrap();
    }
}

async fn all_pages(store: &dyn Store, filter: JobSelection, limit: u32) -> Vec<JobId> {
    let (mut ids, mut before) = (Vec::new(), None);
    loop {
        let page = store.jobs(filter.clone(), before, limit).await.unwrap();
        assert!(page.jobs.len() <= limit as usize);
        ids.extend(page.jobs.iter().map(|job| job.id));
        match page.next {
            Some(next) => before = Some(next),
            None => return ids,
        }
    }
}

pub(crate) async fn pages_go_from_the_newest_job_down_without_gaps(database: impl Database) {
    let store = database.store();
    assert!(all_pages(&*store, JobSelection::default(), 3).await.is_empty());
    enqueue_many(&*store, 9).await;
    for limit in [1, 2, 3, 4, 9, 10, u32::MAX] {
        let ids = all_pages(&*store, JobSelection::default(), limit).await;
        assert_eq!(ids.len(), 9);
        assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    }
}

pub(crate) async fn pages_can_show_one_state(database: impl Database) {
    let store = database.store();
    enqueue_many(&*store, 9).await;
    let running = store.claim(claim("w", 4, START)).await.unwrap();
    let mut expected: Vec<JobId> = running.iter().map(|job| job.id).collect();
    expected.reverse();
    let only = |state| JobSelection { state: Some(state), ..JobSelection::default() };
    assert_eq!(all_pages(&*store, only(JobState::Running), 3).await, expected);
    assert_eq!(all_pages(&*store, only(JobState::Waiting), 2).await.len(), 5);
    assert!(all_pages(&*store, only(JobState::Dead), 2).await.is_empty());
}

pub(crate) async fn pages_can_show_one_kind(database: impl Database) {
    let store = database.store();
    let (mut searches, mut labs) = (Vec::new(), Vec::new());
    for number in 0..5 {
        labs.push(enqueue(&*store, job("lab")).await);
        searches.push(enqueue(&*store, log_job(search(number))).await);
        store.enqueue(job("probe")).await.unwrap();
    }
    let running: Vec<JobId> = store.claim(claim("w", 7, START)).await.unwrap().iter().map(|job| job.id).collect();
    for (kind, mut ids) in [("lab", labs), ("log_request", searches)] {
        ids.reverse();
        let (run, wait): (Vec<JobId>, Vec<JobId>) = ids.iter().partition(|id| running.contains(id));
        assert!(!run.is_empty() && !wait.is_empty());
        let of_kind = |state| JobSelection { state, kind: Some(kind.to_owned()) };
        for limit in [1, 2, 5, 9] {
            assert_eq!(all_pages(&*store, of_kind(None), limit).await, ids, "{kind}");
            assert_eq!(all_pages(&*store, of_kind(Some(JobState::Running)), limit).await, run, "{kind}");
            assert_eq!(all_pages(&*store, of_kind(Some(JobState::Waiting)), limit).await, wait, "{kind}");
        }
        assert_eq!(all_pages(&*store, of_kind(Some(JobState::Dead)), 9).await, []);
    }
    let nothing = JobSelection { kind: Some("nothing".to_owned()), ..JobSelection::default() };
    assert_eq!(all_pages(&*store, nothing, 9).await, []);
}

pub(crate) async fn a_position_counts_the_jobs_ahead(database: impl Database) {
    let store = database.store();
    store.enqueue(NewJob { priority: -1, ..job("a") }).await.unwrap();
    store.accept(search(1), log_job(search(1))).await.unwrap();
    store.accept(search(2), log_job(search(2))).await.unwrap();
    store.enqueue(NewJob { priority: 1, ..job("a") }).await.unwrap();
    let key = search(2).to_string();
    let place = store.position("log_request", &key).await.unwrap().expect("accepted");
    let JobPosition { state, attempt, ahead, is_paused, created_at, started_at, .. } = place;
    assert_eq!((state, attempt, ahead, is_paused), (JobState::Waiting, 0, 2, false));
    assert_eq!((created_at, started_at), (START, None));
    store.claim(claim("w", 2, START)).await.unwrap();
    assert_eq!(store.position("log_request", &key).await.unwrap().expect("accepted").ahead, 0);
    store.claim(claim("w", 1, START)).await.unwrap();
    let place = store.position("log_request", &key).await.unwrap().expect("accepted");
    assert_eq!((place.state, place.attempt, place.ahead), (JobState::Running, 1, 0));
    assert_eq!(place.started_at, Some(START));
    store.pause_kind("log_request", &signed()).await.unwrap();
    assert!(store.position("log_request", &key).await.unwrap().expect("accepted").is_paused);
}

pub(crate) async fn missing_jobs_are_none(database: impl Database) {
    let store = database.store();
    assert_eq!(store.job(JobId(1)).await.unwrap(), None);
    assert_eq!(store.attempts(JobId(1)).await.unwrap(), []);
    assert_eq!(store.position("log_request", "1").await.unwrap(), None);
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(store.job_counts().await.unwrap(), JobCounts::default());
    assert_eq!(store.claim(claim("w", 1, START)).await.unwrap(), []);
    assert_eq!(store.expire_leases(START).await.unwrap(), 0);
    assert_eq!(store.finish(Vec::new()).await.unwrap(), 0);
}

pub(crate) async fn only_jobs_that_ended_well_are_pruned(database: impl Database) {
    let store = database.store();
    enqueue_many(&*store, 7).await;
    let at = |seconds| START.after(Duration::from_secs(seconds));
    let claimed = store.claim(claim("w", 5, START)).await.unwrap();
    let dead = AttemptResult::Dead { error: "no".to_owned() };
    let ends = [
        (AttemptResult::Done, 1),
        (AttemptResult::Done, 2),
        (AttemptResult::Cancelled, 3),
        (dead, 1),
        (AttemptResult::Done, 9),
    ];
    let ends = claimed.iter().zip(ends).map(|(job, (finish, end))| finished(job, "w", finish, at(end)));
    store.finish(ends.collect()).await.unwrap();
    assert_eq!(store.prune_jobs(at(1), 9).await.unwrap(), 0);
    assert_eq!(store.prune_jobs(at(5), 2).await.unwrap(), 2);
    assert_eq!(store.prune_jobs(at(5), 2).await.unwrap(), 1);
    assert_eq!(store.prune_jobs(at(5), 2).await.unwrap(), 0);
    let left = JobCounts { waiting: 2, done: 1, dead: 1, ..JobCounts::default() };
    assert_eq!(store.job_counts().await.unwrap(), left);
    assert_eq!(store.attempts(claimed[0].id).await.unwrap(), []);
    assert_eq!(store.attempts(claimed[4].id).await.unwrap().len(), 1);
}

async fn is_woken(wake: &mut Subscription) -> bool {
    tokio::time::timeout(Duration::ZERO, wake.changed()).await.is_ok()
}

/// The topics that changed since the last call.
async fn woken(wakes: &mut [(Topic, Subscription)]) -> Vec<Topic> {
    let mut woken = Vec::new();
    for (topic, wake) in wakes {
        if is_woken(wake).await {
            woken.push(*topic);
        }
    }
    woken
}

pub(crate) async fn an_idle_queue_sends_no_wake_up(database: impl Database) {
    let store = database.store();
    enqueue_many(&*store, 1).await;
    store.claim(claim("w", 1, START)).await.unwrap();
    let mut wakes = Topic::ALL.map(|topic| (topic, store.subscribe(topic)));
    store.claim(claim("w", 1, START)).await.unwrap();
    store.expire_leases(START).await.unwrap();
    store.finish(Vec::new()).await.unwrap();
    store.renew_leases(&tests::builders::worker("w"), &[JobId(1)], START).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(woken(&mut wakes).await, []);
}

pub(crate) async fn wake_ups_come_after_the_commit_and_only_for_changed_topics(database: impl Database) {
    let store = database.store();
    let mut wakes = Topic::ALL.map(|topic| (topic, store.subscribe(topic)));
    // A wake-up comes after the commit, so the reader sees the written rows.
    let mut work = store.subscribe(Topic::Work);
    let reader = tokio::spawn({
        let store = database.store();
        async move {
            work.changed().await;
            store.job_counts().await.unwrap().waiting
        }
    });
    store.accept(search(1), log_job(search(1))).await.unwrap();
    assert_eq!(reader.await.unwrap(), 1);
    assert_eq!(woken(&mut wakes).await, [Topic::Jobs, Topic::Work]);
    store.accept(search(1), log_job(search(1))).await.unwrap();
    assert_eq!(woken(&mut wakes).await, []);
    let claimed = store.claim(claim("w", 1, START)).await.unwrap();
    assert_eq!(woken(&mut wakes).await, [Topic::Jobs]);
    store.cancel_job(claimed[0].id, START, Some(&signed())).await.unwrap();
    assert_eq!(woken(&mut wakes).await, [Topic::Jobs, Topic::Cancel]);
    store.record(log_entry(search(1), "life"), no_attempt()).await.unwrap();
    assert_eq!(woken(&mut wakes).await, [Topic::Log]);
    store.record(log_entry(search(1), "life"), no_attempt()).await.unwrap();
    assert_eq!(woken(&mut wakes).await, []);
    store.finish(vec![finished(&claimed[0], "w", AttemptResult::Done, START)]).await.unwrap();
    assert_eq!(woken(&mut wakes).await, [Topic::Jobs]);
    store.retry_job(claimed[0].id, START, &signed()).await.unwrap();
    assert_eq!(woken(&mut wakes).await, [Topic::Jobs, Topic::Work]);
}
