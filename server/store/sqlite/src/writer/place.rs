//! Where the database's file is, and whether it is still there.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use store::{Result, StoreError};

/// A file's path, and which file it was that stood there when it was opened.
///
/// Who has a file open goes on writing to it when it is moved away or deleted, and everything that
/// is written then is lost without a word. So it is looked at before each commit.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl Place {
    pub(crate) fn of(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&std::fs::metadata(&path)?);
        Ok(Self { path, identity })
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
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
