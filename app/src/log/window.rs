//! The part of the log that the page holds: rows newest first, without gaps or duplicates.
//!
//! Rows far from the visible ones are dropped, and read again when the visitor scrolls near. Positions count from the
//! top of the list and include the rows that were dropped there.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use api::{LogRow, LogSeq, TimeMs};

/// How long a new row is highlighted.
const FRESH_MS: i64 = 1_500;
/// The most rows that are kept: many screens, and some megabytes.
const KEPT_ROWS: usize = 3_000;
/// The most new rows that are held back. If more arrive, they are dropped and read again later.
const HELD_ROWS: usize = 500;
/// The most dropped rows for which the list keeps room. Browsers draw nothing higher than some million pixels.
const MAX_ROOM: usize = 100_000;

#[derive(Debug, Default)]
pub struct LogWindow {
    shown: VecDeque<Arc<LogRow>>,
    /// Newer than all shown rows, oldest first. They are held back while the visitor reads.
    held: Vec<Arc<LogRow>>,
    /// How many rows have arrived while the visitor was reading, including those that were dropped again.
    waiting: usize,
    top: Top,
    /// For how many rows, dropped above the shown ones, the list keeps room.
    room: usize,
    /// Whether the oldest row of the log is shown.
    pub is_complete: bool,
    /// Rows after this one arrived at this time, and are highlighted for a moment.
    fresh: Option<(LogSeq, TimeMs)>,
}

/// What is above the shown rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Top {
    /// Nothing but held rows and rows to come.
    #[default]
    Live,
    /// Rows that the window does not hold.
    Gap,
}

/// What to do with rows that arrive while the page is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Show them at the top.
    Show,
    /// Hold them back: the visitor is reading.
    Hold,
}

/// By how many rows the shown rows have moved down in the list; negative if they have moved up.
pub type Shift = i64;

impl LogWindow {
    pub fn with_top(top: Top) -> Self {
        Self { top, ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The positions of the shown rows.
    pub fn positions(&self) -> Range<usize> {
        self.room..self.room + self.shown.len()
    }

    pub fn top(&self) -> Top {
        self.top
    }

    /// How many rows have arrived while the visitor was reading.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    pub fn newest_shown(&self) -> Option<LogSeq> {
        self.shown.front().map(|row| row.seq)
    }

    pub fn newest(&self) -> Option<LogSeq> {
        self.held.last().or(self.shown.front()).map(|row| row.seq)
    }

    pub fn oldest(&self) -> Option<LogSeq> {
        self.shown.back().map(|row| row.seq)
    }

    /// The rows at these positions.
    pub fn rows(&self, positions: Range<usize>) -> Vec<Arc<LogRow>> {
        let Range { start, end } = self.within(positions);
        self.shown.range(start - self.room..end - self.room).cloned().collect()
    }

    /// The part of `positions` at which rows are shown.
    pub fn within(&self, positions: Range<usize>) -> Range<usize> {
        let shown = self.positions();
        let start = positions.start.clamp(shown.start, shown.end);
        start..positions.end.clamp(start, shown.end)
    }

    pub fn get(&self, position: usize) -> Option<Arc<LogRow>> {
        self.shown.get(position.checked_sub(self.room)?).cloned()
    }

    /// The position of the row with this number, if it is shown.
    pub fn position_of(&self, seq: LogSeq) -> Option<usize> {
        self.shown.binary_search_by(|row| seq.cmp(&row.seq)).ok().map(|index| self.room + index)
    }

    /// Whether the row has just arrived.
    pub fn is_fresh(&self, seq: LogSeq, now: TimeMs) -> bool {
        self.fresh.is_some_and(|(before, since)| seq > before && now.since(since) < FRESH_MS)
    }

    /// Adds rows at the old end, newest first. Rows that are already known are skipped.
    pub fn append_older(&mut self, rows: impl IntoIterator<Item = LogRow>) {
        for row in rows {
            if self.oldest().is_none_or(|oldest| row.seq < oldest) {
                self.shown.push_back(Arc::new(row));
            }
        }
    }

    /// Adds rows at the lower edge of the gap, oldest first. Rows that are already known are skipped.
    pub fn prepend_newer(&mut self, rows: impl IntoIterator<Item = LogRow>) -> Shift {
        let mut shift = 0;
        for row in rows {
            if self.newest_shown().is_none_or(|newest| row.seq > newest) {
                self.shown.push_front(Arc::new(row));
                match self.room {
                    0 => shift += 1,
                    room => self.room = room - 1,
                }
            }
        }
        shift
    }

    /// Closes the gap: no row exists above the shown ones yet.
    pub fn close_gap(&mut self) -> Shift {
        self.top = Top::Live;
        self.held.clear();
        self.waiting = 0;
        -shift(std::mem::take(&mut self.room))
    }

    /// Adds rows that have just arrived, oldest first. Rows that are already known are skipped, so that a stream may
    /// begin too early.
    pub fn add_newer(&mut self, rows: impl IntoIterator<Item = LogRow>, arrivals: Arrivals, now: TimeMs) {
        for row in rows {
            if self.top == Top::Gap {
                self.waiting += 1;
            } else if self.newest().is_none_or(|newest| row.seq > newest) {
                self.held.push(Arc::new(row));
                self.waiting += 1;
            }
        }
        if arrivals == Arrivals::Show {
            self.release(now);
        } else if self.held.len() > HELD_ROWS {
            self.held.clear();
            self.top = Top::Gap;
        }
    }

    /// Shows the held rows.
    pub fn release(&mut self, now: TimeMs) {
        if self.held.is_empty() {
            return;
        }
        // Rows of one burst share the time of its first row. Otherwise a steady stream would never stop flashing.
        if self.fresh.is_none_or(|(_, since)| now.since(since) > FRESH_MS) {
            self.fresh = Some((self.shown.front().map_or(LogSeq(0), |row| row.seq), now));
        }
        for row in self.held.drain(..) {
            self.shown.push_front(row);
        }
        self.waiting = 0;
    }

    /// Drops the oldest rows beyond the limit, and returns whether there were any. Must not be called while older rows
    /// are being read: those would be appended after a gap.
    pub fn drop_oldest(&mut self) -> bool {
        let is_long = self.shown.len() > KEPT_ROWS;
        if is_long {
            self.shown.truncate(KEPT_ROWS);
            self.is_complete = false;
        }
        is_long
    }

    /// Drops the newest rows beyond the limit, and keeps room for them.
    pub fn drop_newest(&mut self) -> Shift {
        let dropped = self.shown.len().saturating_sub(KEPT_ROWS);
        if dropped == 0 {
            return 0;
        }
        self.shown.drain(..dropped);
        // Held rows would be above the gap.
        self.held.clear();
        self.top = Top::Gap;
        let room = self.room + dropped;
        self.room = room.min(MAX_ROOM);
        shift(self.room) - shift(room)
    }
}

fn shift(rows: usize) -> Shift {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use api::{JobId, SearchId};

    use super::*;

    fn row(seq: i64) -> LogRow {
        LogRow {
            seq: LogSeq(seq),
            search_id: SearchId(0),
            job_id: JobId(seq),
            phrase: String::new(),
            letters: String::new(),
            results: String::new(),
            ip: String::new(),
            browser_family: String::new(),
            user_agent: String::new(),
            searched_at: TimeMs(0),
            recorded_at: TimeMs(0),
        }
    }

    fn window(seqs: impl IntoIterator<Item = i64>) -> LogWindow {
        let mut window = LogWindow::default();
        window.append_older(seqs.into_iter().map(row));
        window
    }

    fn shown(window: &LogWindow) -> Vec<i64> {
        window.rows(0..usize::MAX).iter().map(|row| row.seq.0).collect()
    }

    #[test]
    fn overlapping_streams_duplicate_nothing() {
        let mut window = window([5, 4, 3]);
        window.append_older([4, 3, 2].map(row));
        window.add_newer([4, 5, 6, 7].map(row), Arrivals::Show, TimeMs(0));
        window.add_newer([6, 7, 8].map(row), Arrivals::Show, TimeMs(0));
        assert_eq!(shown(&window), [8, 7, 6, 5, 4, 3, 2]);
    }

    #[test]
    fn held_rows_move_nothing_until_released() {
        let mut window = window([2, 1]);
        window.add_newer([3, 4].map(row), Arrivals::Hold, TimeMs(0));
        window.add_newer([4, 5].map(row), Arrivals::Hold, TimeMs(0));
        assert_eq!((shown(&window), window.waiting(), window.newest()), (vec![2, 1], 3, Some(LogSeq(5))));
        window.release(TimeMs(0));
        assert_eq!((shown(&window), window.waiting()), (vec![5, 4, 3, 2, 1], 0));
    }

    #[test]
    fn a_row_is_found_by_its_number() {
        let window = window([9, 7, 4]);
        assert_eq!([9, 7, 4, 5].map(|seq| window.position_of(LogSeq(seq))), [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn only_rows_that_have_just_arrived_are_fresh() {
        let mut window = window([1]);
        window.add_newer([row(2)], Arrivals::Show, TimeMs(10_000));
        assert!(window.is_fresh(LogSeq(2), TimeMs(10_100)));
        assert!(!window.is_fresh(LogSeq(1), TimeMs(10_100)));
        assert!(!window.is_fresh(LogSeq(2), TimeMs(20_000)));
    }

    #[test]
    fn an_endless_stream_fills_no_memory() {
        let mut window = window([]);
        window.is_complete = true;
        window.add_newer((1..=30_000).map(row), Arrivals::Show, TimeMs(0));
        window.drop_oldest();
        assert_eq!((window.shown.len(), window.newest(), window.is_complete), (KEPT_ROWS, Some(LogSeq(30_000)), false));
    }

    #[test]
    fn an_endless_stream_that_is_held_fills_no_memory_and_is_counted() {
        let mut window = window([1]);
        for seq in 2..=10_001 {
            window.add_newer([row(seq)], Arrivals::Hold, TimeMs(0));
        }
        assert_eq!((shown(&window), window.waiting(), window.held.len()), (vec![1], 10_000, 0));
        assert_eq!(window.top(), Top::Gap, "dropped rows must be read again");
        window.release(TimeMs(0));
        window.add_newer([row(10_002)], Arrivals::Show, TimeMs(0));
        assert_eq!(shown(&window), [1], "nothing is shown above a gap");
    }

    #[test]
    fn rows_keep_their_positions_when_others_are_dropped() {
        let mut window = window((1..=4_000).rev());
        let position = window.position_of(LogSeq(100));
        assert_eq!(window.drop_newest(), 0);
        assert_eq!((window.shown.len(), window.top(), window.positions()), (KEPT_ROWS, Top::Gap, 1_000..4_000));
        assert_eq!(window.position_of(LogSeq(100)), position);
        assert_eq!(window.get(position.expect("shown")).map(|row| row.seq), Some(LogSeq(100)));
        assert_eq!((window.get(999), window.within(0..1_010)), (None, 1_000..1_010));
        // Scrolling back up reads them again; some new ones have arrived meanwhile.
        assert_eq!(window.prepend_newer((3_001..=3_500).map(row)), 0);
        assert_eq!(window.prepend_newer((3_400..=4_007).map(row)), 7);
        assert_eq!(window.position_of(LogSeq(100)), position.map(|position| position + 7));
        assert_eq!(window.close_gap(), 0);
        assert_eq!((window.top(), window.positions()), (Top::Live, 0..4_007));
        window.drop_oldest();
        assert_eq!((window.shown.len(), window.oldest()), (KEPT_ROWS, Some(LogSeq(1_008))));
    }

    #[test]
    fn room_without_rows_is_released_when_the_gap_closes() {
        let mut window = window((1..=4_000).rev());
        window.drop_newest();
        // The dropped rows have been deleted from the log meanwhile.
        assert_eq!(window.close_gap(), -1_000);
        assert_eq!(window.position_of(LogSeq(3_000)), Some(0));
    }

    #[test]
    fn room_is_limited() {
        let mut window = window([]);
        let mut shift = 0;
        for page in (0..200).rev() {
            window.append_older((page * 1_000 + 1..=page * 1_000 + 1_000).rev().map(row));
            shift += window.drop_newest();
        }
        assert_eq!(window.positions(), MAX_ROOM..MAX_ROOM + KEPT_ROWS);
        assert_eq!(shift, -97_000, "of 197,000 dropped rows 100,000 have room");
    }

    #[test]
    fn rows_that_arrive_above_a_gap_are_counted() {
        let mut window = LogWindow::with_top(Top::Gap);
        window.append_older([20, 19].map(row));
        window.add_newer([101, 102].map(row), Arrivals::Show, TimeMs(0));
        assert_eq!((shown(&window), window.waiting()), (vec![20, 19], 2));
        assert_eq!(window.prepend_newer([20, 21, 22].map(row)), 2);
        assert_eq!(shown(&window), [22, 21, 20, 19]);
    }
}
