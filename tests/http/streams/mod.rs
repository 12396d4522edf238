//! The streams that administrators watch.

mod job_counts;
mod log_events;
pub(crate) mod log_filter;
mod log_rows;
mod session_end;

use api::{JobId, LogRow, LogSeq, SearchId, TimeMs};
use store::LogEntry;

use crate::site::Site;

/// So many rows are handed in together that they are numbered in their order, and share commits all the same.
const TOGETHER: usize = 25;

/// Writes a row for each phrase, straight into the log; their numbers follow on each other.
pub(crate) async fn write(site: &Site, phrases: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<LogSeq> {
    let already = site.store().last_log_seq().await.expect("the store answers").0;
    let entries: Vec<LogEntry> =
        phrases.into_iter().zip(already + 1..).map(|(phrase, number)| entry(phrase.as_ref(), number)).collect();
    let mut seqs = Vec::new();
    for some in entries.chunks(TOGETHER) {
        let written = some.iter().cloned().map(|entry| site.env.store.record(entry, tests::builders::no_attempt()));
        seqs.extend(futures::future::try_join_all(written).await.expect("the store takes rows"));
    }
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "numbered in order: {seqs:?}");
    seqs
}

fn entry(phrase: &str, number: i64) -> LogEntry {
    LogEntry {
        search_id: SearchId(number.unsigned_abs().into()),
        job_id: JobId(number),
        phrase: phrase.to_owned(),
        letters: "aeiou".to_owned(),
        results: "set()".to_owned(),
        ip: "127.0.0.1".to_owned(),
        browser_string: "Firefox".to_owned(),
        user_agent: "Mozilla/5.0".to_owned(),
        searched_at: TimeMs(number),
        recorded_at: TimeMs(number),
    }
}

fn phrases(rows: &[LogRow]) -> Vec<&str> {
    rows.iter().map(|row| row.phrase.as_str()).collect()
}
