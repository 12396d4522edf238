//! The database's file: locked by one owner, and checked while it is in use.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::UNIX_EPOCH;

use store::{Result, StoreError};

use crate::surroundings::is_on_network;

/// The most bytes of a lock file: a process id and a line break.
const LOCK_FILE_BYTES: u64 = 11;

/// A path, and the identity of the file that was opened there. Clones share the error that was found.
///
/// A process keeps writing to an open file after it was moved or deleted, and those writes are lost silently. Also,
/// SQLite would apply the write-ahead log that stays behind to another file at the same path. So the file is checked
/// before each commit and each read.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// SQLite's error, if it has found the file damaged.
    damage: Arc<OnceLock<StoreError>>,
}

impl DatabaseFile {
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&std::fs::metadata(&path)?);
        Ok(Self { path, identity, damage: Arc::default() })
    }

    /// Tells the file from copies of it, as long as it stays on its disk. Without the device, whose number may change when
    /// the machine starts. Files on two disks may have the same inode, so the time of their creation counts too, where
    /// the file system knows it.
    pub(crate) fn lasting_identity(&self) -> String {
        let created = std::fs::metadata(&self.path).and_then(|metadata| metadata.created()).ok();
        let created = created.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        format!("{} {}", self.identity.1, created.as_nanos())
    }

    pub(crate) fn check(&self) -> Result<()> {
        let file = self.path.display();
        match std::fs::metadata(&self.path) {
            Ok(metadata) if identity(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(self.replaced()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Connection(format!(
                "{file} was moved away or deleted while it was in use: put it back"
            ))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(StoreError::Credentials(format!("{file}: {error}")))
            }
            Err(error) => Err(StoreError::Connection(format!("{file}: {error}"))),
        }
    }

    fn replaced(&self) -> StoreError {
        let file = self.path.display();
        StoreError::Connection(format!(
            "{file} was replaced by another file while it was in use: put it back, or restart to use the new one"
        ))
    }

    /// Also fails if the file is known to be damaged: writing would make it worse, and the written data may be lost.
    pub(crate) fn check_for_writing(&self) -> Result<()> {
        self.damage.get().map_or_else(|| self.check(), |damage| Err(damage.clone()))
    }

    /// If `error` says that the file is damaged, remembers it until the next start.
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

/// Owns the database until it is dropped. The system releases the locks if the process dies.
///
/// The database's file itself is locked, so that it has one owner whatever its names are: symbolic links, hard links and
/// other mounts lead to the same file. SQLite's own locks are of another kind, and do not conflict.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    /// Beside the database. Names the owner's process, and locks where the database's file cannot be locked itself.
    lock_file: File,
    /// The lock file of earlier versions, if there is one. Shared: two databases may have had the same one.
    earlier_lock_file: Option<File>,
    /// Closing it would also drop SQLite's locks in this process, so it must stay open as long as any connection.
    database: File,
}

pub(crate) enum LockError {
    /// Held by the process with this id, if it has written one.
    Held(Option<u32>),
    /// The database's file cannot be opened or made.
    Database(io::Error),
    LockFile(io::Error),
    /// A file of somebody else has the lock file's name.
    ForeignLockFile(PathBuf),
}

impl OwnerLock {
    /// Creates an empty file if there is no database yet.
    pub(crate) fn take(database: &Path) -> Result<Self, LockError> {
        let open = || match File::open(database) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => private().open(database),
            opened => opened,
        };
        let target = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let earlier = Some(target.with_extension("lock")).filter(|earlier| *earlier != target);
        let earlier_lock_file = earlier.as_deref().map_or(Ok(None), lock_shared)?;
        // The file is never removed: a process that has just opened it would lock a file that the next one does not
        // see.
        let lock_path = with_ending(&target, ".lock");
        let mut lock_file = private().open(&lock_path).map_err(LockError::LockFile)?;
        if !is_lock_file(&mut lock_file) {
            return Err(LockError::ForeignLockFile(lock_path));
        }
        match lock_file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(read_pid(&mut lock_file))),
            Err(TryLockError::Error(error)) => return Err(LockError::LockFile(error)),
        }
        let database = open().map_err(LockError::Database)?;
        if has_separate_locks(&database) {
            match database.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Held(None)),
                Err(TryLockError::Error(error)) => return Err(LockError::Database(error)),
            }
        }
        write_pid(&mut lock_file).map_err(LockError::LockFile)?;
        Ok(Self { lock_file, earlier_lock_file, database })
    }

    /// Lets others own the database. Keeps its file open.
    pub(crate) fn release(&self) -> io::Result<()> {
        self.lock_file.unlock()?;
        self.earlier_lock_file.as_ref().map_or(Ok(()), File::unlock)?;
        self.database.unlock()
    }

    /// Fails if another file has taken the place of the one that was locked.
    pub(crate) fn check(&self, file: &DatabaseFile) -> Result<()> {
        let locked = self.database.metadata().map(|metadata| identity(&metadata));
        if locked.is_ok_and(|locked| locked == file.identity) { Ok(()) } else { Err(file.replaced()) }
    }
}

impl Drop for OwnerLock {
    /// A child process that is just being started holds the files open too, so closing them would not unlock them yet.
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            tracing::warn!(%error, "the database's file could not be unlocked; the system does it when this process ends");
        }
    }
}

/// Whether locks of whole files and SQLite's locks are independent: on Linux, on disks of the machine itself.
fn has_separate_locks(file: &File) -> bool {
    cfg!(target_os = "linux") && !is_on_network(file)
}

/// Opens a file, or makes one that other users cannot open, whatever the folder's default access list is.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// The path with `ending` after its whole name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Keeps out an owner of an earlier version, if its lock file is there. Any other file of that name is left alone.
fn lock_shared(path: &Path) -> Result<Option<File>, LockError> {
    let Ok(mut file) = File::open(path) else { return Ok(None) };
    if !is_lock_file(&mut file) {
        return Ok(None);
    }
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(LockError::Held(read_pid(&mut file))),
        Err(TryLockError::Error(error)) => Err(LockError::LockFile(error)),
    }
}

/// Whether the file is one that `write_pid` has written, or a new one.
fn is_lock_file(file: &mut File) -> bool {
    let is_small = file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LOCK_FILE_BYTES);
    is_small && (file.metadata().is_ok_and(|metadata| metadata.len() == 0) || read_pid(file).is_some())
}

/// Truncates after the write, not before: freeing the file's only block would cost milliseconds.
fn write_pid(file: &mut File) -> io::Result<()> {
    let line = format!("{}\n", std::process::id());
    file.rewind()?;
    file.write_all(line.as_bytes())?;
    file.set_len(line.len() as u64)
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
