//! Any query string filters exactly as specified, or is refused.

use api::{ErrorCode, LogFilter, LogRow, LogSeq};
use http::{HeaderValue, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use tests::corpus::corpus;

use crate::log::rows::looked;
use crate::request::PropertyTest;
use crate::test_server::TestServer;
use crate::test_server::write_log;

/// A server whose log holds the shorter half of the corpus, with its rows, newest first.
fn with_hostile_rows() -> (PropertyTest, Vec<LogRow>) {
    let test = PropertyTest::on(TestServer::builder().without_worker());
    let phrases = corpus().iter().map(|hostile| hostile.text.as_str()).filter(|text| text.len() < 100);
    test.runtime.block_on(write_log(&test.server, phrases));
    let mut rows = test.runtime.block_on(test.server.log());
    rows.reverse();
    (test, rows)
}

fn encoded(value: impl AsRef<[u8]>) -> String {
    percent_encode(value.as_ref(), NON_ALPHANUMERIC).to_string()
}

/// Texts that occur in the log, and texts that do not.
fn filter() -> impl Strategy<Value = String> {
    let hostile: Vec<&str> = corpus().iter().map(|hostile| hostile.text.as_str()).collect();
    let part = (select(hostile), 0..40_usize, 1..4_usize)
        .prop_map(|(text, start, length)| text.chars().skip(start).take(length).collect());
    prop_oneof![part, any::<String>(), "[a-zA-Z%_*\\\\'\"\u{0}\u{130}é]{0,2}"]
}

/// The expected rows, computed independently of the server.
fn expected<'a>(rows: &'a [LogRow], before: Option<i64>, text: &str, limit: Option<u32>) -> Vec<&'a LogRow> {
    let text = text.to_ascii_lowercase();
    let has_text = |row: &&LogRow| {
        let columns = [&row.phrase, &row.letters, &row.results, &row.ip, &row.browser_family, &row.user_agent];
        columns.iter().any(|column| column.to_ascii_lowercase().contains(&text))
    };
    let rows = rows.iter().filter(|row| before.is_none_or(|before| row.seq.0 < before)).filter(has_text);
    rows.take(limit.unwrap_or(1_000) as usize).collect()
}

#[test]
fn rows_are_those_that_match_the_query() {
    let (test, rows) = with_hostile_rows();
    let before = proptest::option::of(prop_oneof![3 => -2..150_i64, 1 => any::<i64>()]);
    let limit = proptest::option::of(prop_oneof![0..10_u32, any::<u32>()]);
    test.holds(500, &(before, filter(), limit), async |test, (before, text, limit)| {
        let before_part = before.map(|before| format!("&before={before}")).unwrap_or_default();
        let limit_part = limit.map(|limit| format!("&limit={limit}")).unwrap_or_default();
        let filter = LogFilter::anywhere(text.clone()).to_string();
        let query = format!("q={}{before_part}{limit_part}", encoded(&filter));
        let (found, _) = looked(&test.server, &test.admin, &query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected(&rows, before, &text, limit), "{query}");
    });
}

/// A query string of our parameters and others, with any values.
fn any_query() -> impl Strategy<Value = String> {
    let name = select(vec!["before", "after", "at", "q", "limit", "x", "q%00", "%ff", ""]);
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "[0-9+. eE_,-]{0,25}".prop_map(encoded),
        "[!-~&&[^#]]{0,20}",
        vec(any::<u8>(), 0..12).prop_map(encoded),
        any::<String>().prop_map(encoded),
        select(vec!["9".repeat(5_000), "%00".repeat(5_000), "%F0%9F%98%80".repeat(2_000)]),
    ];
    let pairs = vec((name, value), 0..5).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    });
    pairs.prop_filter("an address", |query| format!("/?{query}").parse::<Uri>().is_ok())
}

#[test]
fn any_query_is_answered_or_refused_with_an_error_of_ours() {
    let (test, rows) = with_hostile_rows();
    test.holds(500, &any_query(), async |test, query| {
        let answer = test.server.get(&format!("/api/admin/log/rows?{query}")).cookie(&test.admin).send().await;
        if answer.status == 200 {
            let mut found: Vec<Value> = answer.lines();
            found.pop_if(|last| last.get("looked").is_some());
            let found = found.into_iter().map(|row| serde_json::from_value(row).expect("a row"));
            assert!(found.into_iter().all(|row: LogRow| rows.contains(&row)));
        } else {
            answer.assert_well_formed();
            assert_eq!((answer.status.as_u16(), answer.refusal().code), (400, ErrorCode::Invalid));
        }
    });
}

#[test]
fn any_cursor_leads_to_the_end_of_the_log() {
    let (test, rows) = with_hostile_rows();
    let last = rows.first().map(|row| row.seq);
    let header = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (-2..150_i64).prop_map(|number| number.to_string().into_bytes()),
        vec(any::<u8>(), 0..20),
    ];
    let header = header.prop_filter_map("a header", |value| HeaderValue::from_bytes(&value).ok());
    test.holds(120, &(header, any_query()), async |test, (last_event, query)| {
        let request = test.server.get(&format!("/api/admin/log/events?{query}")).cookie(&test.admin);
        let (status, headers, body) = request.header("last-event-id", &last_event).open().await;
        if status != 200 {
            let body = axum::body::to_bytes(body, usize::MAX).await.expect("the whole body arrives");
            return crate::request::TestResponse { status, headers, body }.assert_well_formed();
        }
        let mut events = crate::request::Events::of(body);
        let through = loop {
            let event = events.next().await.expect("the stream goes on");
            match event.name.as_str() {
                "row" => assert!(rows.contains(&event.json::<LogRow>())),
                _ => break event.json::<LogSeq>(),
            }
        };
        assert_eq!(Some(through), last);
    });
}
