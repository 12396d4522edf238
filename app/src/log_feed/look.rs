//! How far was looked for rows that match a filter, over several answers.

use api::{LogSeq, ScanProgress};

/// Which way rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Older,
    Newer,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    older: Option<ScanProgress>,
    newer: Option<ScanProgress>,
}

impl Look {
    /// With one more answer: it goes on where the one before has ended.
    #[must_use]
    pub fn and(mut self, way: Way, looked: ScanProgress) -> Self {
        let side = self.side_mut(way);
        *side = Some(ScanProgress { from: side.map_or(looked.from, |before| before.from), ..looked });
        self
    }

    /// The rows beyond `seq` on this way were dropped: they are to be looked for again.
    #[must_use]
    pub fn back_to(mut self, way: Way, seq: LogSeq) -> Self {
        if let Some(looked) = self.side_mut(way) {
            looked.to = seq;
        }
        self
    }

    /// The last row that was compared, on this way.
    #[must_use]
    pub fn reached(self, way: Way) -> Option<LogSeq> {
        self.side(way).map(|looked| looked.to)
    }

    /// The number with which the look began, on this way.
    #[must_use]
    pub fn began(self, way: Way) -> Option<LogSeq> {
        self.side(way).map(|looked| looked.from)
    }

    /// How many rows were compared, and how many there are to be; they are counted by their numbers.
    #[must_use]
    pub fn progress(self, way: Way) -> Option<(u64, u64)> {
        let ScanProgress { from: LogSeq(from), to: LogSeq(to), end: LogSeq(end), .. } = self.side(way)?;
        let rows_to = |seq: i64| match way {
            Way::Older => from.saturating_sub(seq),
            Way::Newer => seq.saturating_sub(from),
        };
        let counted = |seq| u64::try_from(rows_to(seq).saturating_add(1)).unwrap_or(0);
        Some((counted(to), counted(end)))
    }

    fn side(self, way: Way) -> Option<ScanProgress> {
        match way {
            Way::Older => self.older,
            Way::Newer => self.newer,
        }
    }

    fn side_mut(&mut self, way: Way) -> &mut Option<ScanProgress> {
        match way {
            Way::Older => &mut self.older,
            Way::Newer => &mut self.newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(from: i64, to: i64) -> ScanProgress {
        ScanProgress { from: LogSeq(from), to: LogSeq(to), end: LogSeq(1), last: LogSeq(1_000), is_done: to == 1 }
    }

    #[test]
    fn where_there_is_nothing_to_be_looked_at_nothing_is() {
        let nothing = ScanProgress { from: LogSeq(0), to: LogSeq(1), end: LogSeq(1), last: LogSeq(9), is_done: true };
        assert_eq!(Look::default().and(Way::Older, nothing).progress(Way::Older), Some((0, 0)));
    }

    #[test]
    fn answers_add_up() {
        let look = Look::default().and(Way::Older, looked(1_000, 751));
        assert_eq!((look.progress(Way::Older), look.progress(Way::Newer)), (Some((250, 1_000)), None));
        let look = look.and(Way::Older, looked(750, 501));
        assert_eq!(look.began(Way::Older), Some(LogSeq(1_000)));
        assert_eq!((look.progress(Way::Older), look.reached(Way::Older)), (Some((500, 1_000)), Some(LogSeq(501))));
        assert_eq!(look.back_to(Way::Older, LogSeq(700)).reached(Way::Older), Some(LogSeq(700)));
        assert_eq!(look.back_to(Way::Newer, LogSeq(700)), look, "it was not looked there");
        assert_eq!(look.and(Way::Older, looked(500, 1)).progress(Way::Older), Some((1_000, 1_000)));
    }
}
