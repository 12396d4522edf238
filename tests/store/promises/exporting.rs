//! The log is read in blocks, completely and unchanged.

use std::sync::Arc;

use api::{LogRow, LogSeq};
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use store::{LogBlock, LogEntry, LogSpan, SearchRecord, Store, log_blocks};
use tests::builders::{log_entry, log_entry_of, log_query, no_attempt, search, search_record};
use tests::corpus::corpus;

use super::log::HOSTILE;
use crate::Database;

/// Larger than any block of these rows.
const BLOCK_BYTES: usize = 2 * 1024 * 1024;

async fn record(store: &dyn Store, entries: Vec<LogEntry>) {
    for outcome in join_all(entries.into_iter().map(|entry| store.record(entry, no_attempt()))).await {
        outcome.unwrap();
    }
}

async fn blocks(store: &Arc<dyn Store>, after: LogSeq, upto: LogSeq) -> Vec<LogBlock> {
    log_blocks(Arc::clone(store), after, upto).try_collect().await.unwrap()
}

fn rows(blocks: &[LogBlock]) -> Vec<LogRow> {
    blocks.iter().flat_map(|block| block.rows().map(|row| row.unwrap().to_row()).collect::<Vec<_>>()).collect()
}

async fn all_rows(store: &dyn Store) -> Vec<LogRow> {
    store.log_rows(log_query(LogSpan::After(LogSeq(0)))).try_collect().await.unwrap()
}

/// A row that has `text` in every column that can hold it.
fn filled_with(number: usize, text: &str) -> LogEntry {
    log_entry_of(SearchRecord {
        phrase: text.to_owned(),
        letters: format!("{text}a"),
        results: format!("b{text}"),
        ip: text.to_owned(),
        browser_family: format!(" {text}"),
        user_agent: text.to_owned(),
        ..search_record(search(number as u128), "")
    })
}

pub(crate) async fn blocks_hold_every_row_exactly_and_in_order(database: impl Database) {
    let store = database.store();
    assert_eq!(blocks(&store, LogSeq(0), LogSeq(i64::MAX)).await, []);
    let hostile = corpus().iter().map(|hostile| hostile.text.as_str()).chain(HOSTILE.iter().copied());
    let entries: Vec<_> = hostile.enumerate().map(|(number, text)| filled_with(number, text)).collect();
    let (some, many) = (entries.len(), 3_000);
    record(&*store, entries).await;
    record(&*store, (some..many).map(|number| log_entry(search(number as u128), "ordinary")).collect()).await;
    let blocks = blocks(&store, LogSeq(0), LogSeq(i64::MAX)).await;
    assert!(blocks.len() < many / 50, "{} blocks for {many} rows", blocks.len());
    assert!(blocks.iter().all(|block| block.rows().count() > 0), "none is empty");
    let last = rows(&blocks[..1]).last().map(|row| row.seq);
    assert_eq!(blocks[0].last(), last);
    let rows = rows(&blocks);
    assert_eq!(rows.len(), many);
    assert!(rows == all_rows(&*store).await, "a row has changed");
}

pub(crate) async fn a_block_stays_small_with_long_phrases(database: impl Database) {
    let store = database.store();
    let long = "🎈".repeat(api::PHRASE_LIMIT);
    let is_long = |number: usize| matches!(number, 0 | 1 | 700 | 1_400..1_520 | 1_999);
    let entry = |number| log_entry(search(number as u128), if is_long(number) { &long } else { "short" });
    record(&*store, (0..2_000).map(entry).collect()).await;
    let blocks = blocks(&store, LogSeq(0), LogSeq(i64::MAX)).await;
    let largest = blocks.iter().map(LogBlock::size).max();
    assert!(largest.is_some_and(|size| size <= BLOCK_BYTES), "{largest:?}");
    assert!(rows(&blocks) == all_rows(&*store).await, "a row has changed");
}

pub(crate) async fn blocks_end_at_the_given_row(database: impl Database) {
    let store = database.store();
    record(&*store, (0..1_500).map(|number| log_entry(search(number), "x")).collect()).await;
    let all = all_rows(&*store).await;
    let (first, last) = (all[0].seq, all[1_499].seq);
    for (from, to) in [(0, 1_500), (0, 1), (1_499, 1_500), (10, 1_200), (700, 701)] {
        let after = LogSeq(all[from].seq.0 - 1);
        let found = rows(&blocks(&store, after, all[to - 1].seq).await);
        assert!(found == all[from..to], "from {from} to {to}");
    }
    for (after, upto) in [(last, LogSeq(i64::MAX)), (LogSeq(5), LogSeq(5)), (last, first), (LogSeq(-9), LogSeq(0))] {
        assert_eq!(blocks(&store, after, upto).await, [], "{after:?} to {upto:?}");
    }
    assert_eq!(rows(&blocks(&store, LogSeq(i64::MIN), LogSeq(i64::MAX)).await).len(), 1_500);
    assert_eq!(blocks(&store, LogSeq(i64::MAX), LogSeq(i64::MIN)).await, []);
}

pub(crate) async fn rows_that_arrive_during_an_export_are_not_in_it(database: impl Database) {
    let store = database.store();
    record(&*store, (0..3_000).map(|number| log_entry(search(number), "before")).collect()).await;
    let last = store.last_log_seq().await.unwrap();
    let before = all_rows(&*store).await;
    let mut read = Vec::new();
    let mut coming = Box::pin(log_blocks(Arc::clone(&store), LogSeq(0), last));
    let mut number = 10_000;
    while let Some(block) = coming.next().await {
        read.push(block.unwrap());
        record(&*store, (number..number + 50).map(|number| log_entry(search(number), "later")).collect()).await;
        number += 50;
    }
    assert!(read.len() > 1, "rows came between two blocks");
    assert!(rows(&read) == before, "the export has the rows of its beginning");
}
