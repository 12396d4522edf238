//! What of a filter an index can answer.

use super::{LogFilter, Sense, Term, Test};
use crate::{LogSeq, SearchId, TimeMs};

/// Where the rows are that a filter can match. There may be others in there: each is still to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// The lowest and the highest number.
    pub first: LogSeq,
    pub last: LogSeq,
    /// Recorded at this time or later.
    pub since: Option<TimeMs>,
    /// Recorded earlier than this.
    pub before: Option<TimeMs>,
    /// The only search, where it is one.
    pub search: Option<SearchId>,
}

impl LogBounds {
    /// No bounds at all.
    pub const NONE: Self = Self { first: LogSeq(1), last: LogSeq(i64::MAX), since: None, before: None, search: None };

    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether no row lies within.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first > self.last || matches!((self.since, self.before), (Some(since), Some(before)) if since >= before)
    }

    fn narrow(&mut self, term: &Term, now: TimeMs) {
        let since = |bounds: &mut Self, time| bounds.since = bounds.since.max(Some(time));
        let before = |bounds: &mut Self, time: TimeMs| {
            bounds.before = Some(bounds.before.map_or(time, |before| before.min(time)));
        };
        match (term.sense, &term.test) {
            (Sense::Is, Test::Row(seq)) => {
                self.first = self.first.max(*seq);
                self.last = self.last.min(*seq);
            }
            // Where two are asked for, one is as good a bound as the other.
            (Sense::Is, Test::Search(id)) => self.search = Some(*id),
            (Sense::Is, Test::Since(point)) | (Sense::IsNot, Test::Before(point)) => since(self, point.seen_from(now)),
            (Sense::Is, Test::Before(point)) | (Sense::IsNot, Test::Since(point)) => before(self, point.seen_from(now)),
            _ => {}
        }
    }
}

impl LogFilter {
    /// Outside of these no row matches, at the time `now`.
    #[must_use]
    pub fn bounds(&self, now: TimeMs) -> LogBounds {
        let mut bounds = LogBounds::NONE;
        for term in &self.terms {
            bounds.narrow(term, now);
        }
        bounds
    }
}
