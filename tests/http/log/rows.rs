//! The rows of the log as lines of JSON, also filtered.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{ErrorCode, LogRow, LogSeq, ScanProgress, TimeMs};
use async_trait::async_trait;
use futures::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{Connection, SqliteConnection};
use store::{Clock, SystemClock};

use crate::test_server::TestServer;
use crate::test_server::{phrases, write_log};

async fn rows(server: &TestServer, admin: &str, query: &str) -> Vec<LogRow> {
    server.get(&format!("/api/admin/log/rows{query}")).cookie(admin).send().await.lines()
}

#[tokio::test]
async fn rows_are_sent_newest_first_and_page_by_page() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    assert_eq!(rows(&server, &admin, "").await, []);
    let seqs = write_log(&server, ["one", "two", "three", "four", "five"]).await;
    assert_eq!(phrases(&rows(&server, &admin, "").await), ["five", "four", "three", "two", "one"]);
    let page = rows(&server, &admin, "?limit=2").await;
    assert_eq!(phrases(&page), ["five", "four"]);
    let before = format!("?limit=2&before={}", page[1].seq.0);
    assert_eq!(phrases(&rows(&server, &admin, &before).await), ["three", "two"]);
    assert_eq!(rows(&server, &admin, &format!("?before={}", seqs[0].0)).await, []);
    assert_eq!(rows(&server, &admin, "?limit=0").await, []);
    assert_eq!(rows(&server, &admin, &format!("?before={}", i64::MIN)).await, []);
    assert_eq!(rows(&server, &admin, &format!("?before={}", i64::MAX)).await.len(), 5);
    let newer = format!("?limit=2&after={}", seqs[1].0);
    assert_eq!(phrases(&rows(&server, &admin, &newer).await), ["three", "four"], "from the nearest upwards");
    assert_eq!(rows(&server, &admin, &format!("?after={}", i64::MAX)).await, []);
}

#[tokio::test]
async fn the_last_line_says_whether_there_are_more_rows() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let progress = async |query: &str| {
        let progress = looked(&server, &admin, query).await.1;
        (progress.from.0, progress.to.0, progress.is_done)
    };
    assert_eq!(progress("").await, (0, 1, true), "the log is empty");
    write_log(&server, ["one", "two", "three"]).await;
    assert_eq!(progress("").await, (3, 1, true));
    assert_eq!(progress("limit=2").await, (3, 2, false));
    assert_eq!(progress("limit=3").await, (3, 1, true), "as many as there are");
    assert_eq!(progress("before=3&limit=1").await, (2, 2, false));
    assert_eq!(progress("after=1").await, (2, 3, true));
    assert_eq!(progress("after=1&limit=1").await, (2, 2, false));
}

#[tokio::test]
async fn the_default_limit_is_a_thousand_rows_and_the_largest_ten_thousand() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    write_log(&server, (0..10_001).map(|number| number.to_string())).await;
    assert_eq!(rows(&server, &admin, "").await.len(), 1_000);
    let most = rows(&server, &admin, "?limit=4294967295").await;
    assert_eq!(most.len(), 10_000);
    assert!(most.windows(2).all(|pair| pair[0].seq > pair[1].seq), "newest first, none twice");
}

#[tokio::test]
async fn the_first_rows_are_sent_before_the_last_are_read() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let seqs = write_log(&server, (0..2_000).map(|number| number.to_string())).await;
    let (_, _, body) = server.get("/api/admin/log/rows?limit=2000").cookie(&admin).open().await;
    let mut chunks = body.into_data_stream();
    let first = chunks.next().await.expect("a chunk").expect("the stream does not break");
    assert!(first.ends_with(b"\n"), "rows are not torn");
    let newest: LogRow =
        serde_json::from_slice(first.split(|&byte| byte == b'\n').next().expect("a line")).expect("a row");
    assert_eq!(newest.seq, *seqs.last().expect("2,000 rows"));

    // Rows that were already read would still arrive. Rows read from now on no longer exist.
    let file = format!("sqlite:{}/search4letters.db", server.folder.path().display());
    let mut other = SqliteConnection::connect(&file).await.expect("the file opens");
    let deleted = sqlx::query("delete from log where id <= ?").bind(seqs[999].0).execute(&mut other).await;
    assert_eq!(deleted.expect("deleted").rows_affected(), 1_000);
    let mut lines = first.iter().filter(|&&byte| byte == b'\n').count();
    while let Some(chunk) = chunks.next().await {
        lines += chunk.expect("the stream does not break").iter().filter(|&&byte| byte == b'\n').count();
    }
    assert_eq!(lines, 1_000, "the rows that were deleted while the first were sent had been read before");
}

#[tokio::test]
async fn a_failed_stream_reports_the_error_in_its_last_line() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    write_log(&server, (0..2_000).map(|number| number.to_string())).await;
    let (_, _, body) = server.get("/api/admin/log/rows?limit=2000").cookie(&admin).open().await;
    let mut chunks = body.into_data_stream();
    let mut text = chunks.next().await.expect("a chunk").expect("the stream does not break").to_vec();
    server.store().close().await;
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.expect("the stream does not break"));
    }
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    let last: api::ApiError = serde_json::from_str(text.lines().last().expect("a line")).expect("an error");
    assert_eq!(last.code, ErrorCode::Unavailable);
    assert!(text.lines().count() < 2_000);
}

#[tokio::test]
async fn a_malformed_query_is_refused() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    for query in [
        "before=abc",
        "before=",
        "before=1.5",
        "before=99999999999999999999",
        "limit=-1",
        "limit=x",
        "q=a&q=b",
        "before=1&after=1",
        "at=1&before=1",
    ] {
        let refused = server.get(&format!("/api/admin/log/rows?{query}")).cookie(&admin).send().await;
        refused.refused(400, ErrorCode::Invalid, None);
    }
    for query in ["after=abc", "after=1&after=2"] {
        let refused = server.get(&format!("/api/admin/log/events?{query}")).cookie(&admin).send().await;
        refused.refused(400, ErrorCode::Invalid, None);
    }
}

#[tokio::test]
async fn a_filter_that_is_not_utf_8_is_refused() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    write_log(&server, ["\u{fffd}"]).await;
    for query in ["q=%ff", "q=%C0%AF", "q=%ED%A0%80", "q=a&%ff=x"] {
        for path in ["rows", "events"] {
            let refused = server.get(&format!("/api/admin/log/{path}?{query}")).cookie(&admin).send().await;
            refused.refused(400, ErrorCode::Invalid, None);
        }
    }
}

/// The rows, and the progress in the last line, which also an empty filter asks for.
pub(crate) async fn looked(server: &TestServer, admin: &str, query: &str) -> (Vec<LogRow>, ScanProgress) {
    let filter = if query.contains("q=") { "" } else { "&q=" };
    server.get(&format!("/api/admin/log/rows?{query}{filter}")).cookie(admin).send().await.log_rows()
}

fn encoded(filter: &str) -> String {
    utf8_percent_encode(filter, NON_ALPHANUMERIC).to_string()
}

async fn found(server: &TestServer, admin: &str, filter: &str) -> Vec<LogRow> {
    let (rows, looked) = looked(server, admin, &format!("q={}", encoded(filter))).await;
    assert!(looked.is_done, "{filter}: {looked:?}");
    rows
}

#[tokio::test]
async fn a_text_is_not_a_pattern() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    write_log(&server, ["100%", "100 per cent", "a_b", "aXb", "back\\slash", "it's", "naïve", "two\nlines", "*?[a-z]"])
        .await;
    for (filter, expected) in [
        ("%", &["100%"][..]),
        ("_", &["a_b"]),
        ("0%", &["100%"]),
        ("A_B", &["a_b"]),
        ("\\", &["back\\slash"]),
        ("'", &["it's"]),
        ("NAïVE", &["naïve"]),
        ("\"o\nl\"", &["two\nlines"]),
        ("\"[a-z]\"", &["*?[a-z]"]),
        ("phrase:\"100 per cent\"", &["100 per cent"]),
        ("100 -cent", &["100%"]),
        ("row:3", &["a_b"]),
        ("ip:127.0.0.0/8 browser:firefox letters:aeiou phrase:~100 results:\"\"", &["100 per cent", "100%"]),
        ("no such text", &[]),
    ] {
        assert_eq!(phrases(&found(&server, &admin, filter).await), expected, "{filter}");
    }
    assert_eq!(found(&server, &admin, "127.0.0.1").await.len(), 9);
    assert_eq!(looked(&server, &admin, "q=+").await.0.len(), 9, "an empty filter filters nothing");
}

#[tokio::test]
async fn times_ids_and_numbers_are_found_without_scanning_other_rows() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    // Row n was recorded n milliseconds after the epoch.
    let seqs = write_log(&server, (1..=50).map(|number| number.to_string())).await;
    let id = server.store().log_rows(tests::builders::log_query(store::LogSpan::Newest));
    let id = futures::TryStreamExt::try_next(&mut { id }).await.expect("rows").expect("a row").search_id;
    let (rows, one) = looked(&server, &admin, &format!("q=search:{id}")).await;
    assert_eq!((phrases(&rows), one.from, one.end), (vec!["50"], seqs[49], seqs[49]));
    let (rows, one) = looked(&server, &admin, "q=row:7").await;
    assert_eq!((phrases(&rows), one.from, one.end, one.last), (vec!["7"], LogSeq(7), LogSeq(7), seqs[49]));
    assert_eq!(phrases(&found(&server, &admin, "recorded:..<1970-01-01T00:00:00.003Z").await), ["2", "1"]);
    assert_eq!(phrases(&found(&server, &admin, "recorded:1970-01-01T00:00:00.049Z..").await), ["50", "49"]);
    let (rows, none) = looked(&server, &admin, "q=since:1h").await;
    assert_eq!((rows.len(), none.is_done), (0, true));
}

#[tokio::test]
async fn a_response_continues_where_the_previous_one_ended() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    write_log(&server, (1..=100).map(|number| if number % 10 == 0 { "tenth".to_owned() } else { number.to_string() }))
        .await;
    let (rows, first) = looked(&server, &admin, "q=tenth&limit=3").await;
    assert_eq!(rows.iter().map(|row| row.seq.0).collect::<Vec<_>>(), [100, 90, 80]);
    assert_eq!(
        first,
        ScanProgress { from: LogSeq(100), to: LogSeq(80), end: LogSeq(1), last: LogSeq(100), is_done: false }
    );
    let (rows, second) = looked(&server, &admin, "q=tenth&before=80").await;
    assert_eq!(rows.iter().map(|row| row.seq.0).collect::<Vec<_>>(), [70, 60, 50, 40, 30, 20, 10]);
    assert_eq!(second, ScanProgress { from: LogSeq(79), to: LogSeq(1), is_done: true, ..first });
    let (rows, up) = looked(&server, &admin, "q=tenth&after=80").await;
    assert_eq!(rows.iter().map(|row| row.seq.0).collect::<Vec<_>>(), [90, 100]);
    assert_eq!(
        up,
        ScanProgress { from: LogSeq(81), to: LogSeq(100), end: LogSeq(100), last: LogSeq(100), is_done: true }
    );
    let (rows, none) = looked(&server, &admin, "q=tenth&limit=0").await;
    assert_eq!((rows.len(), none.is_done, none.to), (0, false, LogSeq(101)), "nothing is skipped");
}

/// A steady clock that advances by `stride_ms` with each reading.
pub(crate) struct Striding {
    clock: SystemClock,
    steady: AtomicI64,
    stride_ms: i64,
}

impl Striding {
    pub(crate) fn by(stride_ms: i64) -> Self {
        let clock = SystemClock::start();
        let steady = AtomicI64::new(clock.wall().0);
        Self { clock, steady, stride_ms }
    }
}

#[async_trait]
impl Clock for Striding {
    fn wall(&self) -> TimeMs {
        self.clock.wall()
    }

    fn steady(&self) -> TimeMs {
        TimeMs(self.steady.fetch_add(self.stride_ms, Ordering::Relaxed))
    }

    async fn sleep_until(&self, time: TimeMs) {
        self.clock.sleep_until(time).await;
    }
}

#[tokio::test]
async fn a_scan_for_rare_rows_reports_its_progress() {
    let clock = Arc::new(Striding::by(1_000));
    let server = TestServer::builder().without_worker().clock(clock).start().await;
    let admin = server.admin().await;
    write_log(&server, (1..=2_000).map(|number| if number == 3 { "rare" } else { "usual" })).await;
    let (mut requests, mut before, mut rows) = (0, i64::MAX, Vec::new());
    loop {
        let (more, looked) = looked(&server, &admin, &format!("q=rare&before={before}")).await;
        requests += 1;
        rows.extend(more);
        assert!(looked.to < LogSeq(before), "it goes on: {looked:?}");
        before = looked.to.0;
        if looked.is_done {
            break;
        }
        assert!(requests < 100);
    }
    assert_eq!(rows.iter().map(|row| row.seq.0).collect::<Vec<_>>(), [3]);
    assert!(requests > 2, "no request looks at all rows: {requests}");
    let (all, looked) = looked(&server, &admin, "limit=2000").await;
    assert_eq!((all.len(), looked.is_done), (2_000, true), "without a filter there is no time limit");
}

#[tokio::test]
async fn rows_are_read_from_a_row_or_a_time() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    write_log(&server, (1..=50).map(|number| number.to_string())).await;
    let first = async |query: &str| {
        let rows = rows(&server, &admin, &format!("?limit=2&{query}")).await;
        rows.iter().map(|row| row.seq.0).collect::<Vec<_>>()
    };
    assert_eq!(first("at=7").await, [7, 6]);
    assert_eq!(first("at=%231,000").await, [50, 49]);
    assert_eq!(first("at=1970-01-01T00:00:00.007Z").await, [7, 6], "row n was recorded in the nth millisecond");
    assert_eq!(first("at=1970-01-01").await, [1]);
    assert_eq!(first("at=1h").await, [50, 49], "later than all rows");
    let (rows, _) = looked(&server, &admin, "q=phrase:~1&at=19&limit=3").await;
    assert_eq!(phrases(&rows), ["19", "18", "17"]);
}

#[tokio::test]
async fn a_filter_error_names_its_position() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    for (filter, at) in [("brower:firefox", 1), ("a \"b", 3), ("ip:10.0.0.0/33", 4), ("phrase:", 8)] {
        for path in ["rows", "events"] {
            let path = format!("/api/admin/log/{path}?q={}", encoded(filter));
            let answer = server.get(&path).cookie(&admin).send().await;
            answer.refused(400, ErrorCode::Invalid, Some("q"));
            let message = answer.refusal().message;
            assert!(message.ends_with(&format!("(at character {at})")), "{message}");
        }
    }
    let answer = server.get("/api/admin/log/rows?at=yesterday").cookie(&admin).send().await;
    answer.refused(400, ErrorCode::Invalid, Some("at"));
}

#[tokio::test]
async fn a_filter_that_was_meant_otherwise_and_finds_nothing_is_answered_with_a_hint() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let receipt = "0123456789abcdef0123456789abcdef";
    write_log(&server, ["one", "2026-11-22"]).await;
    let last_line = async |q: &str| {
        let answer = server.get(&format!("/api/admin/log/rows?q={}", encoded(q))).cookie(&admin).send().await;
        answer.lines::<serde_json::Value>().pop().expect("a last line")
    };
    assert_eq!(last_line(receipt).await["hint"], format!("Did you mean receipt:{receipt}?"));
    assert_eq!(last_line("2026-11-22 08:05:58").await["hint"], "Did you mean searched:2026-11-22 08:05:58?");
    assert_eq!(last_line("phrase:on").await["hint"], "Did you mean phrase:~on?");
    for q in ["nowhere", "2026-11-22", "phrase:one", &format!("receipt:{receipt}")] {
        assert!(last_line(q).await.get("hint").is_none(), "{q}");
    }
}
