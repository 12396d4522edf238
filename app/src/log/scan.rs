//! How far a filtered read has scanned, over several responses; and the lines of a response.

use api::{ApiError, ErrorCode, LogRow, LogSeq, ScanProgress};

use crate::log::words;
use crate::platform::{ndjson, url};

/// In which direction rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Older,
    Newer,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanState {
    older: Option<ScanProgress>,
    newer: Option<ScanProgress>,
}

impl ScanState {
    /// Adds the progress of a response that continues where the previous one ended.
    pub fn and(mut self, direction: Direction, progress: ScanProgress) -> Self {
        let side = self.side_mut(direction);
        *side = Some(ScanProgress { from: side.map_or(progress.from, |before| before.from), ..progress });
        self
    }

    /// Resets the scan to `seq`: the rows beyond it were dropped and must be scanned again.
    pub fn reset_to(mut self, direction: Direction, seq: LogSeq) -> Self {
        if let Some(progress) = self.side_mut(direction) {
            progress.to = seq;
        }
        self
    }

    /// The last row that was scanned.
    pub fn reached(self, direction: Direction) -> Option<LogSeq> {
        self.side(direction).map(|progress| progress.to)
    }

    /// The first row that was scanned.
    pub fn began(self, direction: Direction) -> Option<LogSeq> {
        self.side(direction).map(|progress| progress.from)
    }

    /// How many numbers of rows were scanned, and how many there are to scan. Some of them may have no row.
    pub fn numbers(self, direction: Direction) -> Option<(u64, u64)> {
        let ScanProgress { from: LogSeq(from), to: LogSeq(to), end: LogSeq(end), .. } = self.side(direction)?;
        let rows_to = |seq: i64| match direction {
            Direction::Older => from.saturating_sub(seq),
            Direction::Newer => seq.saturating_sub(from),
        };
        let counted = |seq| u64::try_from(rows_to(seq).saturating_add(1)).unwrap_or(0);
        Some((counted(to), counted(end)))
    }

    /// The lowest and the highest number that were scanned, if there are any.
    pub fn scanned(self, direction: Direction) -> Option<(LogSeq, LogSeq)> {
        let ScanProgress { from, to, .. } = self.side(direction)?;
        let (low, high) = match direction {
            Direction::Older => (to, from),
            Direction::Newer => (from, to),
        };
        (low <= high).then_some((low, high))
    }

    fn side(mut self, direction: Direction) -> Option<ScanProgress> {
        *self.side_mut(direction)
    }

    fn side_mut(&mut self, direction: Direction) -> &mut Option<ScanProgress> {
        match direction {
            Direction::Older => &mut self.older,
            Direction::Newer => &mut self.newer,
        }
    }
}

/// What some lines of a response hold.
#[derive(Debug, Default)]
pub struct Page {
    pub rows: Vec<LogRow>,
    /// The last line of a response.
    pub progress: Option<ScanProgress>,
    /// The error that the response ended with.
    pub error: Option<ApiError>,
}

pub fn parse(lines: &[Vec<u8>]) -> Page {
    let mut page = Page { rows: Vec::with_capacity(lines.len()), ..Page::default() };
    for line in lines {
        if let Ok(row) = serde_json::from_slice(line) {
            page.rows.push(row);
        } else if let Ok(progress) = serde_json::from_slice(line) {
            page.progress = Some(progress);
        } else {
            let malformed = |_| ApiError::new(ErrorCode::Malformed, words::UNREADABLE_ROW);
            page.error = Some(serde_json::from_slice::<ApiError>(line).unwrap_or_else(malformed));
            break;
        }
    }
    page
}

/// The error of a response without its last line.
pub fn cut_short() -> ApiError {
    ApiError::new(ErrorCode::Offline, words::CUT_SHORT)
}

/// The row with this number, if there is one.
pub async fn fetch_row(seq: LogSeq) -> Result<Option<LogRow>, ApiError> {
    let before = seq.0.saturating_add(1).to_string();
    let url = url::with_query(
        "/api/admin/log/rows",
        &[("before", Some(before.as_str())), ("q", Some("")), ("limit", Some("1"))],
    );
    let mut lines = Vec::new();
    ndjson::read(url, |more| lines.extend(more)).await?;
    let page = parse(&lines);
    match (page.error, page.progress) {
        (Some(error), _) => Err(error),
        (None, None) => Err(cut_short()),
        (None, Some(_)) => Ok(page.rows.into_iter().find(|row| row.seq == seq)),
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::{Newer, Older};
    use super::*;

    fn progress(from: i64, to: i64) -> ScanProgress {
        ScanProgress { from: LogSeq(from), to: LogSeq(to), end: LogSeq(1), last: LogSeq(1_000), is_done: to == 1 }
    }

    #[test]
    fn an_empty_range_counts_no_rows() {
        let empty = ScanProgress { from: LogSeq(0), to: LogSeq(1), end: LogSeq(1), last: LogSeq(9), is_done: true };
        assert_eq!(ScanState::default().and(Older, empty).numbers(Older), Some((0, 0)));
        assert_eq!(ScanState::default().and(Older, empty).scanned(Older), None);
    }

    #[test]
    fn responses_add_up() {
        let scan = ScanState::default().and(Older, progress(1_000, 751));
        assert_eq!((scan.numbers(Older), scan.numbers(Newer)), (Some((250, 1_000)), None));
        assert_eq!(scan.scanned(Older), Some((LogSeq(751), LogSeq(1_000))));
        let scan = scan.and(Older, progress(750, 501));
        assert_eq!(scan.began(Older), Some(LogSeq(1_000)));
        assert_eq!((scan.numbers(Older), scan.reached(Older)), (Some((500, 1_000)), Some(LogSeq(501))));
        assert_eq!(scan.reset_to(Older, LogSeq(700)).reached(Older), Some(LogSeq(700)));
        assert_eq!(scan.reset_to(Newer, LogSeq(700)), scan, "nothing was scanned in that direction");
        assert_eq!(scan.and(Older, progress(500, 1)).numbers(Older), Some((1_000, 1_000)));
    }

    const ROW: &str = r#"{"seq":1,"search_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","job_id":1,"phrase":"a","letters":"a",
        "results":"{'a'}","ip":"","browser_string":"","user_agent":"","searched_at":0,"recorded_at":0}"#;

    fn page(lines: &[&str]) -> Page {
        parse(&lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn an_error_at_the_end_keeps_the_rows_before_it() {
        let page = page(&[ROW, r#"{"error":{"code":"unavailable","message":"Later.","field":null}}"#]);
        assert_eq!(page.rows.len(), 1);
        assert_eq!(page.error.map(|error| error.code), Some(ErrorCode::Unavailable));
    }

    #[test]
    fn a_malformed_line_is_an_error() {
        let page = page(&["<html>"]);
        assert!(page.rows.is_empty());
        assert_eq!(page.error.map(|error| error.code), Some(ErrorCode::Malformed));
    }

    #[test]
    fn the_last_line_holds_the_progress_of_the_scan() {
        let page = page(&[ROW, r#"{"looked":{"from":9,"to":5,"end":1,"last":12,"is_done":false}}"#]);
        let progress =
            ScanProgress { from: LogSeq(9), to: LogSeq(5), end: LogSeq(1), last: LogSeq(12), is_done: false };
        assert_eq!((page.rows.len(), page.progress, page.error), (1, Some(progress), None));
    }
}
