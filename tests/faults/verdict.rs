//! What is true of every installation once its troubles are over.

use std::time::Duration;

use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;

/// Nobody who searches waits longer, whatever the database does: the quarter of a second after which the server
/// turns to its spool, and what a busy machine may take for all else. Less than SQLite's patience of 5 s.
pub(crate) const SLOWEST_ANSWER: Duration = Duration::from_millis(250 + 2_000);

/// Waits until the running server has done all that is to do. Panics unless each promised row stands in the log once.
pub(crate) async fn assert_whole(installation: &Installation, journal: &Journal) {
    let mut tables = Tables::open(&installation.database()).await;
    tables.all_promises_kept(journal).await;
    tables.assert_logged(journal).await;
}
