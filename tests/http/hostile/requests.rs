//! The server responds to any request and any header, and never with a 5xx status.

use std::collections::BTreeMap;

use api::SessionInfo;
use http::{HeaderValue, Method, Uri};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tests::eventually;

use crate::request::{FORM, PropertyTest, TestResponse};
use crate::test_server::TestServer;

const PATHS: [&str; 22] = [
    "/api/search",
    "/api/session",
    "/api/login",
    "/api/logout",
    "/api/setup/check",
    "/api/setup",
    "/api/receipts/0123456789abcdef0123456789abcdef",
    "/api/receipts/0123456789abcdef0123456789abcdef/events",
    "/api/receipts/%ff",
    "/api/admin/log/rows?before=x",
    "/api/admin/log/rows?limit=3&q=%25",
    "/api/admin/log/export?format=x",
    "/api/admin/jobs/counts",
    "/api/admin/jobs/list",
    "/api/admin/jobs/show",
    "/api/admin/jobs/retry",
    "/api/admin/jobs/cancel",
    "/api/admin/nothing",
    "/healthz",
    "/metrics",
    "/",
    "/index.html",
];

const HEADERS: [&str; 12] = [
    "cookie",
    "user-agent",
    "origin",
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "accept-encoding",
    "if-none-match",
    "last-event-id",
    "content-encoding",
    "accept",
    "range",
];

#[derive(Clone, Debug)]
struct AnyRequest {
    method: Method,
    path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    content_type: &'static str,
    body: Vec<u8>,
    is_admin: bool,
}

fn path() -> impl Strategy<Value = String> {
    let made_up = "/(api/)?[ -~]{0,40}".prop_filter("an address", |path| path.parse::<Uri>().is_ok());
    prop_oneof![3 => select(&PATHS[..]).prop_map(ToOwned::to_owned), 1 => made_up]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let form = "(phrase|letters|id|x)=[a-z0-9%+\u{0}-\u{1f}é😀]{0,12}(&(phrase|letters|id|x)=[a-zA-Z0-9%]{0,30}){0,3}";
    let json = r#"\{("(name|password|token|id|filter|before)":("[a-z\\u0-9]{0,12}"|-?[0-9]{1,20}|null|\{"state":"done"\}),?){0,4}\}"#;
    prop_oneof![
        form.prop_map(String::into_bytes),
        json.prop_map(String::into_bytes),
        vec(any::<u8>(), 0..200),
        Just(vec![b'['; 60_000]),
    ]
}

fn any_request() -> impl Strategy<Value = AnyRequest> {
    let method = select(vec![Method::POST, Method::POST, Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS]);
    let value = vec(any::<u8>(), 0..60).prop_filter("a header", |value| HeaderValue::from_bytes(value).is_ok());
    let content_type = select(vec![FORM, "application/json", "text/plain", ""]);
    (method, path(), vec((select(&HEADERS[..]), value), 0..4), content_type, body(), any::<bool>()).prop_map(
        |(method, path, headers, content_type, body, is_admin)| AnyRequest {
            method,
            path,
            headers,
            content_type,
            body,
            is_admin,
        },
    )
}

#[test]
fn no_request_makes_the_server_fail() {
    PropertyTest::on(TestServer::builder()).holds(1_500, &any_request(), is_answered);
}

async fn is_answered(test: &PropertyTest, request: AnyRequest) {
    let AnyRequest { method, path, headers, content_type, body, is_admin } = request;
    let is_api = path.parse::<Uri>().is_ok_and(|uri| uri.path().starts_with("/api/"));
    let mut request = test.server.ask(method.clone(), &path).header("content-type", content_type).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if is_admin {
        request = request.cookie(&test.admin);
    }
    let (status, headers, body) = request.open().await;
    assert!(!status.is_server_error(), "{status}");
    if headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return;
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("the body arrives");
    if is_api && !status.is_success() && method != Method::HEAD {
        TestResponse { status, headers, body }.assert_well_formed();
    }
}

/// Any value that a header can have.
fn any_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..60),
        "[ -~]{0,60}".prop_map(String::into_bytes),
        "[a-z0-9=;,/.*\":\\-]{0,40}".prop_map(String::into_bytes),
        any::<String>().prop_map(String::into_bytes),
        select(vec![b"a=b; ".repeat(2_000), b",".repeat(10_000), b"1.2.3.4, ".repeat(1_000), b"\xff".repeat(9_000)]),
    ];
    bytes.prop_filter_map("a header", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

#[test]
fn any_header_is_read_or_ignored() {
    let test = PropertyTest::on(TestServer::builder().without_worker().trusting("127.0.0.0/8"));
    let name = select(vec![
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-type",
        "cookie",
        "expect",
        "host",
        "if-none-match",
        "last-event-id",
        "origin",
        "range",
        "referer",
        "sec-fetch-site",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-proto",
    ]);
    let headers = vec((name, any_value()), 1..4);
    test.holds(500, &headers, async |test, headers| {
        let requests = [
            test.server.searching(&[("phrase", "a")]),
            test.server.post_json("/api/session", &json!({})),
            test.server.get("/api/admin/log/rows"),
        ];
        for request in requests {
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            request.send().await.assert_well_formed();
        }
        let page = headers.iter().fold(test.server.get("/"), |request, (name, value)| request.header(name, value));
        let status = page.send().await.status;
        assert!(matches!(status.as_u16(), 200 | 304 | 404), "{status}");
    });
}

#[test]
fn a_session_is_found_among_any_other_cookies() {
    let test = PropertyTest::on(TestServer::builder().without_worker());
    let other = any_value()
        .prop_filter("another's", |value| !String::from_utf8_lossy(value.as_bytes()).contains("search4letters"))
        .boxed();
    test.holds(200, &(other.clone(), other), async |test, (before, after)| {
        let cookies = [before.as_bytes(), b"; ", test.admin.as_bytes(), b"; ", after.as_bytes()].concat();
        let request = test.server.post_json("/api/session", &json!({})).header("cookie", cookies);
        let session: SessionInfo = request.send().await.ok();
        assert!(session.account.is_some());
    });
}

#[test]
fn a_forged_address_is_not_logged() {
    let test = PropertyTest::on(TestServer::builder().trusting("10.0.0.0/8"));
    let seen = std::cell::RefCell::new(BTreeMap::new());
    test.holds(200, &(any_value(), any::<bool>()), async |test, (said, is_one_header)| {
        let number = seen.borrow().len();
        let phrase = format!("search {number}");
        let request = test.server.searching(&[("phrase", &phrase)]).peer("10.0.0.1");
        // The proxy adds the peer's address, to the existing header or in a header of its own.
        let request = if is_one_header {
            request.header("x-forwarded-for", [said.as_bytes(), b", 203.0.113.9"].concat())
        } else {
            request.header("x-forwarded-for", &said).header("x-forwarded-for", "203.0.113.9")
        };
        let _: api::SearchAnswer = request.send().await.ok();
        seen.borrow_mut().insert(phrase, said);
    });
    let seen = seen.into_inner();
    let rows = test.runtime.block_on(eventually("all are logged", async || {
        Some(test.server.log().await).filter(|rows| rows.len() == seen.len())
    }));
    for row in rows {
        assert_eq!(row.ip, "203.0.113.9", "{:?}", seen[&row.phrase]);
    }
}

#[test]
fn any_cross_site_request_is_refused() {
    let test = PropertyTest::on(TestServer::builder().without_worker());
    let name = select(vec!["origin", "sec-fetch-site"]);
    let foreign = any_value().prop_filter("not ours", |value| {
        let value = value.as_bytes();
        !matches!(value, b"same-origin" | b"none") && !value.to_ascii_lowercase().ends_with(b"://search.example")
    });
    let method = select(vec![Method::POST, Method::PUT, Method::PATCH, Method::DELETE]);
    test.holds(200, &(name, foreign, method), async |test, (name, value, method)| {
        let request = test.server.ask(method, "/api/search").header(name, &value);
        request.send().await.refused(403, api::ErrorCode::Forbidden, None);
    });
}
