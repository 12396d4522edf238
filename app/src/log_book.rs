//! The log rows that the page holds: newest first, without gaps or doubles.

use std::collections::VecDeque;
use std::sync::Arc;

use api::{LogRow, LogSeq, TimeMs};

/// More rows than these are dropped at the old end while new ones arrive; scrolling there
/// fetches them again.
const KEPT_ROWS: usize = 20_000;

#[derive(Debug, Default)]
pub struct LogBook {
    shown: VecDeque<Arc<LogRow>>,
    /// Newer than all shown ones, oldest first: they wait until nobody would lose their place.
    held: Vec<Arc<LogRow>>,
    /// Whether the oldest row of all is among the shown.
    pub is_complete: bool,
    /// Rows after this one came in at this time, and are pointed out for a moment.
    fresh: Option<(LogSeq, TimeMs)>,
}

/// What becomes of rows that arrive while the page is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// They show up at the top.
    Show,
    /// They wait, because someone is reading.
    Hold,
}

impl LogBook {
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    #[must_use]
    pub fn newest(&self) -> Option<LogSeq> {
        self.held.last().or(self.shown.front()).map(|row| row.seq)
    }

    #[must_use]
    pub fn oldest(&self) -> Option<LogSeq> {
        self.shown.back().map(|row| row.seq)
    }

    #[must_use]
    pub fn rows(&self, range: std::ops::Range<usize>) -> Vec<Arc<LogRow>> {
        let end = range.end.min(self.shown.len());
        self.shown.range(range.start.min(end)..end).cloned().collect()
    }

    #[must_use]
    pub fn get(&self, index: usize) -> Option<Arc<LogRow>> {
        self.shown.get(index).cloned()
    }

    /// Where the row with this number stands among the shown.
    #[must_use]
    pub fn index_of(&self, seq: LogSeq) -> Option<usize> {
        self.shown.binary_search_by(|row| seq.cmp(&row.seq)).ok()
    }

    /// Whether the row came in within the last moment.
    #[must_use]
    pub fn is_fresh(&self, seq: LogSeq, now: TimeMs) -> bool {
        const MOMENT_MS: i64 = 1_500;
        self.fresh.is_some_and(|(before, since)| seq > before && now.since(since) < MOMENT_MS)
    }

    /// Adds rows at the old end. They come newest first; any that is known already is skipped.
    pub fn append_older(&mut self, rows: impl IntoIterator<Item = LogRow>) {
        for row in rows {
            if self.oldest().is_none_or(|oldest| row.seq < oldest) {
                self.shown.push_back(Arc::new(row));
            }
        }
    }

    /// Adds rows that have just come in, oldest first; any that is known already is skipped,
    /// so that a stream which begins too early doubles nothing.
    pub fn add_newer(&mut self, rows: impl IntoIterator<Item = LogRow>, arrivals: Arrivals, now: TimeMs) {
        for row in rows {
            if self.newest().is_none_or(|newest| row.seq > newest) {
                self.held.push(Arc::new(row));
            }
        }
        if arrivals == Arrivals::Show {
            self.release(now);
        }
    }

    /// Shows the rows that were held back.
    pub fn release(&mut self, now: TimeMs) {
        if self.held.is_empty() {
            return;
        }
        // Rows of one burst share the time of its first: a steady stream would never stop flashing otherwise.
        let is_calm = self.fresh.is_none_or(|(_, since)| now.since(since) > 1_500);
        if is_calm {
            self.fresh = Some((self.shown.front().map_or(LogSeq(0), |row| row.seq), now));
        }
        for row in self.held.drain(..) {
            self.shown.push_front(row);
        }
    }

    /// Drops the oldest rows beyond what is kept. Not to be called while older ones are being
    /// read: those would be appended after a gap.
    pub fn trim(&mut self) {
        if self.shown.len() > KEPT_ROWS {
            self.shown.truncate(KEPT_ROWS);
            self.is_complete = false;
        }
    }
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
            browser_string: String::new(),
            user_agent: String::new(),
            searched_at: TimeMs(0),
            recorded_at: TimeMs(0),
        }
    }

    fn book(seqs: &[i64]) -> LogBook {
        let mut book = LogBook::default();
        book.append_older(seqs.iter().copied().map(row));
        book
    }

    fn shown(book: &LogBook) -> Vec<i64> {
        book.rows(0..book.len()).iter().map(|row| row.seq.0).collect()
    }

    #[test]
    fn overlapping_streams_double_nothing() {
        let mut book = book(&[5, 4, 3]);
        book.append_older([4, 3, 2].map(row));
        book.add_newer([4, 5, 6, 7].map(row), Arrivals::Show, TimeMs(0));
        book.add_newer([6, 7, 8].map(row), Arrivals::Show, TimeMs(0));
        assert_eq!(shown(&book), [8, 7, 6, 5, 4, 3, 2]);
    }

    #[test]
    fn held_rows_move_nothing_until_released() {
        let mut book = book(&[2, 1]);
        book.add_newer([3, 4].map(row), Arrivals::Hold, TimeMs(0));
        book.add_newer([4, 5].map(row), Arrivals::Hold, TimeMs(0));
        assert_eq!((shown(&book), book.held(), book.newest()), (vec![2, 1], 3, Some(LogSeq(5))));
        book.release(TimeMs(0));
        assert_eq!((shown(&book), book.held()), (vec![5, 4, 3, 2, 1], 0));
    }

    #[test]
    fn a_row_is_found_by_its_number() {
        let book = book(&[9, 7, 4]);
        assert_eq!([9, 7, 4, 5].map(|seq| book.index_of(LogSeq(seq))), [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn only_rows_that_just_came_are_fresh() {
        let mut book = book(&[1]);
        book.add_newer([row(2)], Arrivals::Show, TimeMs(10_000));
        assert!(book.is_fresh(LogSeq(2), TimeMs(10_100)));
        assert!(!book.is_fresh(LogSeq(1), TimeMs(10_100)));
        assert!(!book.is_fresh(LogSeq(2), TimeMs(20_000)));
    }

    #[test]
    fn an_endless_stream_fills_no_memory() {
        let mut book = book(&[]);
        book.is_complete = true;
        book.add_newer((1..=30_000).map(row), Arrivals::Show, TimeMs(0));
        book.trim();
        assert_eq!((book.len(), book.newest(), book.is_complete), (KEPT_ROWS, Some(LogSeq(30_000)), false));
    }
}
