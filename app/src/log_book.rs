//! The log rows that the page holds: newest first, without gaps or doubles.
//!
//! It is a window onto the log: rows that are far from what one looks at are dropped, and read again when one comes
//! near. Positions count from the top of the list, with the rows that are dropped there.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use api::{LogRow, LogSeq, TimeMs};

/// The most rows that are kept: many screens, some megabytes.
const KEPT_ROWS: usize = 3_000;
/// The most new rows that wait: more than these are read again when they are wanted.
const HELD_ROWS: usize = 500;
/// The most dropped rows above for which room is left. Browsers draw nothing that is higher than some million pixels.
const MOST_ROOM: usize = 100_000;

#[derive(Debug, Default)]
pub struct LogBook {
    shown: VecDeque<Arc<LogRow>>,
    /// Newer than all shown ones, oldest first: they wait until nobody would lose their place.
    held: Vec<Arc<LogRow>>,
    /// How many have come in while one was reading, also those that are not held any more.
    waiting: usize,
    top: Top,
    /// For so many rows, dropped above the shown ones, there is room left in the list.
    room: usize,
    /// Whether the oldest row of all is among the shown.
    pub is_complete: bool,
    /// Rows after this one came in at this time, and are pointed out for a moment.
    fresh: Option<(LogSeq, TimeMs)>,
}

/// What is above the shown rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Top {
    /// Nothing but what is held and what comes.
    #[default]
    Live,
    /// Rows that are not in the book.
    Gap,
}

/// What becomes of rows that arrive while the page is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// They show up at the top.
    Show,
    /// They wait, because someone is reading.
    Hold,
}

/// By how many rows the shown ones have moved down in the list; less than 0 where they have moved up.
pub type Shift = i64;

impl LogBook {
    /// A book that begins with rows from `top` on.
    #[must_use]
    pub fn beginning(top: Top) -> Self {
        Self { top, ..Self::default() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The positions of the shown rows.
    #[must_use]
    pub fn positions(&self) -> Range<usize> {
        self.room..self.room + self.shown.len()
    }

    #[must_use]
    pub fn top(&self) -> Top {
        self.top
    }

    /// How many rows have come in while one was reading.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    #[must_use]
    pub fn newest_shown(&self) -> Option<LogSeq> {
        self.shown.front().map(|row| row.seq)
    }

    #[must_use]
    pub fn newest(&self) -> Option<LogSeq> {
        self.held.last().or(self.shown.front()).map(|row| row.seq)
    }

    #[must_use]
    pub fn oldest(&self) -> Option<LogSeq> {
        self.shown.back().map(|row| row.seq)
    }

    /// The rows at these positions.
    #[must_use]
    pub fn rows(&self, positions: Range<usize>) -> Vec<Arc<LogRow>> {
        let Range { start, end } = self.within(positions);
        self.shown.range(start - self.room..end - self.room).cloned().collect()
    }

    /// Those of `positions` at which rows are shown.
    #[must_use]
    pub fn within(&self, positions: Range<usize>) -> Range<usize> {
        let shown = self.positions();
        let start = positions.start.clamp(shown.start, shown.end);
        start..positions.end.clamp(start, shown.end)
    }

    #[must_use]
    pub fn get(&self, position: usize) -> Option<Arc<LogRow>> {
        self.shown.get(position.checked_sub(self.room)?).cloned()
    }

    /// The position of the row with this number, where it is shown.
    #[must_use]
    pub fn position_of(&self, seq: LogSeq) -> Option<usize> {
        self.shown.binary_search_by(|row| seq.cmp(&row.seq)).ok().map(|index| self.room + index)
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

    /// Adds rows above a gap's lower edge. They come oldest first; any that is known already is skipped.
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

    /// There is no gap any more: all rows above the shown ones are still to come.
    pub fn close_gap(&mut self) -> Shift {
        self.top = Top::Live;
        self.held.clear();
        self.waiting = 0;
        -shift(std::mem::take(&mut self.room))
    }

    /// Adds rows that have just come in, oldest first; any that is known already is skipped,
    /// so that a stream which begins too early doubles nothing.
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
        self.waiting = 0;
    }

    /// Drops the oldest rows beyond what is kept, and says whether there were any. Not to be called while older ones are
    /// being read: those would be appended after a gap.
    pub fn drop_oldest(&mut self) -> bool {
        let is_long = self.shown.len() > KEPT_ROWS;
        if is_long {
            self.shown.truncate(KEPT_ROWS);
            self.is_complete = false;
        }
        is_long
    }

    /// Drops the newest rows beyond what is kept, and leaves room for them.
    pub fn drop_newest(&mut self) -> Shift {
        let dropped = self.shown.len().saturating_sub(KEPT_ROWS);
        if dropped == 0 {
            return 0;
        }
        self.shown.drain(..dropped);
        // These would be above a gap.
        self.held.clear();
        self.top = Top::Gap;
        let room = self.room + dropped;
        self.room = room.min(MOST_ROOM);
        shift(self.room) - shift(room)
    }
}

fn shift(rows: usize) -> Shift {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
