//! Whatever is sent, the server answers, and never with a failure of its own.

use http::{HeaderValue, Method, Uri};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::for_any::Trial;
use crate::request::{Answer, FORM};
use crate::site::Site;

const PATHS: [&str; 21] = [
    "/api/search",
    "/api/session",
    "/api/login",
    "/api/logout",
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
    Trial::on(Site::plan()).holds(1_500, &any_request(), is_answered);
}

async fn is_answered(trial: &Trial, request: AnyRequest) {
    let AnyRequest { method, path, headers, content_type, body, is_admin } = request;
    let is_api = path.parse::<Uri>().is_ok_and(|uri| uri.path().starts_with("/api/"));
    let mut ask = trial.site.ask(method.clone(), &path).header("content-type", content_type).body(body);
    for (name, value) in headers {
        ask = ask.header(name, value);
    }
    if is_admin {
        ask = ask.cookie(&trial.admin);
    }
    let (status, headers, body) = ask.open().await;
    assert!(!status.is_server_error(), "{status}");
    if headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return;
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("the body arrives");
    if is_api && !status.is_success() && method != Method::HEAD {
        Answer { status, headers, body }.is_fit();
    }
}
