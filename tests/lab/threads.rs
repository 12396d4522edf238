//! How many threads there are: what each style promises, counted from outside.

use std::fs;

use tests::eventually::eventually;

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
    let mut few = Lab::new().start(&["second", "--style", "async", "--count", "1", "--latency", "500ms"]);
    let mut many = Lab::new().start(&["second", "--style", "async", "--count", "500", "--latency", "500ms"]);
    few.first_output().await;
    many.first_output().await;
    let (few, many) = (threads(&few).len(), threads(&many).len());
    assert!(few > 0 && many <= few, "one task: {few} threads; 500: {many}");
}
