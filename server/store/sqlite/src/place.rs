//! The database's file: whether it is still the one that was opened, and whether it is sound.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use store::{Result, StoreError};

/// SQLite goes on writing to a file that was moved away, and would mix the write-ahead log that is left behind with
/// whatever file stands in its place. So the place is looked at before the database is touched.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: PathBuf,
    device: u64,
    inode: u64,
    /// What SQLite said when it found the file damaged.
    damage: Arc<OnceLock<StoreError>>,
}

impl Place {
    /// The place of a database that has just been opened.
    pub(crate) fn of(file: PathBuf) -> io::Result<Self> {
        let metadata = fs::metadata(&file)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), file, damage: Arc::default() })
    }

    /// Fails unless our file is in its place and, as far as is known, sound. Whoever writes to a damaged file makes it
    /// worse, and what it took may be lost with it.
    pub(crate) fn look_for_writing(&self) -> Result<()> {
        self.damage.get().map_or_else(|| self.look(), |damage| Err(damage.clone()))
    }

    /// Keeps in mind, until the next start, what says that the file is damaged.
    pub(crate) fn note(&self, error: &StoreError) {
        if let StoreError::Damaged(detail) = error
            && self.damage.set(error.clone()).is_ok()
        {
            tracing::error!(
                detail,
                "the database is damaged and not written to any more: restore a backup and start again"
            );
        }
    }

    /// Fails unless our file is in its place.
    pub(crate) fn look(&self) -> Result<()> {
        match fs::metadata(&self.file) {
            Ok(metadata) if self.is_ours(&metadata) => Ok(()),
            Ok(_) => Err(self.missed("another file is in the place of")),
            Err(_) => Err(self.missed("there is no file any more in the place of")),
        }
    }

    fn is_ours(&self, metadata: &Metadata) -> bool {
        (metadata.dev(), metadata.ino()) == (self.device, self.inode)
    }

    fn missed(&self, what: &str) -> StoreError {
        StoreError::Connection(format!("{what} {}: put the database back, or start again", self.file.display()))
    }
}
