//! Reads the bytes of a whole file.
//!
//! A file is a header of one page, then lines, then NULs up to its size. Any other bytes are damaged, or a crash has
//! interrupted their write.

use std::ops::Range;

use crate::line::Line;

/// A separate page, so that no write of a line can damage it.
pub(crate) const HEADER_BYTES: u64 = 4096;
const OPEN: &[u8] = b"search4letters spool 1 open\n";
const EMPTYING: &[u8] = b"search4letters spool 1 emptying\n";

/// What the header says about the rest of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The lines are valid.
    Open,
    /// All lines were replayed and are being overwritten with NULs: none is valid.
    Emptying,
}

impl Phase {
    pub(crate) fn header(self) -> Vec<u8> {
        let mut page = match self {
            Self::Open => OPEN,
            Self::Emptying => EMPTYING,
        }
        .to_vec();
        page.resize(HEADER_BYTES as usize, 0);
        page
    }

    /// A corrupt header counts as open, because each line has its own checksum.
    pub(crate) fn of(image: &[u8]) -> Self {
        if image.starts_with(EMPTYING) { Self::Emptying } else { Self::Open }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) lines: Vec<Line>,
    /// The end of the last line.
    pub(crate) end: u64,
    /// The number for the next line.
    pub(crate) next_number: u64,
    /// Damaged or missing lines between others.
    pub(crate) gaps: Vec<Gap>,
    /// The bytes of a torn last line. It was never synced, so it was never acknowledged.
    pub(crate) torn: Option<Range<u64>>,
}

/// A range in which lines are damaged or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Ends at the next line or, if no line follows, at the end of the last piece.
    pub(crate) range: Range<u64>,
    /// The numbers of the lines that should be here, according to the lines before and after.
    pub(crate) numbers: Range<u64>,
    /// The damaged bytes, piece by piece.
    pub(crate) pieces: Vec<Range<u64>>,
}

impl Gap {
    /// How many lines are missing without a trace: not even damaged bytes are left.
    pub(crate) fn missing(&self) -> u64 {
        (self.numbers.end - self.numbers.start).saturating_sub(self.pieces.len() as u64)
    }
}

impl Image {
    pub(crate) fn read(image: &[u8]) -> Self {
        let mut read = Self { end: HEADER_BYTES, next_number: 1, ..Self::default() };
        let mut damaged: Vec<Piece> = Vec::new();
        for piece in (Pieces { image, at: HEADER_BYTES as usize }) {
            let Some(line) = Line::read(&image[piece.text()]) else {
                damaged.push(piece);
                continue;
            };
            let numbers = line.numbers();
            if !damaged.is_empty() || numbers.start > read.next_number {
                read.gaps.push(Gap {
                    range: read.end..piece.start as u64,
                    numbers: read.next_number..numbers.start.max(read.next_number),
                    pieces: damaged.drain(..).map(|piece| piece.range()).collect(),
                });
            }
            read.next_number = read.next_number.max(numbers.end);
            // A line without its line break is valid: the NUL in its place separates it from the next line.
            read.end = image.len().min(piece.end + usize::from(!piece.has_end)) as u64;
            read.lines.push(line);
        }
        read.torn = damaged.pop_if(|last| !last.has_end).map(|piece| piece.range());
        if let Some(last) = damaged.last() {
            read.gaps.push(Gap {
                range: read.end..last.end as u64,
                numbers: read.next_number..read.next_number,
                pieces: damaged.iter().map(Piece::range).collect(),
            });
        }
        read
    }
}

/// A run of bytes up to a line break or a NUL.
struct Piece {
    start: usize,
    /// Includes the line break, if there is one.
    end: usize,
    has_end: bool,
}

impl Piece {
    fn text(&self) -> Range<usize> {
        self.start..self.end - usize::from(self.has_end)
    }

    fn range(&self) -> Range<u64> {
        self.start as u64..self.end as u64
    }
}

struct Pieces<'a> {
    image: &'a [u8],
    at: usize,
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let rest = self.image.get(self.at..)?;
        let nuls = leading_nuls(rest);
        let start = self.at + nuls + rest[nuls..].iter().position(|&byte| byte != 0)?;
        let length = self.image[start..].iter().position(|byte| matches!(byte, 0 | b'\n'));
        let stop = length.map_or(self.image.len(), |length| start + length);
        let has_end = self.image.get(stop) == Some(&b'\n');
        self.at = stop + usize::from(has_end);
        Some(Piece { start, end: self.at, has_end })
    }
}

/// A lower bound of the number of leading NULs. A file is mostly NULs and each start reads all of it, so whole blocks
/// are tested at once: the compiler vectorises the fold, but not a search for the first other byte.
fn leading_nuls(bytes: &[u8]) -> usize {
    const BLOCK: usize = 4096;
    let is_empty = |block: &&[u8]| block.iter().fold(0, |bits, byte| bits | byte) == 0;
    BLOCK * bytes.chunks_exact(BLOCK).take_while(is_empty).count()
}

#[cfg(test)]
mod tests {
    use api::{SearchId, TimeMs};
    use proptest::prelude::*;

    use super::*;
    use crate::Record;

    /// An image with lines of these numbers, and the range of each line.
    fn image(numbers: &[u64]) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut bytes = Phase::Open.header();
        let mut ranges = Vec::new();
        for &number in numbers {
            let start = bytes.len();
            let payload = format!("payload {number}");
            let record = Record { search: SearchId(number.into()), searched_at: TimeMs(0), payload };
            Line::write_record(number, &record, &mut bytes);
            ranges.push(start..bytes.len());
        }
        bytes.resize(bytes.len() + 512, 0);
        (bytes, ranges)
    }

    fn numbers(image: &Image) -> Vec<u64> {
        image.lines.iter().map(|line| line.numbers().start).collect()
    }

    #[test]
    fn an_empty_file_has_no_lines() {
        let (bytes, _) = image(&[]);
        assert_eq!(Image::read(&bytes), Image { end: HEADER_BYTES, next_number: 1, ..Image::default() });
        assert_eq!(Image::read(&[]).lines, []);
    }

    #[test]
    fn bytes_after_many_nuls_are_found_at_any_offset() {
        for nuls in [0, 1, 4095, 4096, 4097, 8191, 8192, 20_000] {
            let mut bytes = Phase::Open.header();
            bytes.resize(bytes.len() + nuls, 0);
            let start = bytes.len() as u64;
            bytes.push(b'x');
            for end in [bytes.len(), bytes.len() + 5000] {
                bytes.resize(end, 0);
                assert_eq!(Image::read(&bytes).torn, Some(start..start + 1), "after {nuls} NULs");
            }
        }
    }

    #[test]
    fn valid_lines_are_read_in_order() {
        let (bytes, ranges) = image(&[1, 2, 3]);
        let read = Image::read(&bytes);
        assert_eq!(numbers(&read), [1, 2, 3]);
        assert_eq!((read.end, read.next_number, read.gaps, read.torn), (ranges[2].end as u64, 4, vec![], None));
    }

    #[test]
    fn a_torn_last_line_is_harmless_at_any_cut() {
        let (bytes, ranges) = image(&[1, 2]);
        for cut in ranges[1].start + 1..ranges[1].end - 1 {
            let mut cut_bytes = bytes.clone();
            cut_bytes[cut..].fill(0);
            let read = Image::read(&cut_bytes);
            assert_eq!(numbers(&read), [1]);
            assert_eq!((read.torn, read.gaps), (Some(ranges[1].start as u64..cut as u64), vec![]));
        }
    }

    #[test]
    fn a_line_without_its_line_break_is_read_apart_from_the_next() {
        let (mut bytes, ranges) = image(&[1, 2]);
        bytes[ranges[1].end - 1] = 0;
        let read = Image::read(&bytes);
        assert_eq!((numbers(&read), read.end), (vec![1, 2], ranges[1].end as u64));
        bytes[ranges[0].end - 1] = 0;
        assert_eq!(numbers(&Image::read(&bytes)), [1, 2]);
    }

    #[test]
    fn a_damaged_line_is_reported_and_the_others_are_read() {
        let (mut bytes, ranges) = image(&[1, 2, 3]);
        bytes[ranges[1].start + 20] ^= 1;
        let read = Image::read(&bytes);
        assert_eq!(numbers(&read), [1, 3]);
        let range = ranges[1].start as u64..ranges[1].end as u64;
        let gap = Gap { range: range.clone(), numbers: 2..3, pieces: vec![range] };
        assert_eq!((gap.missing(), read.gaps), (0, vec![gap]));
    }

    #[test]
    fn a_damaged_last_line_is_not_a_torn_one() {
        let (mut bytes, ranges) = image(&[1, 2]);
        bytes[ranges[1].start + 20] ^= 1;
        let read = Image::read(&bytes);
        assert_eq!((read.gaps.len(), read.torn), (1, None));
    }

    #[test]
    fn missing_lines_are_reported_until_a_void_line_replaces_them() {
        let (mut bytes, ranges) = image(&[1, 2, 3, 4]);
        bytes[ranges[1].start..ranges[2].end].fill(0);
        let read = Image::read(&bytes);
        assert_eq!((numbers(&read), read.gaps[0].missing()), (vec![1, 4], 2));
        let mut void = Vec::new();
        Line::write_void(&read.gaps[0].numbers, &mut void);
        bytes[ranges[1].start..ranges[1].start + void.len()].copy_from_slice(&void);
        assert_eq!(Image::read(&bytes).gaps, []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            let read = Image::read(&bytes);
            prop_assert!(read.end >= HEADER_BYTES);
        }

        #[test]
        fn no_line_is_dropped_silently(at in 0..600_usize, byte: u8) {
            let (mut bytes, ranges) = image(&[1, 2, 3, 4, 5, 6]);
            let at = (HEADER_BYTES as usize + at).min(ranges[5].end - 1);
            bytes[at] = byte;
            let read = Image::read(&bytes);
            prop_assert!(read.lines.len() == 6 || !read.gaps.is_empty() || read.torn.is_some(), "{:?}", read);
        }
    }
}
