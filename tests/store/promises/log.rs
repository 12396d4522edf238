//! The log holds each search once and unchanged, and finds rows by their time.

use std::time::Duration;

use api::{LogBounds, LogFilter, LogRow, LogSeq, TimeMs};
use futures::future::{join_all, try_join_all};
use futures::{StreamExt, TryStreamExt};
use proptest::strategy::{Strategy, ValueTree};
use store::{LogEntry, LogQuery, LogSpan, SearchRecord, Store, log_range, log_seq_since};
use tests::builders::{START, log_entry, log_entry_of, log_query, no_attempt, search, search_record};

use crate::Database;

/// Texts that some layer above the disk might interpret.
pub(super) const HOSTILE: &[&str] = &[
    "",
    " ",
    "\0",
    "a\0b",
    "\0\0 trailing\0",
    "'; drop table log; --",
    "\"quoted\" 'quoted' `quoted` [quoted] %_\\",
    "{\"json\": [1, null, \"\\u0000\"]}",
    "\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1b}[31m\u{7f}\u{85}",
    "\u{feff}\u{200b}\u{200d}\u{202e}\u{2028}\u{2029}",
    "e\u{301} é 👩‍👩‍👧‍👦 עברית ไทย",
    "\u{d7ff}\u{e000}\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{10ffff}",
    "?1 ?2 :name @name $name",
    "null",
    "1e999",
    "0x00",
];

async fn rows(store: &dyn Store, query: LogQuery) -> Vec<LogRow> {
    store.log_rows(query).try_collect().await.unwrap()
}

async fn seqs(store: &dyn Store, query: LogQuery) -> Vec<i64> {
    rows(store, query).await.into_iter().map(|row| row.seq.0).collect()
}

async fn record_many(store: &dyn Store, count: u128) {
    for outcome in
        join_all((0..count).map(|n| store.record(log_entry(search(n), &format!("phrase {n}")), no_attempt()))).await
    {
        outcome.unwrap();
    }
}

pub(crate) async fn a_search_is_recorded_once(database: impl Database) {
    let store = database.store();
    assert_eq!(store.last_log_seq().await.unwrap(), LogSeq(0));
    assert_eq!(store.log_row_of_search(search(1)).await.unwrap(), None);
    let seq = store.record(log_entry(search(1), "life"), no_attempt()).await.unwrap();
    let again = store.record(log_entry(search(1), "another phrase"), no_attempt()).await.unwrap();
    let other = store.record(log_entry(search(2), "life"), no_attempt()).await.unwrap();
    assert_eq!(again, seq);
    assert!(other > seq);
    assert_eq!(store.last_log_seq().await.unwrap(), other);
    assert_eq!(store.log_row_of_search(search(1)).await.unwrap().expect("recorded").phrase, "life");
    assert_eq!(rows(&*store, log_query(LogSpan::Newest)).await.len(), 2);
}

pub(crate) async fn the_same_search_twice_in_one_commit_is_recorded_once(database: impl Database) {
    let store = database.store();
    for n in 0..20 {
        let seqs = join_all((0..8).map(|_| store.record(log_entry(search(n), "life"), no_attempt()))).await;
        let first = seqs[0].clone().unwrap();
        assert!(seqs.into_iter().all(|seq| seq.unwrap() == first));
    }
    assert_eq!(rows(&*store, log_query(LogSpan::Newest)).await.len(), 20);
}

pub(crate) async fn a_row_with_any_characters_is_read_back_exactly(database: impl Database) {
    let store = database.store();
    let long = "🎈\0".repeat(5_000);
    let texts = || HOSTILE.iter().copied().chain([long.as_str()]).map(str::to_owned);
    let entries: Vec<LogEntry> = texts()
        .enumerate()
        .map(|(n, text)| {
            log_entry_of(SearchRecord {
                letters: format!("letters {text}"),
                results: format!("results {text}"),
                ip: format!("ip {text}"),
                browser_family: format!("browser {text}"),
                user_agent: text.clone(),
                ..search_record(search(n as u128), &text)
            })
        })
        .collect();
    for outcome in join_all(entries.iter().cloned().map(|entry| store.record(entry, no_attempt()))).await {
        outcome.unwrap();
    }
    for entry in entries {
        let row = store.log_row_of_search(entry.search.id).await.unwrap().expect("recorded");
        assert_eq!(LogEntry::from(row), entry);
    }
}

pub(crate) async fn rows_are_numbered_in_the_order_of_their_visibility(database: impl Database) {
    let store = database.store();
    let follower = tokio::spawn({
        let store = database.store();
        async move {
            let mut wake = store.subscribe(store::Topic::Log);
            let (mut cursor, mut seen) = (LogSeq(0), Vec::new());
            while seen.len() < 2000 {
                let new = seqs(&*store, log_query(LogSpan::After(cursor))).await;
                cursor = new.last().copied().map_or(cursor, LogSeq);
                seen.extend(new);
                if seen.len() < 2000 {
                    wake.changed().await;
                }
            }
            seen
        }
    });
    record_many(&*store, 2000).await;
    let seen = tokio::time::timeout(Duration::from_secs(60), follower).await.expect("no row is missed").unwrap();
    assert!(seen.is_sorted_by(|earlier, later| earlier < later));
    let mut all = seqs(&*store, log_query(LogSpan::Newest)).await;
    all.reverse();
    assert_eq!(seen, all);
}

pub(crate) async fn spans_go_down_from_the_newest_row_and_up_from_a_row(database: impl Database) {
    let store = database.store();
    assert!(seqs(&*store, log_query(LogSpan::Newest)).await.is_empty());
    record_many(&*store, 600).await;
    let newest = seqs(&*store, log_query(LogSpan::Newest)).await;
    assert_eq!(newest.len(), 600);
    assert!(newest.is_sorted_by(|newer, older| newer > older));
    let middle = LogSeq(newest[300]);
    assert_eq!(seqs(&*store, log_query(LogSpan::Before(middle))).await, newest[301..]);
    let mut after = seqs(&*store, log_query(LogSpan::After(middle))).await;
    after.reverse();
    assert_eq!(after, newest[..300]);
    assert_eq!(seqs(&*store, log_query(LogSpan::After(LogSeq(0)))).await.len(), 600);
    assert_eq!(seqs(&*store, log_query(LogSpan::Before(LogSeq(i64::MAX)))).await, newest);
    for nothing in [LogSpan::After(LogSeq(newest[0])), LogSpan::After(LogSeq(i64::MAX)), LogSpan::Before(LogSeq(1))] {
        assert!(seqs(&*store, log_query(nothing)).await.is_empty(), "{nothing:?}");
    }
    assert!(seqs(&*store, log_query(LogSpan::Before(LogSeq(i64::MIN)))).await.is_empty());
}

pub(crate) async fn a_limit_ends_the_rows(database: impl Database) {
    let store = database.store();
    record_many(&*store, 600).await;
    for limit in [0, 1, 255, 256, 257, 512, 599, 600, 601] {
        for span in [LogSpan::Newest, LogSpan::After(LogSeq(0))] {
            let found = seqs(&*store, LogQuery { span, limit }).await;
            assert_eq!(found.len(), limit.min(600) as usize);
        }
    }
}

pub(crate) async fn a_stopped_reader_does_not_block_others(database: impl Database) {
    let store = database.store();
    record_many(&*store, 600).await;
    let mut stopped = Vec::new();
    for _ in 0..64 {
        let mut stream = store.log_rows(log_query(LogSpan::Newest));
        stream.next().await.expect("a first row").unwrap();
        stopped.push(stream);
    }
    assert_eq!(rows(&*store, log_query(LogSpan::Newest)).await.len(), 600);
    store.record(log_entry(search(9_999), "goes on"), no_attempt()).await.unwrap();
    // A stopped reader continues where it stopped.
    let rest: Vec<LogRow> = stopped.pop().expect("one of them").try_collect().await.unwrap();
    assert_eq!(rest.len(), 599);
}

pub(crate) async fn rows_survive_a_reopening(mut database: impl Database) {
    record_many(&*database.store(), 5).await;
    let before = rows(&*database.store(), log_query(LogSpan::Newest)).await;
    database.reopen().await;
    assert_eq!(rows(&*database.store(), log_query(LogSpan::Newest)).await, before);
    let next = database.store().record(log_entry(search(99), "next"), no_attempt()).await.unwrap();
    assert!(next > before[0].seq);
}

/// Writes one row for each time. Groups of 25 share commits and keep their order.
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

pub(crate) async fn a_time_leads_to_the_first_later_row(database: impl Database) {
    let store = database.store();
    assert_eq!(log_seq_since(&*store, START).await.unwrap(), LogSeq(1), "of no rows");
    // Three rows every ten minutes.
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
    for (since, before) in [(0, 20), (1, 2), (5, 9), (12, 13), (19, 25)] {
        let filter = format!("recorded:{}m..{}m", 20 - since, 20_u64.saturating_sub(before));
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

pub(crate) async fn bounds_select_existing_rows(database: impl Database) {
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
    assert_eq!(range(of("recorded:1s")).await, None);
    assert_eq!(range(of("recorded:..10w")).await, None);
}

pub(crate) async fn random_times_lead_to_the_right_row(database: impl Database) {
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
