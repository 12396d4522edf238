//! Writes the file so that after any crash, every synced record is recovered and no emptied record returns.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::image::{Gap, HEADER_BYTES, Image, Phase};
use crate::line::{Line, fits_in_a_line};
use crate::{AppendError, Record};

/// The file operations that the spool needs, so that tests can replace the disk by one that fails.
///
/// Written bytes survive a crash once [`Storage::sync`] has returned Ok.
pub(crate) trait Storage: Send + 'static {
    fn read_all(&mut self) -> io::Result<Vec<u8>>;

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    fn sync(&mut self) -> io::Result<()>;
}

impl Storage for File {
    fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let size = self.metadata()?.len();
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The file never grows while it is in use, so there is no metadata to sync.
        self.sync_data()
    }
}

/// Writes real bytes instead of a hole, because a file system may overcommit its space.
pub(crate) fn write_nuls(storage: &mut impl Storage, range: Range<u64>) -> io::Result<()> {
    const CHUNK: u64 = 1 << 20;
    let nuls = vec![0; CHUNK.min(range.end.saturating_sub(range.start)) as usize];
    let mut at = range.start;
    while at < range.end {
        let length = CHUNK.min(range.end - at);
        storage.write_at(&nuls[..length as usize], at)?;
        at += length;
    }
    Ok(())
}

#[derive(Debug)]
pub(crate) struct SpoolFile<S> {
    storage: S,
    capacity: u64,
    /// Where the next line starts.
    end: u64,
    /// The end of the bytes that a failed write may have left behind.
    dirty_to: u64,
    next_number: u64,
    /// Whether the header says, or may say, that the file is being emptied. Until the emptying is complete, no line may
    /// be written, because the next start would erase it.
    is_emptying: bool,
}

/// The contents of a file when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// With their line numbers.
    pub(crate) records: Vec<(u64, Record)>,
    pub(crate) gaps: Vec<Gap>,
    /// The bytes of every piece of every gap.
    pub(crate) damaged: Vec<Vec<u8>>,
    pub(crate) torn: Option<Range<u64>>,
}

impl<S: Storage> SpoolFile<S> {
    pub(crate) fn open(mut storage: S) -> io::Result<(Self, Recovered)> {
        let bytes = storage.read_all()?;
        let capacity = bytes.len() as u64;
        let mut file = Self { storage, capacity, end: capacity, dirty_to: capacity, next_number: 1, is_emptying: true };
        if Phase::of(&bytes) == Phase::Emptying {
            file.empty()?;
            return Ok((file, Recovered::default()));
        }
        file.is_emptying = false;
        let Image { lines, end, next_number, gaps, torn } = Image::read(&bytes);
        (file.end, file.next_number) = (end, next_number);
        let pieces = gaps.iter().flat_map(|gap| &gap.pieces);
        let damaged = pieces.map(|piece| bytes[piece.start as usize..piece.end as usize].to_vec()).collect();
        let records = lines.into_iter().filter_map(|line| match line {
            Line::Record { number, record } => Some((number, record)),
            Line::Void { .. } => None,
        });
        Ok((file, Recovered { records: records.collect(), gaps, damaged, torn }))
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.end - HEADER_BYTES
    }

    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.capacity.saturating_sub(HEADER_BYTES)
    }

    /// Overwrites quarantined bytes, so that they are not found again.
    pub(crate) fn clear(&mut self, gaps: &[Gap], torn: Option<Range<u64>>) -> io::Result<()> {
        for gap in gaps {
            write_nuls(&mut self.storage, gap.range.clone())?;
            if !gap.numbers.is_empty() {
                let mut void = Vec::new();
                Line::write_void(&gap.numbers, &mut void);
                self.storage.write_at(&void, gap.range.start)?;
            }
        }
        if let Some(torn) = torn {
            write_nuls(&mut self.storage, torn)?;
        }
        self.storage.sync()?;
        self.dirty_to = self.end;
        Ok(())
    }

    /// Writes all records that fit with one write and one sync. Each result is the line's number.
    pub(crate) fn append(&mut self, records: &[Record]) -> Vec<Result<u64, AppendError>> {
        if self.is_emptying
            && let Err(error) = self.empty()
        {
            return vec![Err(AppendError::Io { reason: error.to_string() }); records.len()];
        }
        let mut bytes = Vec::new();
        let mut number = self.next_number;
        let mut results: Vec<Result<u64, AppendError>> = records
            .iter()
            .map(|record| {
                if !fits_in_a_line(&record.payload) {
                    return Err(AppendError::Unfit);
                }
                let before = bytes.len();
                Line::write_record(number, record, &mut bytes);
                if self.end + bytes.len() as u64 > self.capacity {
                    bytes.truncate(before);
                    return Err(AppendError::Full { capacity_bytes: self.capacity_bytes() });
                }
                number += 1;
                Ok(number - 1)
            })
            .collect();
        if bytes.is_empty() {
            return results;
        }
        match self.write_lines(bytes) {
            Ok(()) => self.next_number = number,
            Err(error) => {
                let reason = error.to_string();
                for result in results.iter_mut().filter(|result| result.is_ok()) {
                    *result = Err(AppendError::Io { reason: reason.clone() });
                }
            }
        }
        results
    }

    fn write_lines(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        let length = bytes.len() as u64;
        // Overwrites the rest of a failed write, which would be read as part of these lines.
        let left = self.dirty_to.saturating_sub(self.end + length);
        bytes.resize(bytes.len() + left as usize, 0);
        self.dirty_to = self.end + bytes.len() as u64;
        self.storage.write_at(&bytes, self.end)?;
        self.storage.sync()?;
        self.end += length;
        self.dirty_to = self.end;
        Ok(())
    }

    /// Erases all lines. The header is marked first: overwriting is not atomic, and half of a line would look like a
    /// damaged one.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        self.is_emptying = true;
        self.storage.write_at(&Phase::Emptying.header(), 0)?;
        self.storage.sync()?;
        write_nuls(&mut self.storage, HEADER_BYTES..self.dirty_to.max(self.end))?;
        self.storage.sync()?;
        self.storage.write_at(&Phase::Open.header(), 0)?;
        self.storage.sync()?;
        (self.end, self.dirty_to, self.next_number) = (HEADER_BYTES, HEADER_BYTES, 1);
        self.is_emptying = false;
        Ok(())
    }
}

#[cfg(test)]
mod simulated_disk;
#[cfg(test)]
mod tests;
