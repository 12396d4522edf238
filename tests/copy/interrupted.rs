//! A copy that fails goes on where it was, whichever of its writes has failed.

use std::sync::atomic::AtomicUsize;

use fastrand::Rng;
use server::cli::Copied;

use tests::builders::{account, log_entry, no_attempt, search};

use crate::failing::Failing;
use crate::history::play;
use crate::place::{InFile, OnServer, Place, copy_quietly};
use crate::same::assert_same;

#[tokio::test(flavor = "multi_thread")]
async fn by_any_failure_on_the_way_into_a_file() {
    by_any_failure_on_the_way::<InFile>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_any_failure_on_the_way_into_a_server() {
    by_any_failure_on_the_way::<OnServer>().await;
}

async fn by_any_failure_on_the_way<To: Place>() {
    let from = InFile::create().await;
    let store = from.store().await.unwrap();
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    play(&*store, 300, &mut Rng::with_seed(seed)).await;
    store.create_account(account("ada")).await.unwrap();
    let many = (10_000..12_500).map(|number| store.record(log_entry(search(number), "one of many"), no_attempt()));
    futures::future::join_all(many).await;
    store.close().await;

    let mut failures = 0;
    for after_it_is_done in [false, true] {
        for at in 0.. {
            let to = To::create().await;
            let first = run(&from, &to, at, after_it_is_done).await;
            if first {
                assert!(at > 5, "the copy has only {at} writes");
                break;
            }
            failures += 1;
            // Also the second run fails, one write later or at its beginning.
            run(&from, &to, at % 2, after_it_is_done).await;
            let is_whole = run(&from, &to, usize::MAX, false).await;
            assert!(is_whole);
            let copy = to.store().await.unwrap();
            let original = from.store().await.unwrap();
            assert_eq!(copy.ledger().await.unwrap().accepted, original.ledger().await.unwrap().accepted);
            copy.close().await;
            original.close().await;
        }
    }
    assert!(failures > 10, "{failures}");
    let to = To::create().await;
    assert!(!run(&from, &to, 3, true).await);
    assert!(run(&from, &to, usize::MAX, false).await);
    assert_same(&*from.store().await.unwrap(), &*to.store().await.unwrap()).await;
}

/// Whether it came to its end.
async fn run(from: &InFile, to: &impl Place, at: usize, after_it_is_done: bool) -> bool {
    let source = from.source().await.unwrap();
    let target = Failing { target: to.target().await.unwrap(), at, after_it_is_done, writes: AtomicUsize::new(0) };
    match copy_quietly(&*source, &target).await {
        Ok(Copied::Already) => true,
        Ok(Copied::Verified(report)) => {
            assert!(report.is_same(), "{report}\n{:?}", report.difference());
            true
        }
        Err(error) => {
            assert!(error.0.contains("pulled out") && error.0.contains("start the same command again"), "{error}");
            false
        }
    }
}
