//! Two databases that hold the same, as far as a copy goes.

use api::{JobFilter, JobState, LogRow};
use futures::TryStreamExt;
use store::{Enqueued, LogSpan, Store, StoredJob};
use tests::builders::{START, job, log_query};

/// Fails unless `copy` holds what `original` holds, after the process that ran its jobs is gone.
pub(crate) async fn assert_same(original: &dyn Store, copy: &dyn Store) {
    original.rescue_orphans(START, api::TimeMs(i64::MAX)).await.unwrap();
    assert_eq!(copy.secret().await.unwrap(), original.secret().await.unwrap());
    assert_eq!(log(copy).await, log(original).await);
    let (jobs, copied) = (unfinished(original).await, unfinished(copy).await);
    assert_eq!(copied.len(), jobs.len());
    for (job, copied) in jobs.iter().zip(&copied) {
        assert_eq!(but_for_the_loss(copied), but_for_the_loss(job));
        let (attempts, theirs) = (original.attempts(job.id).await.unwrap(), copy.attempts(job.id).await.unwrap());
        assert_eq!(theirs.len(), attempts.len(), "{job:?}");
        for (attempt, theirs) in attempts.iter().zip(&theirs) {
            assert_eq!((theirs.number, theirs.outcome), (attempt.number, attempt.outcome));
            assert_eq!((&theirs.worker, theirs.started_at), (&attempt.worker, attempt.started_at));
        }
    }
    assert_eq!(missing(copy).await, missing(original).await);
    let (ledger, copied) = (original.ledger().await.unwrap(), copy.ledger().await.unwrap());
    assert_eq!(copied, ledger, "drifts {} and {}", copied.drift(), ledger.drift());
    assert_same_kinds(original, copy).await;
    assert_numbers_go_on(original, copy).await;
}

async fn log(store: &dyn Store) -> Vec<LogRow> {
    store.log_rows(log_query(LogSpan::Newest)).try_collect().await.unwrap()
}

async fn unfinished(store: &dyn Store) -> Vec<StoredJob> {
    let page = store.jobs(JobFilter::default(), None, 10_000).await.unwrap();
    page.jobs.into_iter().filter(|job| job.state != JobState::Done).collect()
}

/// When and why an attempt was lost is told in other words by who copies than by who starts again.
fn but_for_the_loss(job: &StoredJob) -> StoredJob {
    let mut job = job.clone();
    if job.error.as_deref().is_some_and(|error| error.starts_with("The process that ran the attempt")) {
        (job.error, job.finished_at) = (None, None);
        if job.state == JobState::Waiting {
            job.run_at = START;
        }
    }
    job
}

async fn missing(store: &dyn Store) -> Vec<String> {
    let missing = store.missing_searches(1000).await.unwrap();
    let mut missing: Vec<String> = missing.iter().map(|search| format!("{search:?}")).collect();
    missing.sort();
    missing
}

async fn assert_same_kinds(original: &dyn Store, copy: &dyn Store) {
    let of = async |store: &dyn Store| -> Vec<_> {
        let kinds = store.kinds().await.unwrap();
        kinds.into_iter().map(|kind| (kind.kind, kind.paused, kind.limit)).collect()
    };
    assert_eq!(of(copy).await, of(original).await);
}

/// No number that was ever given is given again: the log speaks of jobs that are long gone.
async fn assert_numbers_go_on(original: &dyn Store, copy: &dyn Store) {
    let next = async |store: &dyn Store| match store.enqueue(job("the next")).await.unwrap() {
        Enqueued::New(id) => id,
        Enqueued::Exists(id) => panic!("it has no key, and is {id:?}"),
    };
    assert_eq!(next(copy).await, next(original).await);
}
