//! How many threads there are: what each style promises, counted from outside.

use std::fs;

use tests::eventually;

use crate::command::{Lab, Running};

/// The names of its threads.
fn threads(running: &Running) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", running.pid())).map(|tasks| tasks.flatten().collect());
    let tasks: Vec<_> = tasks.unwrap_or_default();
    tasks.iter().filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect()
}

/// Waits until the requests are under way, and counts the pool's threads then.
async fn pool_threads(arguments: &[&str], wanted: usize) {
    let running = Lab::new().start(arguments);
    let count = || threads(&running).iter().filter(|name| name.starts_with("pool-")).count();
    eventually("all threads of the pool are there", async || (count() == wanted).then_some(())).await;
    // No more are coming: those that wait have nothing to start them with.
    let mut running = running;
    running.first_output().await;
    let after = threads(&running).iter().filter(|name| name.starts_with("pool-")).count();
    assert!(after <= wanted, "{after} threads");
}

#[tokio::test]
async fn a_pool_has_as_many_threads_as_it_may() {
    for style in ["threads", "futures"] {
        pool_threads(&["second", "--style", style, "--workers", "5", "--count", "20", "--latency", "500ms"], 5).await;
    }
}

#[tokio::test]
async fn a_pool_has_no_more_threads_than_tasks() {
    pool_threads(&["second", "--style", "threads", "--workers", "50", "--count", "3", "--latency", "1s"], 3).await;
}

#[tokio::test]
async fn tasks_need_no_threads_of_their_own() {
    let running = Lab::new().start(&["second", "--style", "async", "--count", "300", "--latency", "5s"]);
    let sockets = || fs::read_dir(format!("/proc/{}/fd", running.pid())).map_or(0, Iterator::count);
    // Both ends of each connection are there: all requests are under way, and none is answered yet.
    eventually("all are connected", async || (sockets() >= 600).then_some(())).await;
    let threads = threads(&running);
    let parallelism = std::thread::available_parallelism().unwrap().get();
    // The program's own, the lab's server, the run, and one to spare.
    assert!(threads.len() <= parallelism + 4, "{threads:?}");
    assert_eq!(threads.iter().filter(|name| name.trim() == "lab-run").count(), 1, "{threads:?}");
}
