//! Reads the log's rows. With a filter it scans for those that match, for a limited time.

use std::time::Duration;

use api::{LogFilter, LogPosition, LogRow, LogSeq, ScanProgress, TimeMs};
use async_stream::try_stream;
use futures::{Stream, TryStreamExt};
use store::{Clock, Direction, LogQuery, LogSpan, Result, Store, log_range, log_seq_since};

/// Time budget of one scan with a filter. The page then starts the next one, and shows the progress.
const PATIENCE: Duration = Duration::from_millis(150);
/// How many rows are compared between two checks of the clock.
const BLOCK_ROWS: u32 = 256;

/// Where a scan begins, and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the newest row downwards.
    Newest,
    /// From the nearest row before this one downwards.
    Before(LogSeq),
    /// From the nearest row after this one upwards.
    After(LogSeq),
}

/// What a scan yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    Row(LogRow),
    /// The last item.
    Progress(ScanProgress),
}

impl Start {
    /// Downwards from a position: from the row itself or the nearest before it, or from the first row that was searched
    /// at that time or later.
    pub async fn at(position: LogPosition, store: &dyn Store, now: TimeMs) -> Result<Self> {
        let LogSeq(seq) = match position {
            LogPosition::Row(seq) => seq,
            LogPosition::Time(point) => searched_since(store, point.resolve(now)).await?,
        };
        Ok(Self::Before(LogSeq(seq.saturating_add(1))))
    }

    fn direction(self) -> Direction {
        match self {
            Self::Newest | Self::Before(_) => Direction::Down,
            Self::After(_) => Direction::Up,
        }
    }
}

/// The first row that was searched at `time` or later, among those that were recorded soon after it.
async fn searched_since(store: &dyn Store, time: TimeMs) -> Result<LogSeq> {
    // Rows are numbered as they are recorded. Some of these may have been searched earlier, and waited.
    let LogSeq(first) = log_seq_since(store, time).await?;
    let mut rows = store.log_rows(LogQuery { span: LogSpan::After(LogSeq(first - 1)), limit: BLOCK_ROWS });
    while let Some(row) = rows.try_next().await? {
        if row.searched_at >= time {
            return Ok(row.seq);
        }
    }
    Ok(LogSeq(first))
}

impl From<Start> for LogSpan {
    fn from(start: Start) -> Self {
        match start {
            Start::Newest => Self::Newest,
            Start::Before(seq) => Self::Before(seq),
            Start::After(seq) => Self::After(seq),
        }
    }
}

/// At most `limit` rows that `filter` matches, and then the progress.
///
/// Holds a connection for no longer than it takes to read some 256 rows.
pub fn scan<'a>(
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    filter: &'a LogFilter,
    start: Start,
    limit: u32,
) -> impl Stream<Item = Result<Scanned>> + 'a {
    try_stream! {
        let deadline = clock.steady().after(PATIENCE);
        let now = clock.wall();
        let mut progress = begin(store, filter, start, now).await?;
        let mut left = limit;
        let mut compared = 0;
        if !progress.0.is_done {
            // Without a filter every row counts, and reading takes as long as the client takes to receive.
            let is_scan = !filter.is_empty();
            let most = if is_scan { u32::MAX } else { limit };
            let mut rows = store.log_rows(LogQuery { span: progress.span(start.direction()), limit: most });
            while left > 0 && !progress.0.is_done {
                if is_scan && compared == BLOCK_ROWS {
                    compared = 0;
                    if clock.steady() >= deadline {
                        break;
                    }
                }
                let Some(row) = rows.try_next().await?.filter(|row| !progress.is_beyond(row.seq, start.direction())) else {
                    progress.finish();
                    break;
                };
                compared += 1;
                progress.reach(row.seq);
                if filter.matches(&row, now) {
                    left -= 1;
                    yield Scanned::Row(row);
                }
            }
        }
        yield Scanned::Progress(progress.0);
    }
}

/// How far a scan has come.
struct Progress(ScanProgress);

async fn begin(store: &dyn Store, filter: &LogFilter, start: Start, now: TimeMs) -> Result<Progress> {
    let last = store.last_log_seq().await?;
    let bounds = filter.bounds(now);
    let range = if bounds.is_unbounded() { Some((LogSeq(1), last)) } else { log_range(store, &bounds).await? };
    // An empty range: no row can match.
    let (first, upto) = range.unwrap_or((LogSeq(1), LogSeq(0)));
    let (from, end) = match start {
        Start::Newest => (upto, first),
        Start::Before(LogSeq(seq)) => (upto.min(LogSeq(seq.saturating_sub(1).max(0))), first),
        Start::After(LogSeq(seq)) => (first.max(LogSeq(seq.saturating_add(1))), upto),
    };
    // No row is compared yet: the scan stands before its first row.
    let (to, is_done) = match start.direction() {
        Direction::Down => (LogSeq(from.0 + 1), from < end),
        Direction::Up => (LogSeq(from.0 - 1), from > end),
    };
    Ok(Progress(ScanProgress { from, to, end, last, is_done }))
}

impl Progress {
    fn span(&self, direction: Direction) -> LogSpan {
        let LogSeq(from) = self.0.from;
        match direction {
            Direction::Down => LogSpan::Before(LogSeq(from.saturating_add(1))),
            Direction::Up => LogSpan::After(LogSeq(from - 1)),
        }
    }

    fn is_beyond(&self, seq: LogSeq, direction: Direction) -> bool {
        match direction {
            Direction::Down => seq < self.0.end,
            Direction::Up => seq > self.0.end,
        }
    }

    fn reach(&mut self, seq: LogSeq) {
        self.0.to = seq;
        self.0.is_done = seq == self.0.end;
    }

    fn finish(&mut self) {
        self.0.to = self.0.end;
        self.0.is_done = true;
    }
}
