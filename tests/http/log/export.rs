//! The log as a file: complete and unchanged, or visibly incomplete.

use std::time::Duration;

use api::{ErrorCode, LogSeq, Role, TimeMs};
use axum::body::Body;
use futures::StreamExt;
use http::Method;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tests::HeldClock;
use tests::corpus::hostile;
use tests::exported::{Manifest, parts_of_ndjson, records_of, rows_of_csv, rows_of_ndjson};

use crate::hostile::corpus::{assert_as_sent, assert_inert, searched};
use crate::test_server::TestServer;
use crate::test_server::write_log;

const EXPORT: &str = "/api/admin/log/export";
const CSV: &str = "/api/admin/log/export?format=csv";

#[tokio::test]
async fn hostile_strings_are_exported_unchanged_and_inert() {
    let (server, admin, answers) = searched().await;
    let ndjson = server.get(EXPORT).cookie(&admin).send().await;
    assert_inert(&ndjson.text());
    assert_eq!(rows_of_ndjson(&ndjson.text()), server.log().await);
    assert_as_sent(rows_of_ndjson(&ndjson.text()), &answers);

    let csv = server.get(CSV).cookie(&admin).send().await.text();
    assert_inert(&csv.replace("\r\n", "\n"));
    assert_eq!(csv.lines().count(), answers.len() + 2, "a row is a line, and so are the head and the end");
    assert_as_sent(rows_of_csv(&csv), &answers);
}

#[tokio::test]
async fn a_row_is_the_same_line_as_on_the_page() {
    let (server, admin, _) = searched().await;
    let rows = async |path: &str| {
        let text = server.get(path).cookie(&admin).send().await.text();
        let mut lines: Vec<String> = text.split_terminator('\n').map(ToOwned::to_owned).collect();
        lines.pop_if(|last| !last.starts_with("{\"seq\"")).expect("a last line that is no row");
        lines
    };
    let mut page = rows("/api/admin/log/rows?limit=10000&q=").await;
    page.reverse();
    let without_array = |line: String| {
        let (row, array) = line.rsplit_once(",\"results_list\":[").expect("the letters are an array too");
        assert!(array.ends_with("]}"), "{array}");
        format!("{row}}}")
    };
    let exported: Vec<_> = rows(EXPORT).await.into_iter().map(without_array).collect();
    assert!(exported == page, "a row differs from the page's");
}

#[tokio::test]
async fn an_export_holds_exactly_the_rows_that_match_the_filter() {
    let (server, admin, _) = searched().await;
    let rows = server.log().await;
    let (one, other) = (rows[0].seq.0, rows[rows.len() - 1].seq.0);
    let numbers = async |query: String| {
        let export = server.get(&format!("{EXPORT}?{query}")).cookie(&admin).send().await.text();
        rows_of_ndjson(&export).iter().map(|row| row.seq.0).collect::<Vec<_>>()
    };
    assert_eq!(numbers(format!("q=row:{one}")).await, [one]);
    assert_eq!(numbers(format!("q=-row:{one}")).await.len(), rows.len() - 1);
    assert_eq!(numbers(format!("q=row:{one}&after={one}")).await, [] as [i64; 0]);
    assert_eq!(numbers(format!("q=-row:{one}&after={}", other - 1)).await, [other]);
    let error = server.get(&format!("{EXPORT}?q=phrase:")).cookie(&admin).send().await.refusal();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("q")));
}

#[tokio::test]
async fn no_field_is_a_formula() {
    let (server, admin, _) = searched().await;
    let csv = server.get(CSV).cookie(&admin).send().await.text();
    for begin in ["=", "+", "-", "@", "\t", "\r"] {
        // A program that separates fields by semicolons ignores our quotes.
        let fields = csv.lines().skip(1).flat_map(|line| line.split(';').map(str::trim_start).skip(1));
        assert!(fields.clone().count() > 0);
        assert_eq!(fields.into_iter().find(|field| field.starts_with(begin)), None);
    }
    let fields: Vec<String> = records_of(&csv).concat();
    assert_eq!(fields.iter().find(|field| field.starts_with(['=', '+', '-', '@', '\t', '\r'])), None);
    let formula = format!("'{}", hostile("formula_dde").text);
    assert!(fields.contains(&formula), "it is there as a text");
}

#[tokio::test]
async fn a_file_has_the_date_in_its_name_and_its_content_type() {
    let clock = std::sync::Arc::new(HeldClock::at(TimeMs(1_795_571_479_000)));
    let server = TestServer::builder().clock(clock).without_worker().start().await;
    let viewer = server.session_of(Role::Viewer).await;
    write_log(&server, ["one"]).await;
    for (path, ending, media_type) in [
        (EXPORT, "ndjson", "application/x-ndjson"),
        ("/api/admin/log/export?format=ndjson", "ndjson", "application/x-ndjson"),
        (CSV, "csv", "text/csv; charset=utf-8; header=present"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = server.ask(method.clone(), path).cookie(&viewer).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let name = format!("attachment; filename=\"search4letters-log-2026-11-25.{ending}\"");
            assert_eq!(answer.headers[CONTENT_DISPOSITION], name.as_str());
            assert_eq!(answer.headers[CONTENT_TYPE], media_type);
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(answer.body.is_empty(), method == Method::HEAD);
        }
    }
}

#[tokio::test]
async fn the_last_line_says_what_the_export_holds() {
    let clock = std::sync::Arc::new(HeldClock::at(TimeMs(1_795_571_479_000)));
    let server = TestServer::builder().clock(clock).without_worker().start().await;
    let admin = server.session_of(Role::Viewer).await;
    let export = async |query: &str| {
        let answer = server.get(&format!("{EXPORT}?{query}")).cookie(&admin).send().await;
        assert_eq!(answer.headers["x-accel-buffering"], "no");
        parts_of_ndjson(&answer.text())
    };
    let empty =
        Manifest { complete: true, rows: 0, after: 0, upto: 0, filter: String::new(), exported_at: 1_795_571_479_000 };
    assert_eq!(export("").await, (Vec::new(), empty.clone()));
    write_log(&server, ["one", "two", "three"]).await;
    assert_eq!(export("").await.1, Manifest { rows: 3, upto: 3, ..empty.clone() });
    // The next export begins at `upto`, also if this one can hold no row.
    let (query, filter) = ("after=2&q=since:2100-01-01T00:00:00Z", "since:2100-01-01T00:00:00Z".to_owned());
    assert_eq!(export(query).await.1, Manifest { after: 3, upto: 3, filter, ..empty.clone() });
    assert_eq!(export("after=3&upto=1").await.1, Manifest { after: 3, upto: 3, ..empty.clone() });
    let filter = r#"phrase:"say \"one\" ;=x""#;
    let query = format!("after=1&q={}", utf8_percent_encode(filter, NON_ALPHANUMERIC));
    assert_eq!(export(&query).await.1, Manifest { after: 1, upto: 3, filter: filter.to_owned(), ..empty });
    // It panics if the manifest is not there.
    rows_of_csv(&server.get(&format!("{CSV}&{query}")).cookie(&admin).send().await.text());
}

#[tokio::test]
async fn an_empty_log_has_no_rows() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    assert_eq!(rows_of_ndjson(&server.get(EXPORT).cookie(&admin).send().await.text()), []);
    assert_eq!(rows_of_csv(&server.get(CSV).cookie(&admin).send().await.text()), []);
}

#[tokio::test]
async fn an_export_can_be_limited_to_a_range_of_rows() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let seqs = write_log(&server, (0..10).map(|number| number.to_string())).await;
    let found = async |query: String| {
        let text = server.get(&format!("{EXPORT}?{query}")).cookie(&admin).send().await.text();
        rows_of_ndjson(&text).into_iter().map(|row| row.seq).collect::<Vec<LogSeq>>()
    };
    assert_eq!(found(String::new()).await, seqs);
    assert_eq!(found(format!("after={}", seqs[2].0)).await, seqs[3..]);
    assert_eq!(found(format!("upto={}", seqs[2].0)).await, seqs[..3]);
    assert_eq!(found(format!("after={}&upto={}", seqs[2].0, seqs[4].0)).await, seqs[3..5]);
    assert_eq!(found(format!("after={}&upto={}", i64::MIN, i64::MAX)).await, seqs);
    assert_eq!(found(format!("after={}", i64::MAX)).await, []);
    for query in ["format=xml", "format=", "after=x", "upto=1.5", "after=1&after=2"] {
        let refused = server.get(&format!("{EXPORT}?{query}")).cookie(&admin).send().await;
        refused.refused(400, ErrorCode::Invalid, None);
    }
}

/// Begins an export of `rows` rows: enough for several blocks.
async fn begun(server: &TestServer, cookie: &str, rows: usize) -> (Body, Vec<LogSeq>) {
    let seqs = write_log(server, (0..rows).map(|number| number.to_string())).await;
    let (status, _, body) = server.get(EXPORT).cookie(cookie).open().await;
    assert_eq!(status, 200);
    (body, seqs)
}

#[tokio::test]
async fn rows_written_during_an_export_are_not_in_it() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let (body, seqs) = begun(&server, &admin, 5_000).await;
    let mut chunks = body.into_data_stream();
    let mut text = chunks.next().await.expect("a chunk").expect("whole").to_vec();
    write_log(&server, ["later"]).await;
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.expect("whole"));
    }
    let rows = rows_of_ndjson(std::str::from_utf8(&text).expect("UTF-8"));
    assert_eq!(rows.into_iter().map(|row| row.seq).collect::<Vec<_>>(), seqs);
}

/// Panics unless the body breaks off with an error.
async fn breaks(body: Body) {
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        if chunk.is_err() {
            return;
        }
    }
    panic!("the incomplete body ended without an error");
}

#[tokio::test]
async fn an_interrupted_export_does_not_look_complete() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let (body, _) = begun(&server, &admin, 5_000).await;
    server.store().close().await;
    breaks(body).await;
}

#[tokio::test]
async fn an_export_breaks_off_when_the_session_ends() {
    let clock = std::sync::Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let admin = server.admin().await;
    let (body, _) = begun(&server, &admin, 5_000).await;
    server.post_json("/api/logout", &json!({})).cookie(&admin).send().await.ok::<()>();
    clock.advance(Duration::from_secs(5));
    breaks(body).await;
}

#[tokio::test]
async fn four_exports_at_most_run_at_once() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(begun(&server, &admin, 1).await.0);
    }
    server.get(EXPORT).cookie(&admin).send().await.refused(503, ErrorCode::Unavailable, None);
    drop(open.pop());
    assert_eq!(server.get(EXPORT).cookie(&admin).send().await.status, 200, "a place is free again");
}
