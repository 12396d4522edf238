//! What must be true of a system that was restored from a backup.

use std::collections::BTreeSet;

use api::{Receipt, Recorded, SearchId};
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::verdict::{all_receipts_done, assert_ledger_adds_up};

/// What had been answered at a moment.
pub(super) struct Promises {
    searches: BTreeSet<SearchId>,
    receipts: Vec<Receipt>,
}

impl Promises {
    pub(super) fn so_far(journal: &Journal) -> Self {
        let mut promises = Self { searches: BTreeSet::new(), receipts: Vec::new() };
        promises.add(journal, Recorded::Accepted);
        promises.add(journal, Recorded::Spooled);
        promises
    }

    /// What was answered so since.
    pub(super) fn add(&mut self, journal: &Journal, recorded: Recorded) {
        let (searches, receipts) = (journal.searches(recorded), journal.receipts(recorded));
        self.searches.extend(searches);
        self.receipts.extend(receipts);
    }

    /// Waits until the running server has done what is to do. Panics unless each of these searches is in the log and none
    /// is there twice, their receipts are good, the books balance, and what is searched from now on is counted rightly.
    pub(super) async fn kept(
        self,
        restored: &Installation,
        journal: &Journal,
        mut log: impl AsyncFnMut() -> Vec<SearchId>,
    ) {
        let client = restored.client();
        eventually("the restored server has written what it was to write", async || {
            let figures = ledger(&client).await;
            let (recorded, accepted) = (figures("{place=\"recorded\"}"), figures("_accepted"));
            (recorded == accepted).then_some(())
        })
        .await;
        let rows = log().await;
        let logged: BTreeSet<_> = rows.iter().copied().collect();
        assert_eq!(logged.len(), rows.len(), "a search is in the log twice");
        let lost: Vec<_> = self.searches.difference(&logged).collect();
        assert!(lost.is_empty(), "{} of {} are not in the log: {lost:?}", lost.len(), self.searches.len());
        assert!(logged.iter().all(|id| journal.phrases().contains_key(id)), "a row says what nobody asked");
        all_receipts_done(&client, self.receipts).await;
        assert_ledger_adds_up(restored).await;
        for _ in 0..40 {
            assert_ne!(journal.search(&client).await.expect("the server answers"), Recorded::NotRecorded);
        }
        all_counted(&client, &mut log).await;
        assert!(log().await.len() == rows.len() + 40, "each search since the restore has a row");
        assert_ledger_adds_up(restored).await;
    }
}

/// Waits until the server says that as many searches were accepted and recorded as there are rows.
pub(super) async fn all_counted(client: &HttpClient, mut log: impl AsyncFnMut() -> Vec<SearchId>) {
    eventually("each row is counted once", async || {
        let figures = ledger(client).await;
        let rows = u64::try_from(log().await.len()).ok();
        (figures("_accepted") == rows && figures("{place=\"recorded\"}") == rows).then_some(())
    })
    .await;
}

/// The ledger's figures, as a monitor reads them.
async fn ledger(client: &HttpClient) -> impl Fn(&str) -> Option<u64> + use<> {
    let answer = client.get("/metrics").await.expect("the server answers");
    move |figure| {
        let name = format!("search4letters_ledger{figure} ");
        answer.body.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    }
}
