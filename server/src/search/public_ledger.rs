//! The public ledger: where the searches of all visitors are, on the entry page.

use std::sync::Arc;
use std::time::Duration;

use api::{PublicLedger, TimeMs};
use spool::Spool;
use store::{Clock, Store, within};
use tokio::sync::Mutex;

/// One reading serves all visitors for this long.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// How long a visitor waits for the database.
const DEADLINE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerAccess {
    Public,
    AdministratorsOnly,
}

pub struct LedgerReader {
    store: Arc<dyn Store>,
    spool: Arc<Spool>,
    clock: Arc<dyn Clock>,
    access: LedgerAccess,
    /// The last reading and its time. Held during a reading, so that only one is made at a time.
    last: Mutex<Option<(TimeMs, Option<PublicLedger>)>>,
}

impl LedgerReader {
    pub fn new(store: Arc<dyn Store>, spool: Arc<Spool>, clock: Arc<dyn Clock>, access: LedgerAccess) -> Self {
        Self { store, spool, clock, access, last: Mutex::default() }
    }

    pub async fn read(&self) -> Option<PublicLedger> {
        if self.access == LedgerAccess::AdministratorsOnly {
            return None;
        }
        let mut last = self.last.lock().await;
        let now = self.clock.steady();
        // A shared clock may be set back.
        if let Some((read_at, ledger)) = *last
            && (read_at..read_at.after(KEPT_FOR)).contains(&now)
        {
            return ledger;
        }
        // Before the store is read: a record that is replayed in between is counted twice, not missed.
        let spooled = self.spool.state().records;
        let ledger = within(&*self.clock, DEADLINE, self.store.ledger()).await.ok();
        let ledger = ledger.map(|ledger| ledger.with_spooled(spooled).into());
        *last = Some((self.clock.steady(), ledger));
        ledger
    }
}
