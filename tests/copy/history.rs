//! Databases in which much has happened.

use std::time::Duration;

use api::{JobState, TimeMs};
use fastrand::Rng;
use store::{AttemptResult, ClaimedJob, LogEntry, NewAccount, NewJob, Store};
use tests::builders::{START, account, claim, finished, job, log_entry, log_job, retry, search};
use tests::corpus::corpus;

/// Plays `steps` random steps of servers and administrators.
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
            9 => steer(store, now, random).await,
            10 => {
                let pruned = store.prune_jobs(now, 2).await.unwrap();
                assert!(pruned <= 2);
            }
            _ => {
                let new = NewAccount { name: format!("user{}", random.u8(..)), ..account("any") };
                store.create_account(new).await.unwrap();
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
        // Also a log job that is done without a row: its search is missing.
        _ => drop(store.finish(vec![finished(job, "w", AttemptResult::Done, now)]).await.unwrap()),
    }
}

/// The row of a search for `text`, which is everywhere in it where a stranger's text may be.
fn entry(search: &str, text: &str) -> LogEntry {
    let some: String = text.chars().take(1000).collect();
    LogEntry {
        letters: some.clone(),
        results: format!("{{{some:?}}}"),
        browser_string: some.clone(),
        user_agent: some,
        ..log_entry(search.parse().unwrap(), text)
    }
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
    store.pause_kind(kind, random.bool()).await.unwrap();
    store.limit_kind(kind, random.bool().then(|| random.u32(0..9))).await.unwrap();
}

async fn steer(store: &dyn Store, now: TimeMs, random: &mut Rng) {
    let jobs = store.jobs(api::JobFilter::default(), None, 500).await.unwrap().jobs;
    let Some(job) = random.choice(&jobs) else { return };
    if random.bool() || job.state == JobState::Done {
        store.retry_job(job.id, now).await.unwrap();
    } else {
        store.cancel_job(job.id, now).await.unwrap();
    }
}
