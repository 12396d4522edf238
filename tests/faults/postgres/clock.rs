//! A worker on a machine whose clock is hours off, beside one whose clock is right.

use std::time::Duration;

use tests::server_process::Installation;
use tests::{eventually, within};

use super::site::{Site, WEB};
use crate::clock::libfaketime;
use crate::journal::Journal;

/// A lease, and what it takes somebody to look for it on a busy machine.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(15 + 10);

/// A probe may be lost with its worker too.
const LOST: &str =
    "select count(*) from attempt join job on job.id = job_id where outcome = 'lost' and kind = 'log_request'";

#[tokio::test(flavor = "multi_thread")]
async fn workers_whose_clocks_are_hours_off_lose_double_and_stall_nothing() {
    let site = Site::new().await;
    let journal = Journal::default();
    let off_by = |hours: &str| -> Installation {
        site.place()
            .with_variable("LD_PRELOAD", libfaketime())
            .with_variable("FAKETIME", hours)
            // The machine's own count of seconds is right.
            .with_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    };
    let (at_web, at_right, at_fast, at_slow) = (site.place(), site.place(), off_by("+5h"), off_by("-7h"));
    let web = at_web.start(WEB).await;
    let line = ["--log-delay", "50ms", "--workers", "4"];
    let workers =
        [at_right.start_worker(&line).await, at_fast.start_worker(&line).await, at_slow.start_worker(&line).await];
    let mut load = journal.load(&web.client(), 4);
    load.answered(300).await;
    load.stop().await;
    site.assert_whole(&at_web, &journal).await;
    let mut tables = site.tables().await;
    assert_eq!(tables.number("select count(*) from attempt where outcome <> 'done'").await, 0);
    assert_eq!(tables.number("select count(distinct worker) from attempt").await, 3, "one has done nothing");
    let span = "select (max(recorded_at_ms) - min(recorded_at_ms)) / 3600000 from log";
    assert_eq!(tables.number(span).await, 12, "their clocks were not off by so many hours");
    let [right, fast, slow] = workers;
    right.kill().await;
    fast.kill().await;
    slow.kill().await;

    // What they have left, by their clocks for hours still or long since, is taken over as soon as anybody else's.
    let late = ["--log-delay", "1h", "--workers", "1"];
    let left = [at_fast.start_worker(&late).await, at_slow.start_worker(&late).await];
    for _ in &left {
        assert!(journal.search(&web.client()).await.is_some());
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
    site.assert_whole(&at_web, &journal).await;
    assert_eq!(tables.number(LOST).await, 2);
}
