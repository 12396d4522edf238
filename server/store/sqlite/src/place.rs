//! Where the database's file is, whether it is still there, and whether it is sound.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use store::{Result, StoreError};

/// A file's path, and which file it was that stood there when it was opened. Clones share what is known of it.
///
/// Who has a file open goes on writing to it when it is moved away or deleted, and everything that
/// is written then is lost without a word. And SQLite would mix the write-ahead log that is left behind
/// with another file that is put there. So it is looked at before each commit and each read.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// What SQLite said when it found the file damaged.
    damage: Arc<OnceLock<StoreError>>,
}

impl Place {
    pub(crate) fn of(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&std::fs::metadata(&path)?);
        Ok(Self { path, identity, damage: Arc::default() })
    }

    pub(crate) fn check(&self) -> Result<()> {
        let file = self.path.display();
        match std::fs::metadata(&self.path) {
            Ok(metadata) if identity(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(StoreError::Connection(format!(
                "{file} was replaced by another file while it was in use: put it back, or restart to use the new one"
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Connection(format!(
                "{file} was moved away or deleted while it was in use: put it back"
            ))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(StoreError::Credentials(format!("{file}: {error}")))
            }
            Err(error) => Err(StoreError::Connection(format!("{file}: {error}"))),
        }
    }

    /// Fails also where the file is known to be damaged: writing makes it worse, and what it took may be lost with it.
    pub(crate) fn check_for_writing(&self) -> Result<()> {
        self.damage.get().map_or_else(|| self.check(), |damage| Err(damage.clone()))
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
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
