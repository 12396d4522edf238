//! Whatever stands in a header: it says what it may say, and nothing else.

use std::collections::BTreeMap;

use api::SessionInfo;
use http::{HeaderValue, Method};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tests::eventually;

use crate::for_any::Trial;
use crate::site::Site;

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
fn any_header_is_read_or_passed_over() {
    let trial = Trial::on(Site::plan().without_worker().trusting("127.0.0.0/8"));
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
    trial.holds(500, &headers, async |trial, headers| {
        let asks = [
            trial.site.searching(&[("phrase", "a")]),
            trial.site.post_json("/api/session", &json!({})),
            trial.site.get("/api/admin/log/rows"),
        ];
        for ask in asks {
            let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
            ask.send().await.is_fit();
        }
        let page = headers.iter().fold(trial.site.get("/"), |ask, (name, value)| ask.header(name, value));
        let status = page.send().await.status;
        assert!(matches!(status.as_u16(), 200 | 304 | 404), "{status}");
    });
}

#[test]
fn a_session_is_found_among_any_other_cookies() {
    let trial = Trial::on(Site::plan().without_worker());
    let other = any_value()
        .prop_filter("another's", |value| !String::from_utf8_lossy(value.as_bytes()).contains("search4letters"))
        .boxed();
    trial.holds(200, &(other.clone(), other), async |trial, (before, after)| {
        let cookies = [before.as_bytes(), b"; ", trial.admin.as_bytes(), b"; ", after.as_bytes()].concat();
        let ask = trial.site.post_json("/api/session", &json!({})).header("cookie", cookies);
        let session: SessionInfo = ask.send().await.ok();
        assert!(session.account.is_some());
    });
}

#[test]
fn nobody_hides_behind_what_they_say_of_their_address() {
    let trial = Trial::on(Site::plan().trusting("10.0.0.0/8"));
    let seen = std::cell::RefCell::new(BTreeMap::new());
    trial.holds(200, &(any_value(), any::<bool>()), async |trial, (said, is_one_header)| {
        let number = seen.borrow().len();
        let phrase = format!("search {number}");
        let ask = trial.site.searching(&[("phrase", &phrase)]).peer("10.0.0.1");
        // The proxy adds whom it has seen, to the header that is there or as one of its own.
        let ask = if is_one_header {
            ask.header("x-forwarded-for", [said.as_bytes(), b", 203.0.113.9"].concat())
        } else {
            ask.header("x-forwarded-for", &said).header("x-forwarded-for", "203.0.113.9")
        };
        let _: api::SearchAnswer = ask.send().await.ok();
        seen.borrow_mut().insert(phrase, said);
    });
    let seen = seen.into_inner();
    let rows = trial.runtime.block_on(eventually("all are logged", async || {
        Some(trial.site.log().await).filter(|rows| rows.len() == seen.len())
    }));
    for row in rows {
        assert_eq!(row.ip, "203.0.113.9", "{:?}", seen[&row.phrase]);
    }
}

#[test]
fn what_is_sent_from_elsewhere_is_refused_however_it_says_so() {
    let trial = Trial::on(Site::plan().without_worker());
    let name = select(vec!["origin", "sec-fetch-site"]);
    let foreign = any_value().prop_filter("not ours", |value| {
        let value = value.as_bytes();
        !matches!(value, b"same-origin" | b"none") && !value.to_ascii_lowercase().ends_with(b"://search.example")
    });
    let method = select(vec![Method::POST, Method::PUT, Method::PATCH, Method::DELETE]);
    trial.holds(200, &(name, foreign, method), async |trial, (name, value, method)| {
        let ask = trial.site.ask(method, "/api/search").header(name, &value);
        ask.send().await.refused(403, api::ErrorCode::Forbidden, None);
    });
}
