//! The databases' contents: a random history, and a comparison of two databases.

use std::time::Duration;

use api::{JobState, LogRow, TimeMs};
use fastrand::Rng;
use futures::TryStreamExt;
use store::{
    AttemptResult, ClaimedJob, Enqueued, JobSelection, LogEntry, LogSpan, NewAccount, NewJob, SearchRecord, Store,
    StoredJob, WORKER_STOPPED,
};
use tests::builders::{
    START, account, claim, finished, job, log_entry_of, log_job, log_query, retry, search, search_record, signed,
};
use tests::corpus::corpus;

/// Makes `steps` random changes, as servers and administrators do.
pub(crate) async fn play(store: &dyn Store, steps: usize, random: &mut Rng) {
    let mut running: Vec<ClaimedJob> = Vec::new();
    for step in 0..steps {
        let now = START.after(Duration::from_secs(step as u64));
        match random.u8(0..12) {
            0..4 => accept(store, random.u128(0..60), now).await,
            4..6 => running.extend(store.claim(claim("w", random.u32(1..4), now)).await.unwrap()),
            6..8 if !running.is_empty() => {
                let job = running.swap_remove(random.usize(0..running.len()));
                end(store, &job, now, random).await;
            }
            8 => other_job(store, step, now, random).await,
            9 => admin_action(store, now, random).await,
            10 => {
                let pruned = store.prune_jobs(now, 2).await.unwrap();
                assert!(pruned <= 2);
            }
            _ => {
                let new = NewAccount { name: format!("user{}", random.u8(..)), ..account("any") };
                store.create_account(new, &signed()).await.unwrap();
            }
        }
    }
}

async fn accept(store: &dyn Store, number: u128, now: TimeMs) {
    store.accept(search(number), NewJob { run_at: now, now, ..log_job(search(number)) }).await.unwrap();
}

async fn end(store: &dyn Store, job: &ClaimedJob, now: TimeMs, random: &mut Rng) {
    let payload: serde_json::Value = serde_json::from_str(&job.payload).unwrap();
    match (random.u8(0..6), payload["search"].as_str()) {
        (0..3, Some(id)) => {
            let hostile = random.choice(corpus()).unwrap();
            store.record(entry(id, &hostile.text), finished(job, "w", AttemptResult::Done, now)).await.unwrap();
        }
        (3, _) => drop(store.finish(vec![finished(job, "w", retry("again: \\ 'é\u{202e}"), now)]).await.unwrap()),
        (4, _) => {
            let dead = AttemptResult::Dead { error: "\\0 for \0 good \\".to_owned() };
            store.finish(vec![finished(job, "w", dead, now)]).await.unwrap();
        }
        (5, _) => drop(store.finish(vec![finished(job, "w", AttemptResult::Release, now)]).await.unwrap()),
        // Includes log jobs that are done without a row: their searches are missing.
        _ => drop(store.finish(vec![finished(job, "w", AttemptResult::Done, now)]).await.unwrap()),
    }
}

/// The row of a search for `text`, which fills every column that a visitor controls.
fn entry(search: &str, text: &str) -> LogEntry {
    let some: String = text.chars().take(1000).collect();
    log_entry_of(SearchRecord {
        letters: some.clone(),
        results: format!("{{{some:?}}}"),
        browser_family: some.clone(),
        user_agent: some,
        ..search_record(search.parse().unwrap(), text)
    })
}

async fn other_job(store: &dyn Store, step: usize, now: TimeMs, random: &mut Rng) {
    let kind = *random.choice(&["nightly", "hourly"]).unwrap();
    let new = NewJob {
        key: random.bool().then(|| step.to_string()),
        payload: format!(r#"{{"step":{step},"text":"\\u0000 é 🦀"}}"#),
        priority: random.i16(-3..4),
        max_attempts: 2,
        run_at: now.after(Duration::from_secs(random.u64(0..100))),
        now,
        ..job(kind)
    };
    store.enqueue(new).await.unwrap();
    if random.bool() {
        store.pause_kind(kind, &signed()).await.unwrap();
    } else {
        store.resume_kind(kind, &signed()).await.unwrap();
    }
    store.limit_kind(kind, random.bool().then(|| random.u32(0..9)), &signed()).await.unwrap();
}

async fn admin_action(store: &dyn Store, now: TimeMs, random: &mut Rng) {
    let jobs = store.jobs(store::JobSelection::default(), None, 500).await.unwrap().jobs;
    let Some(job) = random.choice(&jobs) else { return };
    if random.bool() || job.state == JobState::Done {
        store.retry_job(job.id, now, &signed()).await.unwrap();
    } else {
        store.cancel_job(job.id, now, Some(&signed())).await.unwrap();
    }
}

/// Panics unless `copy` holds what `original` holds after its process has died.
pub(crate) async fn assert_same(original: &dyn Store, copy: &dyn Store) {
    original.rescue_orphans(START, api::TimeMs(i64::MAX)).await.unwrap();
    assert_eq!(copy.secret().await.unwrap(), original.secret().await.unwrap());
    assert_eq!(log(copy).await, log(original).await);
    let (jobs, copied) = (unfinished(original).await, unfinished(copy).await);
    assert_eq!(copied.len(), jobs.len());
    for (job, copied) in jobs.iter().zip(&copied) {
        assert_eq!(without_loss(copied), without_loss(job));
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
    assert_ids_continue(original, copy).await;
}

async fn log(store: &dyn Store) -> Vec<LogRow> {
    store.log_rows(log_query(LogSpan::Newest)).try_collect().await.unwrap()
}

async fn unfinished(store: &dyn Store) -> Vec<StoredJob> {
    let page = store.jobs(JobSelection::default(), None, 10_000).await.unwrap();
    page.jobs.into_iter().filter(|job| job.state != JobState::Done).collect()
}

/// Removes when an attempt was lost, which a copy and a restart describe differently.
fn without_loss(job: &StoredJob) -> StoredJob {
    let mut job = job.clone();
    if job.error.as_deref() == Some(WORKER_STOPPED) {
        job.finished_at = None;
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

/// No id is used twice: the log refers to jobs that were pruned.
async fn assert_ids_continue(original: &dyn Store, copy: &dyn Store) {
    let next = async |store: &dyn Store| match store.enqueue(job("the next")).await.unwrap() {
        Enqueued::New(id) => id,
        Enqueued::Exists(id) => panic!("it has no key, and is {id:?}"),
    };
    assert_eq!(next(copy).await, next(original).await);
}
