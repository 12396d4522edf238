//! Progress and output of running jobs.

use std::time::Duration;

use api::{JobId, JobProgress, JobState};
use futures::future::join_all;
use store::{AttemptResult, ClaimedJob, JobReport, JobSelection, NewJob, OutputPart, Store, Topic};
use tests::builders::{LEASE, START, claim, finished, job, report, retry, signed};

use crate::Database;

async fn claim_one(store: &dyn Store, worker: &str) -> ClaimedJob {
    let mut claimed = store.claim(claim(worker, 1, START)).await.unwrap();
    claimed.pop().expect("a job waits")
}

async fn enqueue_and_claim(store: &dyn Store) -> ClaimedJob {
    store.enqueue(NewJob { key: Some("k".to_owned()), ..job("lab") }).await.unwrap();
    claim_one(store, "w").await
}

/// A report with `text` as output.
fn part(claimed: &ClaimedJob, worker: &str, text: &str) -> JobReport {
    JobReport { part: Some(text.to_owned()), ..report(claimed, worker) }
}

async fn output(store: &dyn Store, id: JobId, after: u32, limit: u32) -> Vec<(u32, String)> {
    let parts = store.job_output(id, after, limit).await.unwrap();
    parts.into_iter().map(|OutputPart { number, text }| (number, text)).collect()
}

/// All output, after a check of the parts' numbers.
async fn texts(store: &dyn Store, id: JobId) -> Vec<String> {
    let (numbers, texts): (Vec<u32>, Vec<String>) = output(store, id, 0, u32::MAX).await.into_iter().unzip();
    assert!(numbers.iter().copied().eq(1..=u32::try_from(numbers.len()).unwrap()), "{numbers:?}");
    texts
}

pub(crate) async fn a_report_is_read_back(mut database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let silent = store.job(claimed.id).await.unwrap().expect("there");
    assert_eq!((silent.progress, silent.result), (None, None));
    let note = "two of three: \0 é \\0 \u{202e}";
    let first = JobReport {
        percent: 66,
        note: note.to_owned(),
        result: Some("\\{\"a\0\":1}".to_owned()),
        ..part(&claimed, "w", "\\one\0\n")
    };
    assert!(store.report(first).await.unwrap());
    // A report without a part and a result removes neither.
    let last = JobReport { percent: 100, note: String::new(), ..report(&claimed, "w") };
    let expected = [(66, note), (100, "")];
    for (index, (percent, note)) in expected.into_iter().enumerate() {
        if index == 1 {
            assert!(store.report(last.clone()).await.unwrap());
        }
        let by_id = store.job(claimed.id).await.unwrap().expect("there");
        assert_eq!(by_id.progress, Some(JobProgress { percent, note: note.to_owned() }));
        assert_eq!(by_id.result.as_deref(), Some("\\{\"a\0\":1}"));
        assert_eq!(store.job_by_key("lab", "k").await.unwrap().as_ref(), Some(&by_id));
        assert_eq!(store.jobs(JobSelection::default(), None, 9).await.unwrap().jobs, [by_id]);
        assert_eq!(texts(&*store, claimed.id).await, ["\\one\0\n"]);
    }
    store.finish(vec![finished(&claimed, "w", AttemptResult::Done, START)]).await.unwrap();
    let done = store.job(claimed.id).await.unwrap();
    drop(store);
    database.reopen().await;
    let store = database.store();
    assert_eq!(store.job(claimed.id).await.unwrap(), done);
    assert_eq!(texts(&*store, claimed.id).await, ["\\one\0\n"]);
    assert_eq!(store.job_by_key("lab", "l").await.unwrap(), None);
    assert_eq!(store.job_by_key("log_request", "k").await.unwrap(), None);
}

pub(crate) async fn a_worker_that_lost_its_attempt_reports_nothing(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let refuses = async |report: JobReport, why: &str| {
        let mut wake = store.subscribe(Topic::Output);
        assert!(!store.report(report).await.unwrap(), "{why}");
        assert_eq!(tokio::time::timeout(Duration::ZERO, wake.changed()).await.ok(), None, "{why}");
        assert!(texts(&*store, claimed.id).await.is_empty(), "{why}");
        assert_eq!(store.job(claimed.id).await.unwrap().expect("there").progress, None, "{why}");
    };
    refuses(part(&claimed, "v", "x"), "another worker").await;
    refuses(JobReport { attempt: 2, ..part(&claimed, "w", "x") }, "another attempt").await;
    refuses(JobReport { job: JobId(claimed.id.0 + 1), ..part(&claimed, "w", "x") }, "no such job").await;
    assert_eq!(store.expire_leases(START.after(LEASE * 2)).await.unwrap(), 1);
    refuses(part(&claimed, "w", "x"), "its lease ran out").await;
    let again = claim_one(&*store, "w").await;
    refuses(part(&claimed, "w", "x"), "an older attempt of the same worker").await;
    store.finish(vec![finished(&again, "w", AttemptResult::Done, START)]).await.unwrap();
    refuses(part(&again, "w", "x"), "the job is done").await;
}

pub(crate) async fn a_new_attempt_continues_the_numbers(database: impl Database) {
    let store = database.store();
    let first = enqueue_and_claim(&*store).await;
    let other = {
        store.enqueue(job("lab")).await.unwrap();
        claim_one(&*store, "w").await
    };
    for text in ["a", "b"] {
        assert!(store.report(part(&first, "w", text)).await.unwrap());
        assert!(store.report(part(&other, "w", "of another job")).await.unwrap());
    }
    store.finish(vec![finished(&first, "w", AttemptResult::Release, START)]).await.unwrap();
    let second = claim_one(&*store, "v").await;
    assert_eq!(second.id, first.id);
    assert!(store.report(part(&second, "v", "c")).await.unwrap());
    store.finish(vec![finished(&second, "v", retry("failed"), START)]).await.unwrap();
    let failed = store.job(first.id).await.unwrap().expect("there");
    assert_eq!(failed.state, JobState::Retrying);
    assert!(failed.progress.is_some(), "the progress is kept");
    store.retry_job(first.id, START, &signed()).await.unwrap();
    let third = claim_one(&*store, "w").await;
    assert!(store.report(part(&third, "w", "d")).await.unwrap());
    assert_eq!(texts(&*store, first.id).await, ["a", "b", "c", "d"]);
}

pub(crate) async fn parts_are_read_after_a_number(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    assert_eq!(output(&*store, claimed.id, 0, 9).await, []);
    for text in ["a", "b", "c", "d"] {
        assert!(store.report(part(&claimed, "w", text)).await.unwrap());
    }
    let named =
        |parts: &[(u32, &str)]| parts.iter().map(|&(number, text)| (number, text.to_owned())).collect::<Vec<_>>();
    assert_eq!(output(&*store, claimed.id, 0, 2).await, named(&[(1, "a"), (2, "b")]));
    assert_eq!(output(&*store, claimed.id, 2, 9).await, named(&[(3, "c"), (4, "d")]));
    assert_eq!(output(&*store, claimed.id, 3, u32::MAX).await, named(&[(4, "d")]));
    assert_eq!(output(&*store, claimed.id, 1, 0).await, []);
    for beyond in [4, 5, u32::MAX] {
        assert_eq!(output(&*store, claimed.id, beyond, 9).await, []);
    }
    assert_eq!(output(&*store, JobId(claimed.id.0 + 1), 0, 9).await, []);
}

pub(crate) async fn concurrent_parts_are_all_stored(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let numbers: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let reported = join_all(numbers.iter().map(|number| store.report(part(&claimed, "w", number)))).await;
    assert!(reported.into_iter().all(|reported| reported.unwrap()));
    let mut put_out = texts(&*store, claimed.id).await;
    put_out.sort_by_key(|text| text.parse::<u32>().unwrap());
    assert_eq!(put_out, numbers);
}

pub(crate) async fn a_report_that_cannot_be_stored_changes_nothing(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    assert!(store.report(part(&claimed, "w", "a")).await.unwrap());
    let too_much = JobReport { percent: 101, ..part(&claimed, "w", "b") };
    assert_eq!(store.report(too_much).await.unwrap_err().kind(), api::FaultKind::SqlError);
    assert!(store.report(part(&claimed, "w", "c")).await.unwrap());
    assert_eq!(texts(&*store, claimed.id).await, ["a", "c"]);
}

pub(crate) async fn output_is_deleted_with_its_job(database: impl Database) {
    let store = database.store();
    let mut ids = Vec::new();
    for _ in 0..3 {
        store.enqueue(job("lab")).await.unwrap();
        let claimed = claim_one(&*store, "w").await;
        assert!(store.report(part(&claimed, "w", "a")).await.unwrap());
        ids.push(claimed.id);
        if ids.len() < 3 {
            store.finish(vec![finished(&claimed, "w", AttemptResult::Done, START)]).await.unwrap();
        }
    }
    assert!(store.delete_job(ids[0], None).await.unwrap());
    assert_eq!(texts(&*store, ids[0]).await, [""; 0]);
    assert_eq!(texts(&*store, ids[1]).await, ["a"]);
    assert_eq!(store.prune_jobs(START.after(LEASE), 9).await.unwrap(), 1);
    assert_eq!(texts(&*store, ids[1]).await, [""; 0]);
    assert_eq!(texts(&*store, ids[2]).await, ["a"]);
}

pub(crate) async fn a_report_notifies_after_its_commit(database: impl Database) {
    let store = database.store();
    let claimed = enqueue_and_claim(&*store).await;
    let mut topics = Topic::ALL.map(|topic| (topic, store.subscribe(topic)));
    let mut wake = store.subscribe(Topic::Output);
    // A wake-up comes after the commit, so the reader sees the written rows.
    let reader = tokio::spawn({
        let (store, id) = (database.store(), claimed.id);
        async move {
            wake.changed().await;
            texts(&*store, id).await
        }
    });
    assert!(store.report(part(&claimed, "w", "a")).await.unwrap());
    assert_eq!(reader.await.unwrap(), ["a"]);
    let mut woken = Vec::new();
    for (topic, wake) in &mut topics {
        if tokio::time::timeout(Duration::ZERO, wake.changed()).await.is_ok() {
            woken.push(*topic);
        }
    }
    assert_eq!(woken, [Topic::Output]);
}
