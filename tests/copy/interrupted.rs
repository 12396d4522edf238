//! A failed or killed copy resumes where it stopped.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use server::cli::Copied;
use store::copy::{BeginOutcome, Cursor, Metadata, Progress, Records, Source, SourceIdentity, Table, Target};
use store::{Result, StoreError};
use tests::builders::{account, log_entry, no_attempt, search, signed};
use tests::eventually;
use tests::server_process::Installation;

use crate::contents::{assert_same, play};
use crate::endpoints::{Endpoint, PostgresEndpoint, SqliteEndpoint, copy_quietly};

#[tokio::test(flavor = "multi_thread")]
async fn any_failed_write_into_a_file() {
    any_failed_write::<SqliteEndpoint>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_failed_write_into_a_server() {
    any_failed_write::<PostgresEndpoint>().await;
}

async fn any_failed_write<To: Endpoint>() {
    let from = SqliteEndpoint::create().await;
    let store = from.store().await.unwrap();
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    play(&*store, 300, &mut Rng::with_seed(seed)).await;
    store.create_account(account("ada"), &signed()).await.unwrap();
    let many = (10_000..12_500).map(|number| store.record(log_entry(search(number), "one of many"), no_attempt()));
    futures::future::join_all(many).await;
    store.close().await;

    let mut failures = 0;
    for is_applied in [false, true] {
        for at in 0.. {
            let to = To::create().await;
            let first = run(&from, &to, at, is_applied).await;
            if first {
                assert!(at > 5, "the copy has only {at} writes");
                break;
            }
            failures += 1;
            // The second run fails too, at its first or second write.
            run(&from, &to, at % 2, is_applied).await;
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

/// Returns whether the copy was completed.
async fn run(from: &SqliteEndpoint, to: &impl Endpoint, at: usize, is_applied: bool) -> bool {
    let source = from.source().await.unwrap();
    let target = FailingTarget { target: to.target().await.unwrap(), at, is_applied, writes: AtomicUsize::new(0) };
    match copy_quietly(&*source, &target).await {
        Ok(Copied::Already) => true,
        Ok(Copied::Verified(report)) => {
            assert!(report.is_same(), "{report}\n{:?}", report.difference());
            true
        }
        Err(error) => {
            let message = format!("{error:#}");
            assert!(message.contains("pulled out") && message.contains("start the same command again"), "{message}");
            false
        }
    }
}

const ROWS: u128 = 30_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeatedly_killed_copy_completes() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let (from, to) = (SqliteEndpoint::create().await, PostgresEndpoint::create().await);
    let store = from.store().await.unwrap();
    play(&*store, 200, &mut random).await;
    store.create_account(account("ada"), &signed()).await.unwrap();
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
async fn a_difference_at_the_end_is_reported_and_the_command_fails() {
    let (from, to) = (SqliteEndpoint::create().await, PostgresEndpoint::create().await);
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

/// A target that fails at its `at`th write: either before the write, or after it without reporting its success.
pub(crate) struct FailingTarget {
    pub(crate) target: Box<dyn Target>,
    pub(crate) at: usize,
    pub(crate) is_applied: bool,
    pub(crate) writes: AtomicUsize,
}

impl FailingTarget {
    async fn attempt<A>(&self, write: impl Future<Output = Result<A>>) -> Result<A> {
        let fails = self.writes.fetch_add(1, Ordering::Relaxed) == self.at;
        if fails && !self.is_applied {
            return Err(StoreError::Connection("pulled out".to_owned()));
        }
        let written = write.await?;
        if fails { Err(StoreError::Connection("pulled out".to_owned())) } else { Ok(written) }
    }
}

#[async_trait]
impl Source for FailingTarget {
    fn name(&self) -> String {
        self.target.name()
    }

    async fn metadata(&self) -> Result<Metadata> {
        self.target.metadata().await
    }

    async fn count(&self, table: Table) -> Result<u64> {
        self.target.count(table).await
    }

    async fn read(&self, table: Table, after: &Cursor, limit: u32) -> Result<Records> {
        self.target.read(table, after, limit).await
    }
}

#[async_trait]
impl Target for FailingTarget {
    async fn begin(&self, source: &SourceIdentity, metadata: &Metadata) -> Result<BeginOutcome> {
        self.attempt(self.target.begin(source, metadata)).await
    }

    async fn write(&self, records: Records, progress: &Progress) -> Result<()> {
        self.attempt(self.target.write(records, progress)).await
    }

    async fn finish(&self) -> Result<()> {
        self.attempt(self.target.finish()).await
    }

    fn how_to_empty(&self) -> String {
        self.target.how_to_empty()
    }
}
