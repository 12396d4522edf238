//! Workers that go away in the middle of their jobs, and one that comes back.

use std::time::Duration;

use tests::{eventually, within};
use tokio::time::Instant;

use super::site::{Site, WEB};
use crate::journal::Journal;
use crate::table::Tables;

const JOBS: i64 = 5;
/// Without the probes that are sent while somebody looks how the whole is doing.
const OF_SEARCHES: &str = "from attempt join job on job.id = job_id where kind = 'log_request'";
/// How long a job is a worker's that gives no sign of life.
const LEASE: Duration = Duration::from_secs(15);
/// Somebody looks for leases that have run out each third of a lease, and this machine is busy.
const LOOKED_FOR: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_was_at_is_taken_over_within_its_lease() {
    let site = Site::new().await;
    let journal = Journal::default();
    let (at_web, at_first, at_second) = (site.place(), site.place(), site.place());
    let web = at_web.start(WEB).await;
    let first = at_first.start_worker(&["--log-delay", "1h"]).await;
    for _ in 0..JOBS {
        assert!(journal.search(&web.client()).await.is_some());
    }
    let mut tables = site.tables().await;
    all_run(&mut tables).await;
    let _second = at_second.start_worker(&[]).await;
    first.kill().await;
    let killed = Instant::now();

    let rows = "select count(*) from log";
    let taken_over = within(LEASE + LOOKED_FOR, async || (tables.number(rows).await == JOBS).then_some(())).await;
    assert!(taken_over.is_some(), "not within a lease and a little: {:?}", tables.jobs().await);
    println!("taken over after {:?}", killed.elapsed());
    site.assert_whole(&at_web, &journal).await;
    assert_eq!(ends(&mut tables).await, [("done", JOBS), ("lost", JOBS)].map(|(end, n)| (end.to_owned(), n)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_frozen_worker_says_too_late_is_refused() {
    let site = Site::new().await;
    let journal = Journal::default();
    let (at_web, at_first, at_second) = (site.place(), site.place(), site.place());
    let web = at_web.start(WEB).await;
    let first = at_first.start_worker(&["--log-delay", "2s"]).await;
    for _ in 0..JOBS {
        assert!(journal.search(&web.client()).await.is_some());
    }
    let mut tables = site.tables().await;
    all_run(&mut tables).await;
    first.freeze();
    // Its own attempts take so long that the first comes back while they run.
    let second = at_second.start_worker(&["--log-delay", "6s"]).await;
    let taken_over = "select count(*) from job where state = 'running' and attempt = 2";
    let is_taken_over = within(LEASE + LOOKED_FOR, async || (tables.number(taken_over).await == JOBS).then_some(()));
    assert!(is_taken_over.await.is_some(), "{:?}", tables.jobs().await);
    first.thaw();
    // It finds its time over, and writes its rows at once, unless it first learns that they are not its own any more.
    site.assert_whole(&at_web, &journal).await;
    assert_eq!(ends(&mut tables).await, [("done", JOBS), ("lost", JOBS)].map(|(end, n)| (end.to_owned(), n)));
    let who = format!("select count(distinct attempt.worker) {OF_SEARCHES} group by outcome");
    assert_eq!(tables.numbers(&who).await, [1, 1], "one has lost them all, one has done them all");
    let who = format!("select count(distinct attempt.worker) {OF_SEARCHES}");
    assert_eq!(tables.number(&who).await, 2, "the first has ended what the second was at");
    // The first is well, and works on.
    second.kill().await;
    assert!(journal.search(&web.client()).await.is_some());
    site.assert_whole(&at_web, &journal).await;
    let who = format!("select count(distinct attempt.worker) {OF_SEARCHES} and outcome = 'done'");
    assert_eq!(tables.number(&who).await, 2);
}

async fn all_run(tables: &mut Tables) {
    eventually("all jobs run", async || (tables.jobs().await.get("running") == Some(&JOBS)).then_some(())).await;
}

/// How attempts have ended, and how many of them.
async fn ends(tables: &mut Tables) -> Vec<(String, i64)> {
    tables.counts(&format!("select outcome, count(*) {OF_SEARCHES} group by outcome order by outcome")).await
}
