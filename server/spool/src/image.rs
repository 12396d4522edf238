//! What the bytes of a whole file say.
//!
//! A header of one page, then lines, then NULs up to the file's size. What is neither a line
//! nor NUL was damaged, or was being written when the machine stopped.

use std::ops::Range;

use crate::line::Line;

/// A page of its own, so that no write of a line can tear it.
pub(crate) const HEADER_BYTES: u64 = 4096;
const OPEN: &[u8] = b"search4letters spool 1 open\n";
const EMPTYING: &[u8] = b"search4letters spool 1 emptying\n";

/// What a header says of the rest of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There are lines that count.
    Open,
    /// All lines were replayed and are being overwritten with NULs: none counts.
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

    /// A header that cannot be read is taken for an open one: lines vouch for themselves.
    pub(crate) fn of(image: &[u8]) -> Self {
        if image.starts_with(EMPTYING) { Self::Emptying } else { Self::Open }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) lines: Vec<Line>,
    /// Where the last line ends.
    pub(crate) end: u64,
    /// The number after the last line's.
    pub(crate) next_number: u64,
    /// What lies between lines and should not, or does not and should.
    pub(crate) gaps: Vec<Gap>,
    /// What is left of a last line without an end: it was never synced, so never answered for.
    pub(crate) torn: Option<Range<u64>>,
}

/// A place where lines are unreadable or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Up to the next line; the last gap may be followed by none, and ends with its last piece.
    pub(crate) place: Range<u64>,
    /// Of the lines that should be here, as far as the lines around tell.
    pub(crate) numbers: Range<u64>,
    /// What is here, piece by piece.
    pub(crate) pieces: Vec<Range<u64>>,
}

impl Gap {
    /// How many lines are gone without a trace.
    pub(crate) fn missing(&self) -> u64 {
        (self.numbers.end - self.numbers.start).saturating_sub(self.pieces.len() as u64)
    }
}

impl Image {
    pub(crate) fn read(image: &[u8]) -> Self {
        let mut read = Self { end: HEADER_BYTES, next_number: 1, ..Self::default() };
        let mut unreadable: Vec<Piece> = Vec::new();
        for piece in (Pieces { image, at: HEADER_BYTES as usize }) {
            let Some(line) = Line::read(&image[piece.text()]) else {
                unreadable.push(piece);
                continue;
            };
            let numbers = line.numbers();
            if !unreadable.is_empty() || numbers.start > read.next_number {
                read.gaps.push(Gap {
                    place: read.end..piece.start as u64,
                    numbers: read.next_number..numbers.start.max(read.next_number),
                    pieces: unreadable.drain(..).map(|piece| piece.range()).collect(),
                });
            }
            read.next_number = read.next_number.max(numbers.end);
            // One that lost only its line break is whole; the NUL after it parts it from the next.
            read.end = image.len().min(piece.end + usize::from(!piece.has_end)) as u64;
            read.lines.push(line);
        }
        read.torn = unreadable.pop_if(|last| !last.has_end).map(|piece| piece.range());
        if let Some(last) = unreadable.last() {
            read.gaps.push(Gap {
                place: read.end..last.end as u64,
                numbers: read.next_number..read.next_number,
                pieces: unreadable.iter().map(Piece::range).collect(),
            });
        }
        read
    }
}

/// A run of bytes up to a line break or a NUL.
struct Piece {
    start: usize,
    /// After its line break, where it has one.
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

/// So many NULs `bytes` begin with, and perhaps some more. Most of a file is nothing else, and each start waits until it
/// is read: a block that is folded is looked at many bytes at a time, one that is searched is not.
fn leading_nuls(bytes: &[u8]) -> usize {
    const BLOCK: usize = 4096;
    let is_empty = |block: &&[u8]| block.iter().fold(0, |seen, byte| seen | byte) == 0;
    BLOCK * bytes.chunks_exact(BLOCK).take_while(is_empty).count()
}

#[cfg(test)]
mod tests {
    use api::{SearchId, TimeMs};
    use proptest::prelude::*;

    use super::*;
    use crate::Record;

    /// An image with lines of these numbers, and where each of them stands.
    fn image(numbers: &[u64]) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut bytes = Phase::Open.header();
        let mut places = Vec::new();
        for &number in numbers {
            let start = bytes.len();
            let payload = format!("payload {number}");
            let record = Record { search: SearchId(number.into()), searched_at: TimeMs(0), payload };
            Line::write_record(number, &record, &mut bytes);
            places.push(start..bytes.len());
        }
        bytes.resize(bytes.len() + 512, 0);
        (bytes, places)
    }

    fn numbers(image: &Image) -> Vec<u64> {
        image.lines.iter().map(|line| line.numbers().start).collect()
    }

    #[test]
    fn an_empty_file_says_nothing() {
        let (bytes, _) = image(&[]);
        assert_eq!(Image::read(&bytes), Image { end: HEADER_BYTES, next_number: 1, ..Image::default() });
        assert_eq!(Image::read(&[]).lines, []);
    }

    #[test]
    fn what_stands_behind_many_nuls_is_found_wherever_it_is() {
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
    fn whole_lines_are_read_in_order() {
        let (bytes, places) = image(&[1, 2, 3]);
        let read = Image::read(&bytes);
        assert_eq!(numbers(&read), [1, 2, 3]);
        assert_eq!((read.end, read.next_number, read.gaps, read.torn), (places[2].end as u64, 4, vec![], None));
    }

    #[test]
    fn a_torn_last_line_is_harmless_wherever_it_is_cut() {
        let (bytes, places) = image(&[1, 2]);
        for cut in places[1].start + 1..places[1].end - 1 {
            let mut cut_bytes = bytes.clone();
            cut_bytes[cut..].fill(0);
            let read = Image::read(&cut_bytes);
            assert_eq!(numbers(&read), [1]);
            assert_eq!((read.torn, read.gaps), (Some(places[1].start as u64..cut as u64), vec![]));
        }
    }

    #[test]
    fn a_line_that_lost_its_break_is_whole_and_the_next_is_kept_apart() {
        let (mut bytes, places) = image(&[1, 2]);
        bytes[places[1].end - 1] = 0;
        let read = Image::read(&bytes);
        assert_eq!((numbers(&read), read.end), (vec![1, 2], places[1].end as u64));
        bytes[places[0].end - 1] = 0;
        assert_eq!(numbers(&Image::read(&bytes)), [1, 2]);
    }

    #[test]
    fn a_damaged_line_is_named_and_the_others_are_read() {
        let (mut bytes, places) = image(&[1, 2, 3]);
        bytes[places[1].start + 20] ^= 1;
        let read = Image::read(&bytes);
        assert_eq!(numbers(&read), [1, 3]);
        let place = places[1].start as u64..places[1].end as u64;
        let gap = Gap { place: place.clone(), numbers: 2..3, pieces: vec![place] };
        assert_eq!((gap.missing(), read.gaps), (0, vec![gap]));
    }

    #[test]
    fn a_whole_last_line_that_is_damaged_is_no_torn_one() {
        let (mut bytes, places) = image(&[1, 2]);
        bytes[places[1].start + 20] ^= 1;
        let read = Image::read(&bytes);
        assert_eq!((read.gaps.len(), read.torn), (1, None));
    }

    #[test]
    fn lines_that_vanished_whole_are_missed_until_their_place_says_so() {
        let (mut bytes, places) = image(&[1, 2, 3, 4]);
        bytes[places[1].start..places[2].end].fill(0);
        let read = Image::read(&bytes);
        assert_eq!((numbers(&read), read.gaps[0].missing()), (vec![1, 4], 2));
        let mut void = Vec::new();
        Line::write_void(&read.gaps[0].numbers, &mut void);
        bytes[places[1].start..places[1].start + void.len()].copy_from_slice(&void);
        assert_eq!(Image::read(&bytes).gaps, []);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            let read = Image::read(&bytes);
            prop_assert!(read.end >= HEADER_BYTES);
        }

        #[test]
        fn no_line_is_dropped_without_a_word(at in 0..600_usize, byte: u8) {
            let (mut bytes, places) = image(&[1, 2, 3, 4, 5, 6]);
            let at = (HEADER_BYTES as usize + at).min(places[5].end - 1);
            bytes[at] = byte;
            let read = Image::read(&bytes);
            prop_assert!(read.lines.len() == 6 || !read.gaps.is_empty() || read.torn.is_some(), "{:?}", read);
        }
    }
}
