//! `spool replay`: what a process that is lost has left in its spool goes into the database.

use std::path::Path;

use spool::{OpenError, Options, Spool};
use store::{Clock, Store};

use super::CommandError;
use crate::search::replay_batch::{Batch, replay_batch};

/// Takes the folder's spool, unless the process that it belongs to still has it.
pub fn open_left_spool(folder: &Path) -> Result<Spool, CommandError> {
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
            return Err(CommandError(format!("{shown} has no spool in it; {hint}")));
        }
        Err(error) => return Err(CommandError(format!("the spool in {shown} cannot be read: {error}"))),
    }
    // As large as it is: nothing more will be written into it.
    Spool::open(Options { folder: folder.to_owned(), capacity_bytes: 0 }).map_err(|error| match error {
        OpenError::InUse { .. } => CommandError(format!(
            "the process that the spool in {shown} belongs to still lives, and replays it by itself; \
             wait for that, or stop the process first"
        )),
        other => CommandError(other.to_string()),
    })
}

/// Replays all that the spool has, and says what became of it. Fails where anything is left in the folder that is not
/// in the database; may be done again.
pub async fn replay_spool(store: &dyn Store, spool: &Spool, clock: &dyn Clock) -> Result<(), CommandError> {
    let (mut new, mut known) = (0, 0);
    let last = loop {
        let batch = replay_batch(store, spool, clock).await;
        (new, known) = (new + batch.new, known + batch.known);
        if batch.is_empty() || batch.left > 0 || batch.failure.is_some() {
            break batch;
        }
    };
    let state = spool.state();
    println!("recorded: {new}, already known: {known}, set aside: {}, left: {}", state.quarantined, state.records);
    match last {
        Batch { failure: Some(error), .. } => Err(CommandError(format!("the database took no more: {error}"))),
        Batch { left: 1.., .. } => {
            let folder = spool.folder().display();
            Err(CommandError(format!("records could not be set aside: see that this user may write in {folder}")))
        }
        _ if state.quarantined > 0 => Err(CommandError(format!(
            "records that cannot be replayed stand in {}: look into the file, deal with it, and move it away",
            spool.quarantine_file().display()
        ))),
        _ => Ok(()),
    }
}
