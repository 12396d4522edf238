//! The spool's folder on disk: a lock, the file of records, and the quarantine file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::file::{Storage, write_nuls};
use crate::image::{HEADER_BYTES, Image, Phase};
use crate::line::Line;
use crate::{OpenError, Options};

const RECORDS_NAME: &str = "records";
const LOCK_NAME: &str = "lock";
const QUARANTINE_NAME: &str = "set-aside";

/// The file of records, with at least the requested capacity, and the lock that reserves it for this process.
pub(crate) fn open(options: &Options) -> Result<(File, File), OpenError> {
    let Options { folder, capacity_bytes } = options;
    fs::create_dir_all(folder).map_err(|reason| OpenError::FolderCannotBeMade { folder: folder.clone(), reason })?;
    let lock = lock(folder)?;
    let file = open_records(folder, *capacity_bytes).map_err(|reason| match reason.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            OpenError::DiskFull { folder: folder.clone(), capacity_bytes: *capacity_bytes }
        }
        _ => OpenError::Io { folder: folder.clone(), reason },
    })?;
    Ok((file, lock))
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let failed = |reason| OpenError::Io { folder: folder.to_owned(), reason };
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(LOCK_NAME)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(reason)) => Err(failed(reason)),
    }
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
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_records(folder, &path, wanted),
        Err(error) => Err(error),
    }
}

/// Creates the file under another name until it is complete, so that a crash leaves no partial file.
fn create_records(folder: &Path, path: &Path, size: u64) -> io::Result<File> {
    let unfinished = path.with_extension("new");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&unfinished)?;
    let written = file.write_at(&Phase::Open.header(), 0).and_then(|()| write_nuls(&mut file, HEADER_BYTES..size));
    if let Err(error) = written.and_then(|()| file.sync_all()) {
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
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path)?;
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
}

/// Reads a spool without changing it, even while another process uses it. Returns `None` if there is no spool yet.
pub fn inspect(folder: &Path) -> io::Result<Option<Inspection>> {
    let Some(bytes) = read_if_exists(&folder.join(RECORDS_NAME))? else { return Ok(None) };
    let quarantined = count_lines(&quarantine_file(folder))?;
    if Phase::of(&bytes) == Phase::Emptying {
        return Ok(Some(Inspection { quarantined, ..Inspection::default() }));
    }
    let Image { lines, gaps, .. } = Image::read(&bytes);
    let records = lines.iter().filter(|line| matches!(line, Line::Record { .. })).count();
    Ok(Some(Inspection { records: records as u64, gaps: gaps.len() as u64, quarantined }))
}
