//! The spool's folder on disk: a lock, the file of records, and the quarantine file.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::file::{Storage, write_nuls};
use crate::file_system::{self, Risk};
use crate::image::{HEADER_BYTES, Image, Phase};
use crate::line::Line;
use crate::{OpenError, Options};

const RECORDS_NAME: &str = "records";
const LOCK_NAME: &str = "lock";
const QUARANTINE_NAME: &str = "set-aside";

/// A spool's file of records, reserved for this process.
pub(crate) struct Opened {
    /// With at least the requested capacity.
    pub(crate) file: File,
    pub(crate) place: Place,
    /// Held while anything may be written.
    pub(crate) lock: File,
}

pub(crate) fn open(options: &Options) -> Result<Opened, OpenError> {
    let Options { folder, capacity_bytes } = options;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|reason| OpenError::FolderCannotBeMade { folder: folder.clone(), reason })?;
    let failed = |reason: io::Error| match reason.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            OpenError::DiskFull { folder: folder.clone(), capacity_bytes: *capacity_bytes }
        }
        io::ErrorKind::FileTooLarge => OpenError::TooLarge { folder: folder.clone(), capacity_bytes: *capacity_bytes },
        _ => OpenError::Io { folder: folder.clone(), reason },
    };
    let lock = private().write(true).truncate(false).open(folder.join(LOCK_NAME));
    let lock = lock.map_err(failed)?;
    take(&lock, folder)?;
    let file = open_records(folder, *capacity_bytes).map_err(failed)?;
    // A hard link may lead to this file from another folder.
    take(&file, folder)?;
    let place = Place::of(&file, folder.join(RECORDS_NAME)).map_err(failed)?;
    if let Some(risk) = file_system::risk(&file) {
        tracing::warn!("the spool in {} keeps less than it promises: {}", folder.display(), risk.text());
    }
    Ok(Opened { file, place, lock })
}

/// Creates files that other users cannot open, whatever the folder's default access list is.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

/// Locks the file itself, whatever its name is.
fn take(file: &File, folder: &Path) -> Result<(), OpenError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse { folder: folder.to_owned() },
        TryLockError::Error(reason) => OpenError::Io { folder: folder.to_owned(), reason },
    })
}

/// Where the file of records is. A process keeps writing to a file that was moved away, and the next one would not find
/// those records.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl Place {
    fn of(file: &File, path: PathBuf) -> io::Result<Self> {
        Ok(Self { path, identity: identity(&file.metadata()?) })
    }

    /// Fails if another file, or none, is there now.
    pub(crate) fn check(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|metadata| identity(&metadata) == self.identity) {
            return Ok(());
        }
        let path = self.path.display();
        Err(io::Error::other(format!("{path} was moved away or replaced while it was in use: put it back, or restart")))
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn open_records(folder: &Path, capacity_bytes: u64) -> io::Result<File> {
    let path = folder.join(RECORDS_NAME);
    let wanted = HEADER_BYTES + capacity_bytes;
    match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(mut file) => {
            let size = file.metadata()?.len();
            // A file that is larger than requested may contain records, so it is not truncated.
            if size < wanted {
                write_nuls(&mut file, size..wanted)?;
                file.sync_all()?;
            }
            if !file_system::is_better_rewritten(&file) {
                return Ok(file);
            }
            let bytes = file.read_all()?;
            // The old file is as good as before if the disk has no room for a second one.
            Ok(create_records(folder, &path, |new| new.write_at(&bytes, 0)).unwrap_or(file))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_records(folder, &path, |new| {
            new.write_at(&Phase::Open.header(), 0)?;
            write_nuls(new, HEADER_BYTES..wanted)
        }),
        Err(error) => Err(error),
    }
}

/// Creates the file under another name until it is complete, so that a crash leaves no partial file.
fn create_records(folder: &Path, path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<File> {
    let unfinished = path.with_extension("new");
    let mut file = private().read(true).write(true).truncate(true).open(&unfinished)?;
    file_system::ask_for_overwriting(&file);
    if let Err(error) = write(&mut file).and_then(|()| file.sync_all()) {
        // On a full disk, a partial file would take up the last space.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// The quarantine file of a spool's folder.
pub fn quarantine_file(folder: &Path) -> PathBuf {
    folder.join(QUARANTINE_NAME)
}

/// The file of records that cannot be replayed: one JSON object per line, for an operator to examine.
#[derive(Debug)]
pub(crate) struct Quarantine {
    path: PathBuf,
    lines: u64,
}

impl Quarantine {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = quarantine_file(folder);
        let lines = count_lines(&path)?;
        Ok(Self { path, lines })
    }

    /// The number of lines after the last write.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Durable when it returns. Bytes that are not UTF-8 are escaped.
    pub(crate) fn add(&mut self, why: &str, line: &[u8]) -> io::Result<()> {
        if !self.path.exists() {
            self.lines = 0;
        }
        let text = std::str::from_utf8(line).map_or_else(|_| line.escape_ascii().to_string(), str::to_owned);
        let mut file = private().append(true).open(&self.path)?;
        writeln!(file, "{}", json!({ "why": why, "line": text }))?;
        file.sync_all()?;
        self.lines += 1;
        match self.path.parent() {
            // A new file's directory entry must be durable too.
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

fn count_lines(file: &Path) -> io::Result<u64> {
    Ok(read_if_exists(file)?.map_or(0, |bytes| bytes.iter().filter(|&&byte| byte == b'\n').count() as u64))
}

fn read_if_exists(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The contents of a folder's spool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Some of them may already be in the database: the file is emptied only once all are.
    pub records: u64,
    /// The number of gaps: ranges of damaged or missing lines.
    pub gaps: u64,
    /// Lines in the quarantine file.
    pub quarantined: u64,
    /// What the file system does not keep.
    pub risk: Option<Risk>,
}

/// Reads a spool without changing it, even while another process uses it. Returns `None` if there is no spool yet.
pub fn inspect(folder: &Path) -> io::Result<Option<Inspection>> {
    let path = folder.join(RECORDS_NAME);
    let Some(bytes) = read_if_exists(&path)? else { return Ok(None) };
    let risk = file_system::risk(&File::open(path)?);
    let quarantined = count_lines(&quarantine_file(folder))?;
    if Phase::of(&bytes) == Phase::Emptying {
        return Ok(Some(Inspection { quarantined, risk, ..Inspection::default() }));
    }
    let Image { lines, gaps, .. } = Image::read(&bytes);
    let records = lines.iter().filter(|line| matches!(line, Line::Record { .. })).count();
    Ok(Some(Inspection { records: records as u64, gaps: gaps.len() as u64, quarantined, risk }))
}
