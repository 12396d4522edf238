//! The command itself: killed in the midst of a copy, and started again.

use std::time::Duration;

use fastrand::Rng;
use tests::builders::{account, log_entry, no_attempt, search};
use tests::eventually;
use tests::server_process::Installation;

use crate::history::play;
use crate::place::{InFile, OnServer, Place};
use crate::same::assert_same;

const ROWS: u128 = 30_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_again_and_again_is_whole_in_the_end() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let (from, to) = (InFile::create().await, OnServer::create().await);
    let store = from.store().await.unwrap();
    play(&*store, 200, &mut random).await;
    store.create_account(account("ada")).await.unwrap();
    let many =
        (10_000..10_000 + ROWS).map(|number| store.record(log_entry(search(number), "one of many"), no_attempt()));
    futures::future::join_all(many).await;
    store.close().await;

    let installation = Installation::new();
    let (source, target) = (format!("sqlite:{}", from.file().display()), to.url());
    let line = ["copy", "--from", &source, "--to", &target];
    let mut copied = to.rows().await;
    for _ in 0..3 {
        let running = installation.launch(&line);
        let wanted = copied + 1 + random.i64(0..5_000);
        eventually("more rows are there", async || (to.rows().await >= wanted).then_some(())).await;
        running.kill().await;
        copied = to.rows().await;
        assert!(copied < i64::try_from(ROWS).unwrap(), "it was too fast to be killed");
        let served = installation.run(&["--database-url", &target, "serve"]).await;
        assert_eq!(served.code, Some(1), "{}", served.output);
    }
    let ended = installation.run(&line).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("Everything was copied from sqlite:"), "{}", ended.output);
    assert!(ended.output.contains("copying log: "), "{}", ended.output);
    assert!(!ended.output.contains("of the tests"), "the password is shown: {}", ended.output);
    assert!(!ended.output.contains('\x1b'), "it is no terminal: {}", ended.output);
    assert_same(&*from.store().await.unwrap(), &*to.store().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_at_the_end_is_told_and_the_command_fails() {
    let (from, to) = (InFile::create().await, OnServer::create().await);
    let store = from.store().await.unwrap();
    let many = (0..ROWS).map(|number| store.record(log_entry(search(number), "one of many"), no_attempt()));
    futures::future::join_all(many).await;
    store.close().await;
    let installation = Installation::new();
    let (source, target) = (format!("sqlite:{}", from.file().display()), to.url());
    let line = ["copy", "--from", &source, "--to", &target];
    let running = installation.launch(&line);
    eventually("some rows are there", async || (to.rows().await > 1_000).then_some(())).await;
    running.kill().await;
    to.run("update log set letters = 'x' where id = 777").await;
    let ended = installation.run(&line).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let told = "error: table log was not copied as it was: row 777 differs in letters. The copy cannot be served.";
    assert!(ended.output.contains(told), "{}", ended.output);
    let started = tokio::time::timeout(Duration::from_secs(60), to.store()).await.expect("an answer");
    assert!(started.is_err());
}
