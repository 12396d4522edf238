//! Filters of jobs: a scan finds the jobs that the filter itself matches, however the database narrows them down.

use std::time::Duration;

use api::{JobFilter, JobId, TimeMs};
use queue::encode;
use server::jobs::scan::{facts, scan};
use server::search::log_request::LogRequest;
use store::{AttemptResult, JobSelection, NewJob, Store, StoredJob};
use tests::HeldClock;
use tests::builders::{START, claim, finished, job, retry, search, search_record};

use crate::Database;

const JOBS: u64 = 48;

fn at(minute: u64) -> TimeMs {
    START.after(Duration::from_secs(60 * minute))
}

/// Jobs of several kinds in all states, one a minute. Every seventh was created half an hour before it was added, as one that
/// comes from a spool.
async fn fill(store: &dyn Store) {
    for number in 0..JOBS {
        let created_at = if number % 7 == 6 { at(number - number.min(30)) } else { at(number) };
        let record = search_record(search(number.into()), if number % 5 == 0 { "rare" } else { "usual" });
        let new = match number % 3 {
            0 => NewJob { payload: r#"{"version":1,"word":"lonely"}"#.to_owned(), ..job("lab") },
            _ => {
                NewJob { key: Some(record.id.to_string()), payload: encode(&LogRequest(record)), ..job("log_request") }
            }
        };
        store.enqueue(NewJob { created_at, run_at: at(number), now: at(number), ..new }).await.unwrap();
    }
    for (worker, ends) in [("w-1", 20), ("w-2", 16)] {
        let claimed = store.claim(claim(worker, 20, at(JOBS))).await.unwrap();
        let ended = claimed.iter().take(ends).enumerate().map(|(index, job)| {
            let result = match index % 4 {
                0 => AttemptResult::Done,
                1 => AttemptResult::Dead { error: format!("timeout after {index} s") },
                2 => retry("no disk"),
                _ => AttemptResult::Cancelled,
            };
            finished(job, worker, result, at(JOBS).after(Duration::from_secs(index as u64)))
        });
        store.finish(ended.collect()).await.unwrap();
    }
}

async fn all_jobs(store: &dyn Store) -> Vec<StoredJob> {
    store.jobs(JobSelection::default(), None, 1_000).await.unwrap().jobs
}

/// The jobs that a scan finds in pages of `limit`.
async fn found(store: &dyn Store, filter: &JobFilter, now: TimeMs, limit: u32) -> Vec<JobId> {
    let clock = HeldClock::at(now);
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = scan(store, &clock, LogRequest::search_of_job, filter, before, limit).await.unwrap();
        assert!(page.jobs.len() <= limit as usize && !page.is_cut, "{filter}");
        found.extend(page.jobs.iter().map(|job| job.id));
        match page.next {
            Some(next) => before = Some(next),
            None => return found,
        }
    }
}

pub(crate) async fn a_scan_finds_what_the_filter_matches(database: impl Database) {
    let store = database.store();
    fill(&*store).await;
    let (all, now) = (all_jobs(&*store).await, at(JOBS + 1));
    let states: std::collections::BTreeSet<_> = all.iter().map(|job| job.state).collect();
    assert!(states.len() >= 5, "{states:?}");
    let id = search(4);
    let terms = [
        "",
        "state:dead",
        "state:waiting",
        "-state:done",
        "kind:lab",
        "kind:LOG_request",
        "kind:nothing",
        "-kind:lab",
        "error:~timeout",
        "error:\"no disk\"",
        "phrase:rare",
        "lonely",
        "-usual",
        "ip:127.0.0.0/8",
        "browser:firefox",
        "took:>5s",
        "attempts:1",
        "worker:w-2",
        "worker:~w-",
        "since:20m",
        "since:45m",
        "before:30m",
        "-before:25m",
        "job:9",
        &format!("search:{id}"),
        "row:1",
    ];
    let mut matching = 0;
    for one in terms {
        for other in terms {
            let filter: JobFilter = format!("{one} {other}").parse().unwrap();
            let expected = all.iter().filter(|job| {
                let record = LogRequest::search_of_job(job);
                filter.matches(&facts(job, record.as_ref()), now)
            });
            let expected: Vec<JobId> = expected.map(|job| job.id).collect();
            assert_eq!(found(&*store, &filter, now, 7).await, expected, "{filter}");
            matching += usize::from(!expected.is_empty());
        }
    }
    assert!(matching > 200, "only {matching} filters match anything");
}

pub(crate) async fn the_last_worker_of_a_job_is_known(database: impl Database) {
    let store = database.store();
    fill(&*store).await;
    for job in all_jobs(&*store).await {
        let attempts = store.attempts(job.id).await.unwrap();
        let last = attempts.last().map(|attempt| attempt.worker.clone());
        assert_eq!(job.last_worker.map(|worker| worker.0), last, "{:?}", job.id);
    }
}
