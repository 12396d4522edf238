//! Rows are found by the time at which they were recorded, although no index knows it.

use std::time::Duration;

use api::{LogBounds, LogFilter, LogRow, LogSeq, TimeMs};
use futures::TryStreamExt;
use futures::future::try_join_all;
use proptest::strategy::{Strategy, ValueTree};
use store::{LogEntry, LogSpan, Store, log_range, log_seq_since};
use tests::builders::{START, log_entry, log_query, no_attempt, search};

use crate::database::Database;

/// One row for each time, in this order: so many are handed in together that they share commits and keep it.
async fn record_at(store: &dyn Store, times: impl IntoIterator<Item = TimeMs>) {
    let entries = times
        .into_iter()
        .enumerate()
        .map(|(n, recorded_at)| LogEntry { recorded_at, ..log_entry(search(n as u128), "timed") });
    for some in entries.collect::<Vec<_>>().chunks(25) {
        try_join_all(some.iter().cloned().map(|entry| store.record(entry, no_attempt()))).await.unwrap();
    }
}

fn minute(minute: u64) -> TimeMs {
    START.after(Duration::from_secs(60 * minute))
}

pub(crate) async fn a_time_leads_to_the_first_row_from_then_on(database: impl Database) {
    let store = database.store();
    assert_eq!(log_seq_since(&*store, START).await.unwrap(), LogSeq(1), "of no rows");
    // Every tenth minute, in threes.
    record_at(&*store, (0..300).map(|n| minute(n / 3 * 10))).await;
    let rows: Vec<LogRow> = store.log_rows(log_query(LogSpan::After(LogSeq(0)))).try_collect().await.unwrap();
    for time in (0..1_010).step_by(5).map(minute).chain([TimeMs(0), TimeMs(i64::MIN), TimeMs(i64::MAX)]) {
        let expected = rows.iter().find(|row| row.recorded_at >= time);
        let expected = expected.map_or(LogSeq(rows[299].seq.0 + 1), |row| row.seq);
        assert_eq!(log_seq_since(&*store, time).await.unwrap(), expected, "{time:?}");
    }
}

pub(crate) async fn a_minute_of_disorder_hides_no_row(database: impl Database) {
    let store = database.store();
    let disorder = |n: u64| Duration::from_millis((n * 7_919) % 60_000);
    record_at(&*store, (0..400).map(|n| START.after(Duration::from_secs(2 * n) + disorder(n)))).await;
    let rows: Vec<LogRow> = store.log_rows(log_query(LogSpan::Newest)).try_collect().await.unwrap();
    let now = minute(20);
    for (since, before) in [(0, 20), (1, 2), (5, 9), (8, 8), (9, 7), (12, 13), (19, 25)] {
        let filter = format!("since:{}m before:{}m", 20 - since, 20_u64.saturating_sub(before));
        let filter: LogFilter = filter.parse().unwrap();
        let range = log_range(&*store, &filter.bounds(now)).await.unwrap();
        for row in rows.iter().filter(|row| filter.matches(row, now)) {
            let (first, last) = range.expect("there are rows");
            assert!((first..=last).contains(&row.seq), "{row:?} is in {since} to {before}: {range:?}");
        }
        let within = range.map_or(0, |(first, last)| last.0 - first.0 + 1);
        assert!(within <= 30 * (before.saturating_sub(since) as i64 + 4), "{within} rows for {since} to {before}");
    }
}

pub(crate) async fn bounds_are_met_by_what_is_there(database: impl Database) {
    let store = database.store();
    let range = async |bounds: LogBounds| log_range(&*store, &bounds).await.unwrap();
    assert_eq!(range(LogBounds::NONE).await, None, "of no rows");
    record_at(&*store, (0..50).map(minute)).await;
    let all = store.log_rows(log_query(LogSpan::After(LogSeq(0)))).try_collect::<Vec<LogRow>>().await.unwrap();
    let last = all[49].seq;
    assert_eq!(range(LogBounds::NONE).await, Some((LogSeq(1), last)));
    let of = |filter: &str| filter.parse::<LogFilter>().unwrap().bounds(minute(60));
    assert_eq!(range(of("row:7")).await, Some((LogSeq(7), LogSeq(7))));
    assert_eq!(range(of("row:7 row:8")).await, None);
    assert_eq!(range(of("row:1000")).await, None);
    let id = all[20].search_id;
    assert_eq!(range(of(&format!("search:{id}"))).await, Some((all[20].seq, all[20].seq)));
    assert_eq!(range(of(&format!("search:{id} row:{}", all[21].seq.0))).await, None);
    assert_eq!(range(of(&format!("search:{}", search(999)))).await, None);
    assert_eq!(range(of("since:1s")).await, None);
    assert_eq!(range(of("before:10w")).await, None);
}

pub(crate) async fn any_times_at_all_lead_to_a_place_where_they_pass(database: impl Database) {
    let store = database.store();
    let times = proptest::collection::vec(0..40_u64, 60);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let times = times.new_tree(&mut runner).expect("times").current();
    record_at(&*store, times.iter().copied().map(minute)).await;
    for at in 0..42 {
        let LogSeq(seq) = log_seq_since(&*store, minute(at)).await.unwrap();
        let index = usize::try_from(seq - 1).expect("a row's number");
        assert!(index == 0 || times[index - 1] < at, "{at}: the row before {seq} is earlier");
        assert!(index == times.len() || times[index] >= at, "{at}: row {seq} is not");
    }
}
