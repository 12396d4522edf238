//! Which worker claims which job, and for how long.

use std::collections::HashSet;
use std::time::Duration;

use api::{JobId, JobState};
use futures::future::join_all;
use store::{ClaimedJob, NewJob};
use tests::builders::{LEASE, START, claim, finished, job, retry, signed, worker};

use crate::{Database, enqueue};

fn ids(jobs: &[ClaimedJob]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

pub(crate) async fn the_most_urgent_and_then_the_oldest_come_first(database: impl Database) {
    let store = database.store();
    let mut expected = Vec::new();
    for priority in [0, 5, -3, 5, 0, i16::MIN, i16::MAX] {
        expected.push((priority, enqueue(&*store, NewJob { priority, ..job("a") }).await));
    }
    expected.sort_by_key(|&(priority, id)| (std::cmp::Reverse(priority), id));
    let expected: Vec<JobId> = expected.into_iter().map(|(_, id)| id).collect();
    let mut claimed = ids(&store.claim(claim("w", 3, START)).await.unwrap());
    claimed.extend(ids(&store.claim(claim("w", 10, START)).await.unwrap()));
    assert_eq!(claimed, expected);
}

pub(crate) async fn a_claim_takes_no_more_than_its_limit(database: impl Database) {
    let store = database.store();
    for _ in 0..3 {
        enqueue(&*store, job("a")).await;
    }
    assert_eq!(store.claim(claim("w", 0, START)).await.unwrap(), []);
    assert_eq!(store.claim(claim("w", 2, START)).await.unwrap().len(), 2);
    assert_eq!(store.claim(claim("w", 2, START)).await.unwrap().len(), 1);
    assert_eq!(store.claim(claim("w", 2, START)).await.unwrap(), []);
}

pub(crate) async fn no_job_is_claimed_twice(database: impl Database) {
    let store = database.store();
    join_all((0..500).map(|_| enqueue(&*store, job("a")))).await;
    let names: Vec<String> = (0..50).map(|number| format!("w{number}")).collect();
    let claims = join_all(names.iter().map(|name| store.claim(claim(name, 10, START)))).await;
    let claimed: Vec<JobId> = claims.into_iter().flat_map(|jobs| ids(&jobs.unwrap())).collect();
    assert_eq!(claimed.len(), 500);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 500);
    assert_eq!(store.job_counts().await.unwrap().running, 500);
}

pub(crate) async fn jobs_that_arrive_during_claims_are_claimed_once_and_complete(database: impl Database) {
    let store = database.store();
    enqueue(&*store, NewJob { key: Some("first".to_owned()), ..job("limited") }).await;
    assert!(store.limit_kind("limited", Some(1), &signed()).await.unwrap());
    let mut claimed = Vec::new();
    for round in 0..20 {
        let added = join_all((0..30_i16).map(|number| {
            let kind = ["a", "b", "limited"][number as usize % 3];
            let payload = format!(r#"{{"round":{round},"number":{number}}}"#);
            let new =
                NewJob { payload, priority: number % 4, key: Some(format!("{round} {}", number % 27)), ..job(kind) };
            store.enqueue(new)
        }));
        let (_, first, second) =
            tokio::join!(added, store.claim(claim("w", 40, START)), store.claim(claim("v", 5, START)));
        for (worker, jobs) in [("w", first.unwrap()), ("v", second.unwrap())] {
            claimed.extend(jobs.into_iter().map(|job| (worker, job)));
        }
    }
    loop {
        let rest = store.claim(claim("w", 1000, START)).await.unwrap();
        if rest.is_empty() {
            break;
        }
        claimed.extend(rest.into_iter().map(|job| ("w", job)));
    }
    let new = claimed.iter().map(|(_, job)| job.id).collect::<HashSet<_>>();
    assert_eq!(new.len(), claimed.len(), "some were claimed twice");
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.running, counts.waiting + counts.running), (claimed.len() as u64, 1 + 20 * 27));
    assert_eq!(claimed.iter().filter(|(_, job)| job.kind == "limited").count(), 1);
    for (name, job) in &claimed {
        let stored = store.job(job.id).await.unwrap().expect("there");
        assert_eq!((stored.state, stored.worker), (JobState::Running, Some(worker(name))));
        assert_eq!((&stored.kind, &stored.payload), (&job.kind, &job.payload));
        assert_eq!((stored.attempt, job.attempt, job.max_attempts), (1, 1, stored.max_attempts));
        assert_eq!((stored.started_at, stored.finished_at, stored.error), (Some(START), None, None));
    }
    // The jobs have the leases of their claims.
    assert_eq!(store.expire_leases(START.after(LEASE)).await.unwrap(), 0);
    assert_eq!(store.expire_leases(START.after(LEASE + Duration::from_millis(1))).await.unwrap(), claimed.len() as u64);
}

pub(crate) async fn scheduled_and_retrying_jobs_are_claimed_once_due(database: impl Database) {
    let store = database.store();
    let failed = enqueue(&*store, job("a")).await;
    let [claimed] = &store.claim(claim("w", 1, START)).await.unwrap()[..] else { panic!("one waits") };
    store.finish(vec![finished(claimed, "w", retry("no"), START)]).await.unwrap();
    let due = START.after(Duration::from_secs(10));
    let scheduled = enqueue(&*store, NewJob { run_at: due, priority: 1, ..job("a") }).await;
    assert_eq!(store.next_due().await.unwrap(), Some(due));
    assert_eq!(store.claim(claim("w", 9, START.after(Duration::from_millis(9_999)))).await.unwrap(), []);
    let claimed = store.claim(claim("w", 9, due)).await.unwrap();
    assert_eq!(ids(&claimed), [scheduled, failed]);
    assert_eq!(claimed.iter().map(|job| job.attempt).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub(crate) async fn a_claimed_job_is_shown_as_running(database: impl Database) {
    let store = database.store();
    let id = enqueue(&*store, job("a")).await;
    let claimed = store.claim(claim("w", 1, START)).await.unwrap();
    let expected = ClaimedJob { id, kind: "a".to_owned(), payload: job("a").payload, attempt: 1, max_attempts: 3 };
    assert_eq!(claimed, [expected]);
    let shown = store.job(id).await.unwrap().expect("there");
    assert_eq!((shown.state, shown.worker, shown.attempt), (JobState::Running, Some(worker("w")), 1));
    assert_eq!((shown.started_at, shown.finished_at), (Some(START), None));
    let [attempt] = &store.attempts(id).await.unwrap()[..] else { panic!("one attempt runs") };
    assert_eq!((attempt.number, attempt.outcome), (1, api::AttemptOutcome::Running));
    assert_eq!((attempt.worker.as_str(), attempt.started_at, attempt.finished_at), ("w", START, None));
}

pub(crate) async fn leases_are_renewed_only_for_their_holder(database: impl Database) {
    let store = database.store();
    for _ in 0..3 {
        enqueue(&*store, job("a")).await;
    }
    let mine = ids(&store.claim(claim("mine", 2, START)).await.unwrap());
    let theirs = ids(&store.claim(claim("theirs", 1, START)).await.unwrap());
    let until = START.after(LEASE * 2);
    let asked = [mine[0], theirs[0], JobId(999)];
    assert_eq!(store.renew_leases(&worker("mine"), &asked, until).await.unwrap(), [theirs[0], JobId(999)]);
    // After the end of the first lease only the renewed job is still held.
    assert_eq!(store.expire_leases(START.after(LEASE + Duration::from_millis(1))).await.unwrap(), 2);
    assert_eq!(store.job(mine[0]).await.unwrap().expect("there").state, JobState::Running);
    assert_eq!(store.renew_leases(&worker("mine"), &mine, until).await.unwrap(), [mine[1]]);
}
