//! How the file is written: so that whatever has happened before a crash, what was synced is
//! read again, and what was emptied is not.

use std::io;
use std::ops::Range;

use crate::image::{Gap, HEADER_BYTES, Image, Phase};
use crate::line::{Line, fits};
use crate::medium::Medium;
use crate::{AppendError, Record};

#[derive(Debug)]
pub(crate) struct SpoolFile<M> {
    medium: M,
    capacity: u64,
    /// Where the next line goes.
    end: u64,
    /// Up to where a write that failed may have left something.
    dirty_to: u64,
    next_number: u64,
    /// Whether the header says so, or might. Until it is over nothing may be written: the next
    /// start would empty the file of it.
    is_emptying: bool,
}

/// What was in a file when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// By their lines' numbers.
    pub(crate) records: Vec<(u64, Record)>,
    pub(crate) gaps: Vec<Gap>,
    /// What stands in each piece of each gap.
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) torn: Option<Range<u64>>,
}

impl<M: Medium> SpoolFile<M> {
    pub(crate) fn open(mut medium: M) -> io::Result<(Self, Found)> {
        let bytes = medium.read_all()?;
        let capacity = bytes.len() as u64;
        let mut file = Self { medium, capacity, end: capacity, dirty_to: capacity, next_number: 1, is_emptying: true };
        if Phase::of(&bytes) == Phase::Emptying {
            file.empty()?;
            return Ok((file, Found::default()));
        }
        file.is_emptying = false;
        let Image { lines, end, next_number, gaps, torn } = Image::read(&bytes);
        (file.end, file.next_number) = (end, next_number);
        let pieces = gaps.iter().flat_map(|gap| &gap.pieces);
        let pieces = pieces.map(|piece| bytes[piece.start as usize..piece.end as usize].to_vec()).collect();
        let records = lines.into_iter().filter_map(|line| match line {
            Line::Record { number, record } => Some((number, record)),
            Line::Void { .. } => None,
        });
        Ok((file, Found { records: records.collect(), gaps, pieces, torn }))
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.end - HEADER_BYTES
    }

    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.capacity.saturating_sub(HEADER_BYTES)
    }

    /// Overwrites what is no line, once it is known elsewhere, so that it is found only once.
    pub(crate) fn clear(&mut self, gaps: &[Gap], torn: Option<Range<u64>>) -> io::Result<()> {
        for gap in gaps {
            self.write_nuls(gap.place.clone())?;
            if !gap.numbers.is_empty() {
                let mut void = Vec::new();
                Line::write_void(&gap.numbers, &mut void);
                self.medium.write_at(&void, gap.place.start)?;
            }
        }
        if let Some(torn) = torn {
            self.write_nuls(torn)?;
        }
        self.medium.sync()?;
        self.dirty_to = self.end;
        Ok(())
    }

    /// Writes all that fit with one write and one sync; each answer is a line's number.
    pub(crate) fn append(&mut self, records: &[Record]) -> Vec<Result<u64, AppendError>> {
        if self.is_emptying
            && let Err(error) = self.empty()
        {
            return vec![Err(AppendError::Io { reason: error.to_string() }); records.len()];
        }
        let mut bytes = Vec::new();
        let mut number = self.next_number;
        let mut answers: Vec<Result<u64, AppendError>> = records
            .iter()
            .map(|record| {
                if !fits(&record.payload) {
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
            return answers;
        }
        match self.write_lines(bytes) {
            Ok(()) => self.next_number = number,
            Err(error) => {
                let reason = error.to_string();
                for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                    *answer = Err(AppendError::Io { reason: reason.clone() });
                }
            }
        }
        answers
    }

    fn write_lines(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        let length = bytes.len() as u64;
        // What a failed write has left behind must not be read as the end of these lines.
        let left = self.dirty_to.saturating_sub(self.end + length);
        bytes.resize(bytes.len() + left as usize, 0);
        self.dirty_to = self.end + bytes.len() as u64;
        self.medium.write_at(&bytes, self.end)?;
        self.medium.sync()?;
        self.end += length;
        self.dirty_to = self.end;
        Ok(())
    }

    /// Forgets all lines: by a mark in the header first, because no disk overwrites them all at
    /// once, and a half of a line left over would look like a damaged one.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        self.is_emptying = true;
        self.medium.write_at(&Phase::Emptying.header(), 0)?;
        self.medium.sync()?;
        self.write_nuls(HEADER_BYTES..self.dirty_to.max(self.end))?;
        self.medium.sync()?;
        self.medium.write_at(&Phase::Open.header(), 0)?;
        self.medium.sync()?;
        (self.end, self.dirty_to, self.next_number) = (HEADER_BYTES, HEADER_BYTES, 1);
        self.is_emptying = false;
        Ok(())
    }

    /// NULs and not a hole: the room on the disk stays taken.
    fn write_nuls(&mut self, range: Range<u64>) -> io::Result<()> {
        const AT_ONCE: u64 = 1 << 20;
        let nuls = vec![0; AT_ONCE.min(range.end.saturating_sub(range.start)) as usize];
        let mut at = range.start;
        while at < range.end {
            let length = AT_ONCE.min(range.end - at);
            self.medium.write_at(&nuls[..length as usize], at)?;
            at += length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
