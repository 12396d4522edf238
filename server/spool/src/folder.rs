//! The folder on the disk: its lock, and the file that is written in full before it is used.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::image::{HEADER_BYTES, Phase};
use crate::medium::Medium;
use crate::{OpenError, Options};

pub(crate) const NAME: &str = "records";
const LOCK_NAME: &str = "lock";

/// The spool's file, of at least the capacity asked for, and the lock that keeps it ours.
pub(crate) fn open(options: &Options) -> Result<(File, File), OpenError> {
    let Options { folder, capacity_bytes } = options;
    fs::create_dir_all(folder).map_err(|reason| OpenError::FolderCannotBeMade { folder: folder.clone(), reason })?;
    let lock = lock(folder)?;
    let file = sized(folder, *capacity_bytes).map_err(|reason| match reason.kind() {
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

fn sized(folder: &Path, capacity_bytes: u64) -> io::Result<File> {
    let path = folder.join(NAME);
    let wanted = HEADER_BYTES + capacity_bytes;
    match OpenOptions::new().read(true).write(true).open(&path) {
        // A larger one than is wanted may hold records, and does no harm.
        Ok(file) if file.metadata()?.len() >= wanted => Ok(file),
        Ok(mut file) => {
            let size = file.metadata()?.len();
            write_nuls(&mut file, size, wanted)?;
            file.sync_all()?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &path, wanted),
        Err(error) => Err(error),
    }
}

/// Under another name until it is whole: a crash in between leaves no file that is half made.
fn make(folder: &Path, path: &Path, size: u64) -> io::Result<File> {
    let unfinished = path.with_extension("new");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&unfinished)?;
    let written = file.write_at(&Phase::Open.header(), 0).and_then(|()| write_nuls(&mut file, HEADER_BYTES, size));
    if let Err(error) = written.and_then(|()| file.sync_all()) {
        // On a full disk the rest would keep others from the little that is left.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Written and not only asked for: a file system may promise room that it does not have.
fn write_nuls(file: &mut File, from: u64, to: u64) -> io::Result<()> {
    let nuls = vec![0; 1 << 20];
    let mut at = from;
    while at < to {
        let length = (to - at).min(nuls.len() as u64);
        file.write_at(&nuls[..length as usize], at)?;
        at += length;
    }
    Ok(())
}
