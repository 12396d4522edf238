//! Whatever comes in whatever order: rows are neither doubled nor out of order, and gaps are known.

use api::{JobId, SearchId};

use super::*;

fn row(seq: i64) -> LogRow {
    LogRow {
        seq: LogSeq(seq),
        search_id: SearchId(0),
        job_id: JobId(seq),
        phrase: String::new(),
        letters: String::new(),
        results: String::new(),
        ip: String::new(),
        browser_string: String::new(),
        user_agent: String::new(),
        searched_at: TimeMs(0),
        recorded_at: TimeMs(0),
    }
}

fn book(seqs: impl IntoIterator<Item = i64>) -> LogBook {
    let mut book = LogBook::default();
    book.append_older(seqs.into_iter().map(row));
    book
}

fn shown(book: &LogBook) -> Vec<i64> {
    book.rows(0..usize::MAX).iter().map(|row| row.seq.0).collect()
}

#[test]
fn overlapping_streams_double_nothing() {
    let mut book = book([5, 4, 3]);
    book.append_older([4, 3, 2].map(row));
    book.add_newer([4, 5, 6, 7].map(row), Arrivals::Show, TimeMs(0));
    book.add_newer([6, 7, 8].map(row), Arrivals::Show, TimeMs(0));
    assert_eq!(shown(&book), [8, 7, 6, 5, 4, 3, 2]);
}

#[test]
fn held_rows_move_nothing_until_released() {
    let mut book = book([2, 1]);
    book.add_newer([3, 4].map(row), Arrivals::Hold, TimeMs(0));
    book.add_newer([4, 5].map(row), Arrivals::Hold, TimeMs(0));
    assert_eq!((shown(&book), book.waiting(), book.newest()), (vec![2, 1], 3, Some(LogSeq(5))));
    book.release(TimeMs(0));
    assert_eq!((shown(&book), book.waiting()), (vec![5, 4, 3, 2, 1], 0));
}

#[test]
fn a_row_is_found_by_its_number() {
    let book = book([9, 7, 4]);
    assert_eq!([9, 7, 4, 5].map(|seq| book.position_of(LogSeq(seq))), [Some(0), Some(1), Some(2), None]);
}

#[test]
fn only_rows_that_just_came_are_fresh() {
    let mut book = book([1]);
    book.add_newer([row(2)], Arrivals::Show, TimeMs(10_000));
    assert!(book.is_fresh(LogSeq(2), TimeMs(10_100)));
    assert!(!book.is_fresh(LogSeq(1), TimeMs(10_100)));
    assert!(!book.is_fresh(LogSeq(2), TimeMs(20_000)));
}

#[test]
fn an_endless_stream_fills_no_memory() {
    let mut book = book([]);
    book.is_complete = true;
    book.add_newer((1..=30_000).map(row), Arrivals::Show, TimeMs(0));
    book.drop_oldest();
    assert_eq!((book.shown.len(), book.newest(), book.is_complete), (KEPT_ROWS, Some(LogSeq(30_000)), false));
}

#[test]
fn an_endless_stream_that_waits_fills_no_memory_and_is_counted() {
    let mut book = book([1]);
    for seq in 2..=10_001 {
        book.add_newer([row(seq)], Arrivals::Hold, TimeMs(0));
    }
    assert_eq!((shown(&book), book.waiting(), book.held.len()), (vec![1], 10_000, 0));
    assert_eq!(book.top(), Top::Gap, "what is not held is to be read again");
    book.release(TimeMs(0));
    book.add_newer([row(10_002)], Arrivals::Show, TimeMs(0));
    assert_eq!(shown(&book), [1], "nothing is shown above a gap");
}

#[test]
fn rows_keep_their_positions_when_others_are_dropped() {
    let mut book = book((1..=4_000).rev());
    let position = book.position_of(LogSeq(100));
    assert_eq!(book.drop_newest(), 0);
    assert_eq!((book.shown.len(), book.top(), book.positions()), (KEPT_ROWS, Top::Gap, 1_000..4_000));
    assert_eq!(book.position_of(LogSeq(100)), position);
    assert_eq!(book.get(position.expect("shown")).map(|row| row.seq), Some(LogSeq(100)));
    assert_eq!((book.get(999), book.within(0..1_010)), (None, 1_000..1_010));
    // Scrolling back up, they are read again; some have come meanwhile.
    assert_eq!(book.prepend_newer((3_001..=3_500).map(row)), 0);
    assert_eq!(book.prepend_newer((3_400..=4_007).map(row)), 7);
    assert_eq!(book.position_of(LogSeq(100)), position.map(|position| position + 7));
    assert_eq!(book.close_gap(), 0);
    assert_eq!((book.top(), book.positions()), (Top::Live, 0..4_007));
    book.drop_oldest();
    assert_eq!((book.shown.len(), book.oldest()), (KEPT_ROWS, Some(LogSeq(1_008))));
}

#[test]
fn room_that_is_not_needed_is_given_up_with_the_gap() {
    let mut book = book((1..=4_000).rev());
    book.drop_newest();
    // The rows that were dropped are not there any more.
    assert_eq!(book.close_gap(), -1_000);
    assert_eq!(book.position_of(LogSeq(3_000)), Some(0));
}

#[test]
fn there_is_not_room_for_any_number_of_rows() {
    let mut book = book([]);
    let mut shift = 0;
    for page in (0..200).rev() {
        book.append_older((page * 1_000 + 1..=page * 1_000 + 1_000).rev().map(row));
        shift += book.drop_newest();
    }
    assert_eq!(book.positions(), MOST_ROOM..MOST_ROOM + KEPT_ROWS);
    assert_eq!(shift, -97_000, "of 197,000 dropped rows 100,000 have room");
}

#[test]
fn a_gap_counts_what_comes() {
    let mut book = LogBook::beginning(Top::Gap);
    book.append_older([20, 19].map(row));
    book.add_newer([101, 102].map(row), Arrivals::Show, TimeMs(0));
    assert_eq!((shown(&book), book.waiting()), (vec![20, 19], 2));
    assert_eq!(book.prepend_newer([20, 21, 22].map(row)), 2);
    assert_eq!(shown(&book), [22, 21, 20, 19]);
}
