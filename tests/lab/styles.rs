//! Compares the styles: ratios between times measured by the lab, and numbers of threads.

use std::fmt::Debug;
use std::fs;
use std::ops::RangeBounds;

use tests::eventually;
use tokio::sync::Mutex;

use crate::{Lab, Running};

/// Other programs can only slow a run down, so the ratio of the shortest times counts. Each round may shorten them.
const ROUNDS: u32 = 6;

/// Held by each test while it measures, so that tests do not disturb each other.
static MEASURING: Mutex<()> = Mutex::const_new(());

/// The duration of the requests by the lab's own clock, in microseconds. All must have succeeded.
async fn elapsed_us(line: &str) -> f64 {
    let words: Vec<_> = line.split(' ').collect();
    let document = Lab::new().document(&words).await;
    assert_eq!(document["done"], document["count"], "{line}: {}", document["errors"]);
    document["elapsed_us"].as_f64().expect("a number")
}

/// Compares the times of two runs until their ratio is within the range. Panics with the last ratio if it never is.
async fn assert_ratio(numerator: &str, denominator: &str, range: impl RangeBounds<f64> + Debug) {
    let _alone = MEASURING.lock().await;
    let (mut least, mut ratio) = ([f64::INFINITY; 2], 0.0);
    for _ in 0..ROUNDS {
        for (least, line) in least.iter_mut().zip([numerator, denominator]) {
            *least = least.min(elapsed_us(line).await);
        }
        ratio = least[0] / least[1];
        if range.contains(&ratio) {
            return;
        }
    }
    panic!("{numerator:?} takes {ratio:.2} times as long as {denominator:?}, which is not in {range:?}");
}

#[tokio::test]
async fn ten_in_sequence_take_ten_times_as_long_as_one() {
    let line = "second --style sequential --latency 300ms --count";
    assert_ratio(&format!("{line} 10"), &format!("{line} 1"), 9.0..11.0).await;
}

#[tokio::test]
async fn ten_threads_take_little_longer_than_one() {
    assert_ratio("second --style threads --workers 10 --count 10", "second --style threads --count 1", ..=1.15).await;
}

#[tokio::test]
async fn ten_requests_on_five_threads_take_twice_as_long_as_one() {
    let line = "second --style threads --latency 500ms";
    assert_ratio(&format!("{line} --workers 5 --count 10"), &format!("{line} --count 1"), 1.8..2.5).await;
}

#[tokio::test]
async fn a_hundred_tasks_take_little_longer_than_one() {
    assert_ratio("second --style async --count 100", "second --style async --count 1", ..=1.15).await;
}

#[tokio::test]
async fn a_thousand_tasks_take_at_most_half_as_long_again_as_one() {
    // Twice the time that a thousand connections cost a busy machine in a debug build.
    let line = "second --style async --latency 4s --count";
    assert_ratio(&format!("{line} 1000"), &format!("{line} 1"), ..=1.5).await;
}

#[tokio::test]
async fn twenty_flags_are_five_times_as_fast_on_threads() {
    assert_ratio("flags --style sequential", "flags --style threads --workers 20", 5.0..).await;
}

#[tokio::test]
async fn a_comparison_shows_the_same_ratios() {
    let _alone = MEASURING.lock().await;
    let mut speed_ups = [0.0_f64; 3];
    for _ in 0..ROUNDS {
        let document = Lab::new().document(&["compare", "flags", "--futures"]).await;
        let runs = document["runs"].as_array().unwrap();
        let styles: Vec<_> = runs.iter().map(|run| run["style"].as_str().unwrap()).collect();
        assert_eq!(styles, ["sequential", "threads", "futures", "async"]);
        assert_eq!(runs[0]["speed_up"], 1.0);
        for (best, run) in speed_ups.iter_mut().zip(&runs[1..]) {
            *best = best.max(run["speed_up"].as_f64().unwrap());
        }
        if speed_ups.iter().all(|speed_up| *speed_up >= 5.0) {
            return;
        }
    }
    panic!("the speed-ups of threads, futures and tasks: {speed_ups:?}");
}

/// The names of the process's threads.
fn threads(running: &Running) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", running.pid())).map(|tasks| tasks.flatten().collect());
    let tasks: Vec<_> = tasks.unwrap_or_default();
    tasks.iter().filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect()
}

/// Waits until the requests run, and counts the threads of the pool.
async fn pool_threads(arguments: &[&str], wanted: usize) {
    let running = Lab::new().start(arguments);
    let count = || threads(&running).iter().filter(|name| name.starts_with("pool-")).count();
    eventually("all threads of the pool are there", async || (count() == wanted).then_some(())).await;
    // Waiting requests start no more threads.
    let mut running = running;
    running.first_output().await;
    let after = threads(&running).iter().filter(|name| name.starts_with("pool-")).count();
    assert!(after <= wanted, "{after} threads");
}

#[tokio::test]
async fn a_pool_uses_all_its_threads() {
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
    // The process holds both ends of each connection. This count is reached once all requests run and none has been
    // answered.
    eventually("all are connected", async || (sockets() >= 600).then_some(())).await;
    let threads = threads(&running);
    let parallelism = std::thread::available_parallelism().unwrap().get();
    // The program's own threads, the lab's server, the run, and one in reserve.
    assert!(threads.len() <= parallelism + 4, "{threads:?}");
    assert_eq!(threads.iter().filter(|name| name.trim() == "lab-run").count(), 1, "{threads:?}");
}
