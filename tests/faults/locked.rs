//! A database that another program keeps locked.

use std::time::Duration;

use api::Recorded;
use tests::server_process::Installation;
use tokio::time::sleep;

use crate::extent::by_extent;
use crate::journal::Journal;
use crate::lock::Lock;
use crate::verdict::{all_receipts_done, assert_whole};
use crate::yardstick::Yardstick;

/// As many as a busy site has at once; more would only fill the spool sooner.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn searches_go_on_while_the_database_is_locked() {
    // SQLite's own patience is 5 s: what waits for it is answered before, what waits longer is refused by it.
    let holds_ms: &[u64] = by_extent(&[100, 1_000, 6_000], &[100, 1_000, 6_000, 30_000]);
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let yardstick = Yardstick::hold_to(&installation);
    let client = server.client();
    let mut load = journal.load(&client, CLIENTS);
    for hold_ms in holds_ms {
        load.answered_more(20).await;
        let spooled = journal.count(Recorded::Spooled);
        let lock = Lock::take(&installation.database()).await;
        sleep(Duration::from_millis(*hold_ms)).await;
        lock.release().await;
        yardstick.assert_nobody_waited(&journal);
        let is_long = *hold_ms >= 1_000;
        assert!(!is_long || journal.count(Recorded::Spooled) > spooled, "locked for {hold_ms} ms, and nothing spooled");
    }
    load.stop().await;
    assert_eq!(journal.count(Recorded::NotRecorded), 0);
    assert_whole(&installation, &journal).await;
    all_receipts_done(&client, journal.receipts(Recorded::Spooled)).await;
}
