//! `spool replay`: moves the records in a lost process's spool into the database.

use std::path::Path;

use anyhow::{anyhow, bail};
use spool::{OpenError, Options, Spool};
use store::{Clock, Store};

use crate::platform::output::print;
use crate::search::replay::{Batch, replay_batch};

/// Opens the folder's spool. Fails while its own process still runs.
pub fn open_left_spool(folder: &Path) -> anyhow::Result<Spool> {
    let shown = folder.display();
    match spool::inspect(folder) {
        Ok(Some(_)) => {}
        Ok(None) => {
            let inside = folder.join("spool");
            let hint = if matches!(spool::inspect(&inside), Ok(Some(_))) {
                format!("there is one in {}: name that folder", inside.display())
            } else {
                "name the folder `spool` in the data folder of the process that is lost".to_owned()
            };
            bail!("{shown} has no spool in it; {hint}");
        }
        Err(error) => bail!("the spool in {shown} cannot be read: {error}"),
    }
    // No capacity beyond its present size: nothing will be written into it.
    Spool::open(Options { folder: folder.to_owned(), capacity_bytes: 0 }).map_err(|error| match error {
        OpenError::InUse { .. } => anyhow!(
            "the process that the spool in {shown} belongs to still lives, and replays it by itself; \
             wait for that, or stop the process first"
        ),
        other => other.into(),
    })
}

/// Replays all records of the spool and prints the counts. Fails if a record remains that is not in the database. Safe
/// to repeat.
pub async fn replay_spool(store: &dyn Store, spool: &Spool, clock: &dyn Clock) -> anyhow::Result<()> {
    let (mut new, mut known) = (0, 0);
    let last = loop {
        let batch = replay_batch(store, spool, clock).await;
        (new, known) = (new + batch.new, known + batch.known);
        if batch.is_empty() || batch.left > 0 || batch.failure.is_some() {
            break batch;
        }
    };
    let state = spool.state();
    let (set_aside, left) = (state.quarantined, state.records);
    print(&format!("recorded: {new}, already known: {known}, set aside: {set_aside}, left: {left}\n"))?;
    match last {
        Batch { failure: Some(error), .. } => bail!("the database took no more: {error}"),
        Batch { left: 1.., .. } => {
            let folder = spool.folder().display();
            bail!("records could not be set aside: see that this user may write in {folder}")
        }
        _ if state.quarantined > 0 => bail!(
            "records that cannot be replayed stand in {}: look into the file, deal with it, and move it away",
            spool.quarantine_file().display()
        ),
        _ => Ok(()),
    }
}
