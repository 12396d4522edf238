//! How the styles compare: ratios between runs that the lab itself has measured, and their numbers of threads.

use std::fmt::Display;
use std::fs;

use tests::eventually;
use tokio::sync::Mutex;

use crate::{Lab, Running};

const ROUNDS: u32 = 3;

/// Held by each of these tests while it measures, so that at least they do not disturb each other.
static MEASURING: Mutex<()> = Mutex::const_new(());

/// How long the requests took by the lab's own clock, in microseconds. All must have succeeded.
async fn elapsed_us(line: &str) -> f64 {
    let words: Vec<_> = line.split(' ').collect();
    let document = Lab::new().document(&words).await;
    assert_eq!(document["done"], document["count"], "{line}: {}", document["errors"]);
    document["elapsed_us"].as_f64().expect("a number")
}

/// Measures until `is_met`; panics with the last figure when it never was.
async fn met<T: Display>(what: &str, measure: impl AsyncFn() -> T, is_met: impl Fn(&T) -> bool) {
    let _alone = MEASURING.lock().await;
    let mut figures = Vec::new();
    for _ in 0..ROUNDS {
        let figure = measure().await;
        if is_met(&figure) {
            return;
        }
        figures.push(figure.to_string());
    }
    panic!("{what}: {}", figures.join(", "));
}

#[tokio::test]
async fn ten_in_sequence_take_ten_times_one() {
    let ratio = async || {
        let one = elapsed_us("second --style sequential --count 1 --latency 300ms").await;
        elapsed_us("second --style sequential --count 10 --latency 300ms").await / one
    };
    met("ten in sequence, beside one", ratio, |ratio| (9.0..11.0).contains(ratio)).await;
}

#[tokio::test]
async fn ten_threads_take_little_more_than_one() {
    let ratio = async || {
        let one = elapsed_us("second --style threads --count 1").await;
        elapsed_us("second --style threads --workers 10 --count 10").await / one
    };
    met("ten on threads, beside one", ratio, |ratio| *ratio <= 1.15).await;
}

#[tokio::test]
async fn ten_requests_on_five_threads_take_twice_as_long_as_one() {
    let ratio = async || {
        let one = elapsed_us("second --style threads --count 1 --latency 500ms").await;
        elapsed_us("second --style threads --workers 5 --count 10 --latency 500ms").await / one
    };
    met("ten on five threads, beside one", ratio, |ratio| (1.8..2.5).contains(ratio)).await;
}

#[tokio::test]
async fn a_hundred_tasks_take_little_more_than_one() {
    let ratio = async || {
        let one = elapsed_us("second --style async --count 1").await;
        elapsed_us("second --style async --count 100").await / one
    };
    met("a hundred tasks, beside one", ratio, |ratio| *ratio <= 1.15).await;
}

#[tokio::test]
async fn a_thousand_tasks_take_at_most_half_as_long_again_as_one() {
    let ratio = async || {
        // Long enough for what a thousand connections cost a busy machine in a debug build, twice over.
        let one = elapsed_us("second --style async --count 1 --latency 4s").await;
        elapsed_us("second --style async --count 1000 --latency 4s").await / one
    };
    met("a thousand tasks, beside one", ratio, |ratio| *ratio <= 1.5).await;
}

#[tokio::test]
async fn twenty_flags_are_five_times_as_fast_on_threads() {
    let ratio = async || {
        let in_sequence = elapsed_us("flags --style sequential").await;
        in_sequence / elapsed_us("flags --style threads --workers 20").await
    };
    met("twenty flags in sequence, beside threads", ratio, |ratio| *ratio >= 5.0).await;
}

#[tokio::test]
async fn a_comparison_says_the_same() {
    let ratio = async || {
        let document = Lab::new().document(&["compare", "flags", "--futures"]).await;
        let runs = document["runs"].as_array().unwrap();
        let styles: Vec<_> = runs.iter().map(|run| run["style"].as_str().unwrap()).collect();
        assert_eq!(styles, ["sequential", "threads", "futures", "async"]);
        assert_eq!(runs[0]["speed_up"], 1.0);
        // The least of the three.
        runs[1..].iter().map(|run| run["speed_up"].as_f64().unwrap()).fold(f64::INFINITY, f64::min)
    };
    met("what a comparison says of threads, futures and tasks", ratio, |ratio| *ratio >= 5.0).await;
}

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
