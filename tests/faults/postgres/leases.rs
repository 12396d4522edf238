//! Workers that die or freeze in the middle of their jobs, or whose clock is wrong.

use std::time::Duration;

use tests::server_process::Installation;
use tests::{eventually, within};
use tokio::time::Instant;

use crate::client_log::ClientLog;
use crate::jobs::libfaketime;
use crate::postgres::{Deployment, WEB};
use crate::tables::Tables;

const JOBS: i64 = 5;
/// The ended attempts at searches, without those at the health check's probes. Those that have done their jobs stand in
/// the jobs' rows.
const OF_SEARCHES: &str = "from (
        select outcome, attempt.worker from attempt join job on job.id = job_id where kind = 'log_request'
        union all
        select 'done', done_by from job where kind = 'log_request' and done_by is not null
    ) as attempt where true";
/// How long a silent worker keeps its jobs.
const LEASE: Duration = Duration::from_secs(15);
/// Workers look for expired leases every third of a lease. The rest is a margin for a busy machine.
const LOOKED_FOR: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_a_killed_worker_are_taken_over_after_its_lease() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let (at_web, at_first, at_second) =
        (deployment.installation(), deployment.installation(), deployment.installation());
    let web = at_web.start(WEB).await;
    let first = at_first.start_worker(&["--log-delay", "1h"]).await;
    for _ in 0..JOBS {
        assert!(client_log.search(&web.client()).await.is_some());
    }
    let mut tables = deployment.tables().await;
    all_run(&mut tables).await;
    let _second = at_second.start_worker(&[]).await;
    first.kill().await;
    let killed = Instant::now();

    let rows = "select count(*) from log";
    let taken_over = within(LEASE + LOOKED_FOR, async || (tables.number(rows).await == JOBS).then_some(())).await;
    assert!(taken_over.is_some(), "not within a lease and a little: {:?}", tables.jobs().await);
    println!("taken over after {:?}", killed.elapsed());
    deployment.assert_complete(&at_web, &client_log).await;
    assert_eq!(ends(&mut tables).await, [("done", JOBS), ("lost", JOBS)].map(|(end, n)| (end.to_owned(), n)));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_results_of_a_frozen_worker_are_refused() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let (at_web, at_first, at_second) =
        (deployment.installation(), deployment.installation(), deployment.installation());
    let web = at_web.start(WEB).await;
    let first = at_first.start_worker(&["--log-delay", "2s"]).await;
    for _ in 0..JOBS {
        assert!(client_log.search(&web.client()).await.is_some());
    }
    let mut tables = deployment.tables().await;
    all_run(&mut tables).await;
    first.freeze();
    // The second worker's attempts take long enough that the first worker resumes while they run.
    let second = at_second.start_worker(&["--log-delay", "6s"]).await;
    let taken_over = "select count(*) from job where state = 'running' and attempt = 2";
    let is_taken_over = within(LEASE + LOOKED_FOR, async || (tables.number(taken_over).await == JOBS).then_some(()));
    assert!(is_taken_over.await.is_some(), "{:?}", tables.jobs().await);
    first.thaw();
    // Its delays are over, so it tries to write its rows at once, unless it learns first that it has lost their leases.
    deployment.assert_complete(&at_web, &client_log).await;
    assert_eq!(ends(&mut tables).await, [("done", JOBS), ("lost", JOBS)].map(|(end, n)| (end.to_owned(), n)));
    let who = format!("select count(distinct attempt.worker) {OF_SEARCHES} group by outcome");
    assert_eq!(tables.numbers(&who).await, [1, 1], "one worker lost all jobs, the other did all");
    let who = format!("select count(distinct attempt.worker) {OF_SEARCHES}");
    assert_eq!(tables.number(&who).await, 2, "the first worker has written results of lost jobs");
    // The first worker still works.
    second.kill().await;
    assert!(client_log.search(&web.client()).await.is_some());
    deployment.assert_complete(&at_web, &client_log).await;
    let who = format!("select count(distinct attempt.worker) {OF_SEARCHES} and outcome = 'done'");
    assert_eq!(tables.number(&who).await, 2);
}

async fn all_run(tables: &mut Tables) {
    eventually("all jobs run", async || (tables.jobs().await.get("running") == Some(&JOBS)).then_some(())).await;
}

/// The outcomes of attempts, with their numbers.
async fn ends(tables: &mut Tables) -> Vec<(String, i64)> {
    tables.counts(&format!("select outcome, count(*) {OF_SEARCHES} group by outcome order by outcome")).await
}

/// A lease, and the time until another worker looks for it on a busy machine.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(15 + 10);

/// The lost attempts at searches. A probe may be lost with its worker too.
const LOST: &str =
    "select count(*) from attempt join job on job.id = job_id where outcome = 'lost' and kind = 'log_request'";

#[tokio::test(flavor = "multi_thread")]
async fn workers_whose_clocks_are_hours_off_lose_double_or_stall_nothing() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let off_by = |hours: &str| -> Installation {
        deployment
            .installation()
            .with_variable("LD_PRELOAD", libfaketime())
            .with_variable("FAKETIME", hours)
            // The monotonic clock is right.
            .with_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    };
    let (at_web, at_right, at_fast, at_slow) =
        (deployment.installation(), deployment.installation(), off_by("+5h"), off_by("-7h"));
    let web = at_web.start(WEB).await;
    let line = ["--log-delay", "50ms", "--workers", "4"];
    let workers =
        [at_right.start_worker(&line).await, at_fast.start_worker(&line).await, at_slow.start_worker(&line).await];
    let mut load = client_log.load(&web.client(), 4);
    load.answered(300).await;
    load.stop().await;
    deployment.assert_complete(&at_web, &client_log).await;
    let mut tables = deployment.tables().await;
    assert_eq!(tables.number("select count(*) from attempt where outcome <> 'done'").await, 0);
    assert_eq!(tables.number("select count(distinct done_by) from job").await, 3, "one has done nothing");
    let span = "select (max(recorded_at_ms) - min(recorded_at_ms)) / 3600000 from log";
    assert_eq!(tables.number(span).await, 0, "all rows have the database's time");
    let [right, fast, slow] = workers;
    for (worker, is_off) in [(&right, false), (&fast, true), (&slow, true)] {
        assert_eq!(worker.output().contains("clock and the database's differ"), is_off, "{}", worker.output());
    }
    right.kill().await;
    fast.kill().await;
    slow.kill().await;

    // By their clocks, their leases expire in hours or expired long ago. Even so, their jobs are taken over in the
    // usual time.
    let late = ["--log-delay", "1h", "--workers", "1"];
    let left = [at_fast.start_worker(&late).await, at_slow.start_worker(&late).await];
    for _ in &left {
        assert!(client_log.search(&web.client()).await.is_some());
    }
    let running = "select count(distinct worker) from job where state = 'running' and kind = 'log_request'";
    eventually("both are at work", async || (tables.number(running).await == 2).then_some(())).await;
    for left in left {
        left.kill().await;
    }
    let _right = at_right.start_worker(&line).await;
    let open = "select count(*) from job where state <> 'done' and kind = 'log_request'";
    let done = within(TAKEN_OVER_WITHIN, async || (tables.number(open).await == 0).then_some(())).await;
    assert!(done.is_some(), "they are not taken over: {:?}", tables.jobs().await);
    deployment.assert_complete(&at_web, &client_log).await;
    assert_eq!(tables.number(LOST).await, 2);
}
