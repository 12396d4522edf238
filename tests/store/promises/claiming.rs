//! Who gets which job, and for how long.

use std::collections::HashSet;
use std::time::Duration;

use api::{JobId, JobState};
use futures::future::join_all;
use store::{ClaimedJob, Enqueued, NewJob, Store};
use tests::builders::{LEASE, START, claim, finished, job, retry, worker};

use crate::database::Database;

async fn enqueue(store: &dyn Store, job: NewJob) -> JobId {
    match store.enqueue(job).await.unwrap() {
        Enqueued::New(id) => id,
        Enqueued::Exists(id) => panic!("{id:?} is there already"),
    }
}

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

pub(crate) async fn no_job_is_handed_out_twice(database: impl Database) {
    let store = database.store();
    join_all((0..500).map(|_| enqueue(&*store, job("a")))).await;
    let names: Vec<String> = (0..50).map(|number| format!("w{number}")).collect();
    let claims = join_all(names.iter().map(|name| store.claim(claim(name, 10, START)))).await;
    let claimed: Vec<JobId> = claims.into_iter().flat_map(|jobs| ids(&jobs.unwrap())).collect();
    assert_eq!(claimed.len(), 500);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 500);
    assert_eq!(store.job_counts().await.unwrap().running, 500);
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

pub(crate) async fn leases_are_prolonged_only_for_who_holds_them(database: impl Database) {
    let store = database.store();
    for _ in 0..3 {
        enqueue(&*store, job("a")).await;
    }
    let mine = ids(&store.claim(claim("mine", 2, START)).await.unwrap());
    let theirs = ids(&store.claim(claim("theirs", 1, START)).await.unwrap());
    let until = START.after(LEASE * 2);
    let asked = [mine[0], theirs[0], JobId(999)];
    assert_eq!(store.extend(&worker("mine"), &asked, until).await.unwrap(), [theirs[0], JobId(999)]);
    // After the first lease's end only what was prolonged is still held.
    assert_eq!(store.expire(START.after(LEASE + Duration::from_millis(1))).await.unwrap(), 2);
    assert_eq!(store.job(mine[0]).await.unwrap().expect("there").state, JobState::Running);
    assert_eq!(store.extend(&worker("mine"), &mine, until).await.unwrap(), [mine[1]]);
}
