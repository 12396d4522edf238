//! The headers that every kind of response carries.

use http::Method;
use serde_json::json;

use crate::request::{Answer, Ask};
use crate::site::Site;

fn kinds(site: &Site, admin: &str) -> Vec<(&'static str, Ask)> {
    vec![
        ("a page", site.get("/")),
        ("a page that the client routes", site.get("/viewlog")),
        ("a file that is not there", site.get("/no-such-file.js")),
        ("a wrong method on a page", site.ask(Method::DELETE, "/")),
        ("a search", site.searching(&[("phrase", "a")])),
        ("a refused search", site.searching(&[])),
        ("too large a body", site.searching(&[("phrase", &"x".repeat(70_000))])),
        ("an unknown path", site.get("/api/nothing")),
        ("a wrong method", site.get("/api/search")),
        ("a foreign request", site.searching(&[("phrase", "a")]).header("origin", "https://evil.example")),
        ("a closed door", site.get("/api/admin/log/rows")),
        ("a stream of rows", site.get("/api/admin/log/rows").cookie(admin)),
        ("a list", site.post_json("/api/admin/jobs/counts", &json!({})).cookie(admin)),
        ("health", site.get("/healthz")),
        ("readiness", site.get("/readyz")),
        ("figures", site.get("/metrics")),
        ("a wrong method on health", site.ask(Method::POST, "/healthz")),
        ("a head", site.ask(Method::HEAD, "/")),
    ]
}

#[tokio::test]
async fn every_kind_of_response_is_protected() {
    let site = Site::start().await;
    let admin = site.admin().await;
    for (kind, ask) in kinds(&site, &admin) {
        is_protected(kind, &ask.send().await);
    }
    let (_, headers, body) = site.get("/api/admin/jobs/events").cookie(&admin).open().await;
    drop(body);
    is_protected("an event stream", &Answer { status: http::StatusCode::OK, headers, body: Default::default() });
}

fn is_protected(kind: &str, answer: &Answer) {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header("x-content-type-options"), "nosniff", "{kind}");
    assert_eq!(header("x-frame-options"), "DENY", "{kind}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{kind}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{kind}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{kind}");
    assert!(header("permissions-policy").contains("camera=()"), "{kind}");
    assert!(header("strict-transport-security").starts_with("max-age="), "{kind}");
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{kind}: {policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("unsafe-eval'") || policy.contains("'wasm-unsafe-eval'")
    );
    assert_eq!(header("server"), "", "{kind}: what we are made of is nobody's business");
}

#[tokio::test]
async fn answers_of_the_api_are_never_stored() {
    let site = Site::start().await;
    let admin = site.admin().await;
    for (kind, ask) in kinds(&site, &admin) {
        if ask.path().starts_with("/api") {
            assert_eq!(ask.send().await.headers["cache-control"], "no-store", "{kind}");
        }
    }
}
