//! The log may be slow: those who search do not notice.

use std::time::Duration;

use tests::eventually;
use tests::server_process::Installation;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::journal::Journal;
use crate::table::Tables;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_searches_are_answered_at_once_and_all_written_later() {
    const SEARCHES: i64 = 200;
    const DELAY: Duration = Duration::from_secs(6);
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&["--log-delay", "6s"]).await;

    let began = Instant::now();
    let mut searches = JoinSet::new();
    for _ in 0..SEARCHES {
        let (journal, client) = (journal.clone(), server.client());
        searches.spawn(async move { journal.search(&client).await });
    }
    assert!(searches.join_all().await.into_iter().all(|answer| answer.is_some()));
    let mut tables = Tables::open(&installation.database()).await;
    // Had a single one waited for its log write, this would come after the first row.
    assert_eq!(tables.number("select count(*) from log").await, 0);
    assert!(began.elapsed() < DELAY, "answered after {:?}", began.elapsed());

    eventually("all of them sleep side by side", async || {
        (tables.jobs().await.get("running") == Some(&SEARCHES)).then_some(())
    })
    .await;
    tables.all_jobs_done().await;
    assert!(began.elapsed() >= DELAY, "the delay was not kept");
    assert!(began.elapsed() < 3 * DELAY, "they did not sleep side by side, but took {:?}", began.elapsed());
    tables.assert_logged(&journal).await;
    assert_eq!(tables.number("select count(*) from log").await, SEARCHES);
}
