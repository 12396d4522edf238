//! How the styles compare: ratios between runs that the lab itself has measured, never times.
//!
//! Other programs may use the machine at any moment, and take a run's time. That makes a run longer, never shorter, so a
//! ratio that is too large once says little, and one that is too large again and again says that the style is too
//! slow: each is measured three times at most, and has to be met once. Only ratios of which a pause could also make a
//! false success are measured so that it cannot: in those the longer run is one that mostly waits.

use std::fmt::Display;

use tokio::sync::Mutex;

use crate::command::Lab;

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
