//! The documented behaviour of the pool and its futures.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn pool(most: usize) -> ThreadPool {
    ThreadPool::new(NonZeroUsize::new(most).expect("at least one"))
}

/// A task that has begun and runs until it is released.
struct HeldTask {
    future: Future<()>,
    release: mpsc::Sender<()>,
}

fn hold(pool: &ThreadPool) -> HeldTask {
    let (begun, has_begun) = mpsc::channel();
    let (release, is_released) = mpsc::channel();
    let task = move || {
        begun.send(()).unwrap();
        is_released.recv().unwrap();
    };
    let future = pool.submit(task).unwrap();
    has_begun.recv().unwrap();
    HeldTask { future, release }
}

#[test]
fn a_future_is_pending_then_running_then_finished() {
    let pool = pool(1);
    let first = hold(&pool);
    let second = pool.submit(|| 7).unwrap();
    assert_eq!((first.future.state(), second.state()), (State::Running, State::Pending));
    assert_eq!(second.result(Some(Duration::ZERO)), Err(NoResult::TimedOut));
    first.release.send(()).unwrap();
    assert_eq!(second.result(None), Ok(7));
    assert_eq!((first.future.state(), second.state()), (State::Finished, State::Finished));
    assert_eq!(second.result(None), Ok(7), "a result stays");
}

#[test]
fn only_pending_tasks_can_be_cancelled() {
    let pool = pool(1);
    let first = hold(&pool);
    let second = pool.submit(|| panic!("was cancelled")).unwrap();
    assert!(!first.future.cancel());
    assert!(second.cancel());
    assert!(second.cancel(), "it stays cancelled");
    assert_eq!(second.result(None), Err::<(), _>(NoResult::Cancelled));
    first.release.send(()).unwrap();
    assert_eq!(first.future.result(None), Ok(()));
    assert!(!first.future.cancel(), "it has finished");
    assert_eq!(pool.submit(|| 1).unwrap().result(None), Ok(1), "the pool continues after the cancelled task");
    assert_eq!(second.state(), State::Cancelled);
}

#[test]
fn a_panic_is_the_error_of_its_own_future_only() {
    let pool = pool(1);
    let results: Vec<_> = pool.map(|n: u32| assert_ne!(n, 2, "no {n}"), [1, 2, 3]).unwrap().collect();
    assert_eq!((&results[0], &results[2]), (&Ok(()), &Ok(())));
    let Err(NoResult::Panicked(message)) = &results[1] else { panic!("{results:?}") };
    assert!(message.contains("no 2"), "{message}");
}

#[test]
fn callbacks_are_called_once_whether_added_early_or_late() {
    let pool = pool(1);
    let (sender, receiver) = mpsc::channel();
    let send = |word: &'static str| {
        let sender = sender.clone();
        move |future: &Future<()>| sender.send((word, future.state())).unwrap()
    };
    let held = hold(&pool);
    let cancelled = pool.submit(|| ()).unwrap();
    held.future.add_done_callback(|_| panic!("a callback that fails"));
    held.future.add_done_callback(send("early"));
    cancelled.add_done_callback(send("cancelled"));
    cancelled.cancel();
    assert_eq!(receiver.recv(), Ok(("cancelled", State::Cancelled)));
    held.release.send(()).unwrap();
    assert_eq!(receiver.recv(), Ok(("early", State::Finished)));
    held.future.add_done_callback(send("late"));
    assert_eq!(receiver.try_recv(), Ok(("late", State::Finished)));
}

#[test]
fn map_keeps_the_order_and_as_completed_does_not() {
    let pool = pool(2);
    let slow = hold(&pool);
    let quick = pool.submit(|| ()).unwrap();
    let futures = [slow.future.clone(), quick.clone()];
    let mut completed = as_completed(futures.clone());
    assert_eq!(completed.next().map(|future| future.state()), Some(State::Finished));
    assert_eq!(slow.future.state(), State::Running);
    let mut in_order = in_order(futures);
    slow.release.send(()).unwrap();
    assert_eq!(in_order.next().unwrap().state(), State::Finished);
    assert_eq!(completed.next().map(|future| future.result(None)), Some(Ok(())));
    assert!(completed.next().is_none());
    let doubled: Vec<_> = pool.map(|n| n * 2, 1..=50).unwrap().map(Result::unwrap).collect();
    assert_eq!(doubled, (1..=50).map(|n| n * 2).collect::<Vec<_>>());
}

#[test]
fn all_threads_work_concurrently() {
    let pool = pool(4);
    // Each task waits for all others, so three threads would wait forever.
    let barrier = Arc::new(Barrier::new(4));
    let arrivals = pool.map(move |()| barrier.wait().is_leader(), [(); 4]).unwrap();
    assert_eq!(arrivals.filter(|leads| leads == &Ok(true)).count(), 1);
}

#[test]
fn a_shutdown_runs_or_cancels_pending_tasks() {
    for (pending, state) in [(Pending::Run, State::Finished), (Pending::Cancel, State::Cancelled)] {
        let pool = pool(1);
        let held = hold(&pool);
        let waiting = pool.submit(|| ()).unwrap();
        let (ending, ended) = (held.future.clone(), waiting.clone());
        let shutdown = thread::spawn(move || pool.shutdown(pending));
        if pending == Pending::Cancel {
            assert_eq!(waiting.result(None), Err(NoResult::Cancelled), "at once, while another task still runs");
        }
        held.release.send(()).unwrap();
        shutdown.join().unwrap();
        assert_eq!((ending.state(), ended.state()), (State::Finished, state));
    }
}

#[test]
fn a_task_may_drop_the_pool_that_runs_it() {
    let pool = Arc::new(pool(1));
    let inner = Arc::clone(&pool);
    let (go, may_go) = mpsc::channel();
    let task = move || {
        may_go.recv().unwrap();
        drop(inner);
    };
    let future = pool.submit(task).unwrap();
    drop(pool);
    go.send(()).unwrap();
    assert_eq!(future.result(None), Ok(()));
}

proptest! {
    /// For any mix of tasks that run, panic or are cancelled, and any scheduling of the threads: each task ends once
    /// and as expected, and at most one task runs on each thread.
    #[test]
    fn each_task_ends_exactly_once(
        most in 1_usize..5,
        tasks in prop::collection::vec((any::<bool>(), any::<bool>()), 0..60),
    ) {
        let pool = pool(most);
        let (running, highest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (sender, ended) = mpsc::channel();
        let mut futures = Vec::new();
        for (number, &(is_cancelled, is_panicking)) in tasks.iter().enumerate() {
            let (running, highest) = (Arc::clone(&running), Arc::clone(&highest));
            let future = pool.submit(move || {
                highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                // Not `panic!`: the panic hook would print each one.
                if is_panicking { std::panic::resume_unwind(Box::new("on purpose")) } else { number }
            }).unwrap();
            let sender = sender.clone();
            future.add_done_callback(move |_| sender.send(number).unwrap());
            let is_cancelled = is_cancelled && future.cancel();
            futures.push((future, is_cancelled));
        }
        drop(sender);
        pool.shutdown(Pending::Run);
        for (number, (future, is_cancelled)) in futures.iter().enumerate() {
            let expected = match (is_cancelled, tasks[number].1) {
                (true, _) => Err(NoResult::Cancelled),
                (false, true) => Err(NoResult::Panicked("on purpose".to_owned())),
                (false, false) => Ok(number),
            };
            prop_assert_eq!(future.result(Some(Duration::ZERO)), expected);
        }
        let mut ended: Vec<_> = ended.into_iter().collect();
        ended.sort_unstable();
        prop_assert_eq!(ended, (0..tasks.len()).collect::<Vec<_>>());
        prop_assert!(highest.load(Ordering::SeqCst) <= most);
    }
}
