//! From times to row numbers: the log has no index of times, and needs none.
//!
//! Rows are numbered as they are recorded, so their times hardly ever go down: a place among them is found by asking
//! half way, some 25 times for ten million rows.

use api::{LogBounds, LogSeq, TimeMs};
use futures::TryStreamExt;

use crate::{Log, LogQuery, LogSpan, Result};

/// How far times may go down from one row to a later one (a clock was set, two processes' clocks differ) without a
/// row being missed by [`log_range`].
const DISORDER_MS: i64 = 60_000;

/// A place at which the times pass `time`: the row before this number was recorded earlier, the first row from this
/// number on at that time or later. Beyond the last row where none was.
///
/// Where times never go down, there is only one such place.
pub async fn log_seq_since(log: &(impl Log + ?Sized), time: TimeMs) -> Result<LogSeq> {
    let LogSeq(last) = log.last_log_seq().await?;
    // No row up to `earlier` is the one, `later` may be.
    let (mut earlier, mut later) = (0, last.saturating_add(1));
    while later - earlier > 1 {
        let middle = earlier + (later - earlier) / 2;
        let query = LogQuery { span: LogSpan::After(LogSeq(middle - 1)), limit: 1 };
        match log.log_rows(query).try_next().await? {
            Some(row) if row.seq.0 < later && row.recorded_at < time => earlier = row.seq.0,
            _ => later = middle,
        }
    }
    Ok(LogSeq(later))
}

/// The lowest and the highest number that a row within `bounds` can have; none where there is no such row.
///
/// Misses no row whose time is at most a minute out of order.
pub async fn log_range(log: &(impl Log + ?Sized), bounds: &LogBounds) -> Result<Option<(LogSeq, LogSeq)>> {
    if bounds.is_empty() {
        return Ok(None);
    }
    let (mut first, mut last) = (bounds.first.max(LogSeq(1)), bounds.last.min(log.last_log_seq().await?));
    if let Some(id) = bounds.search {
        let Some(row) = log.log_row_of_search(id).await? else { return Ok(None) };
        (first, last) = (first.max(row.seq), last.min(row.seq));
    }
    if let Some(TimeMs(since)) = bounds.since {
        first = first.max(log_seq_since(log, TimeMs(since.saturating_sub(DISORDER_MS))).await?);
    }
    if let Some(TimeMs(before)) = bounds.before {
        let LogSeq(beyond) = log_seq_since(log, TimeMs(before.saturating_add(DISORDER_MS))).await?;
        last = last.min(LogSeq(beyond - 1));
    }
    Ok((first <= last).then_some((first, last)))
}
