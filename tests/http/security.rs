//! Protection of visitors and server: headers, origins, proxies, panics and secrets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{Account, ErrorCode, SearchAnswer};
use http::Method;
use serde_json::json;
use server::platform::random::Random;

use crate::accounts::PASSWORD;
use crate::request::{TestRequest, TestResponse};
use crate::test_server::TestServer;

fn kinds(server: &TestServer, admin: &str) -> Vec<(&'static str, TestRequest)> {
    vec![
        ("a page", server.get("/")),
        ("a page that the client routes", server.get("/viewlog")),
        ("a file that is not there", server.get("/no-such-file.js")),
        ("a wrong method on a page", server.ask(Method::DELETE, "/")),
        ("a search", server.searching(&[("phrase", "a")])),
        ("a refused search", server.searching(&[])),
        ("too large a body", server.searching(&[("phrase", &"x".repeat(140_000))])),
        ("an unknown path", server.get("/api/nothing")),
        ("a wrong method", server.get("/api/search")),
        ("a foreign request", server.searching(&[("phrase", "a")]).header("origin", "https://evil.example")),
        ("a closed door", server.get("/api/admin/log/rows")),
        ("a stream of rows", server.get("/api/admin/log/rows").cookie(admin)),
        ("a list", server.post_json("/api/admin/jobs/counts", &json!({})).cookie(admin)),
        ("health", server.get("/healthz")),
        ("readiness", server.get("/readyz")),
        ("figures", server.get("/metrics")),
        ("a wrong method on health", server.ask(Method::POST, "/healthz")),
        ("a head", server.ask(Method::HEAD, "/")),
    ]
}

#[tokio::test]
async fn every_kind_of_response_is_protected() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (kind, request) in kinds(&server, &admin) {
        is_protected(kind, &request.send().await);
    }
    let (_, headers, body) = server.get("/api/admin/jobs/events").cookie(&admin).open().await;
    drop(body);
    is_protected("an event stream", &TestResponse { status: http::StatusCode::OK, headers, body: Default::default() });
}

fn is_protected(kind: &str, answer: &TestResponse) {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header("x-content-type-options"), "nosniff", "{kind}");
    assert_eq!(header("x-frame-options"), "DENY", "{kind}");
    assert_eq!(header("referrer-policy"), "same-origin", "{kind}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{kind}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{kind}");
    assert!(header("permissions-policy").contains("camera=()"), "{kind}");
    assert_eq!(header("strict-transport-security"), "", "{kind}: it has come over http");
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{kind}: {policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("unsafe-eval'") || policy.contains("'wasm-unsafe-eval'")
    );
    assert_eq!(header("server"), "", "{kind}: the response names our software");
}

#[tokio::test]
async fn https_is_kept_where_it_is_used() {
    let server = TestServer::builder().trusting("10.0.0.0/8").start().await;
    for (peer, proto, is_https) in [
        ("10.0.0.1", "https", true),
        ("10.0.0.1", "HTTPS, http", true),
        ("10.0.0.1", "http", false),
        ("192.0.2.1", "https", false),
    ] {
        for path in ["/", "/healthz", "/api/nothing"] {
            let answer = server.get(path).peer(peer).header("x-forwarded-proto", proto).send().await;
            assert_eq!(answer.headers.contains_key("strict-transport-security"), is_https, "{peer} {proto} {path}");
        }
    }
}

#[tokio::test]
async fn answers_of_the_api_are_never_stored() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (kind, request) in kinds(&server, &admin) {
        if request.path().starts_with("/api") {
            assert_eq!(request.send().await.headers["cache-control"], "no-store", "{kind}");
        }
    }
}

pub(crate) const FOREIGN: [(&str, &str); 10] = [
    ("origin", "https://evil.example"),
    ("origin", "https://search.example"),
    ("origin", "http://search.example.evil.example"),
    ("origin", "http://search.example:3000"),
    ("origin", "null"),
    ("origin", ""),
    ("origin", "search.example"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-site", ""),
];

#[tokio::test]
async fn cross_site_requests_that_change_something_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (name, value) in FOREIGN {
        let requests: Vec<TestRequest> = vec![
            server.searching(&[("phrase", "a")]),
            server.post_json("/api/login", &json!({"name": "ada", "password": "x"})),
            server.post_json("/api/logout", &json!({})).cookie(&admin),
            server.post_json("/api/setup", &json!({"token": "x", "name": "ada", "password": "x"})),
            server.post_json("/api/admin/jobs/cancel", &json!({"id": 1})).cookie(&admin),
            server.ask(Method::OPTIONS, "/api/search"),
            server.ask(Method::DELETE, "/api/nothing"),
        ];
        for request in requests {
            request.header(name, value).send().await.refused(403, ErrorCode::Forbidden, None);
        }
    }
    assert_eq!(server.log().await, []);
    assert_eq!(server.get("/api/admin/log/rows").cookie(&admin).send().await.status, 200, "still logged in");
}

#[tokio::test]
async fn our_pages_and_programs_may_search() {
    let server = TestServer::start().await;
    let search = || server.searching(&[("phrase", "a")]);
    let own = search().header("origin", "http://search.example").header("sec-fetch-site", "same-origin");
    let _: SearchAnswer = own.send().await.ok();
    let _: SearchAnswer = search().header("origin", "http://SEARCH.example.:80").send().await.ok();
    // An https proxy that is not trusted, and a form that is sent without a script: the browser vouches for both.
    for origin in ["https://search.example", "null"] {
        let own = search().header("origin", origin).header("sec-fetch-site", "same-origin");
        let _: SearchAnswer = own.send().await.ok();
    }
    let _: SearchAnswer = search().header("sec-fetch-site", "none").send().await.ok();
    let _: SearchAnswer = search().send().await.ok();
}

#[tokio::test]
async fn a_trusted_proxy_says_by_which_scheme_and_host_it_is_reached() {
    let server = TestServer::builder().trusting("10.0.0.0/8").start().await;
    for (headers, origin, is_own) in [
        (&[("host", "search.example:443"), ("x-forwarded-proto", "https")][..], "https://search.example", true),
        (&[("host", "search.example:80"), ("x-forwarded-proto", "http")], "http://search.example", true),
        (&[("x-forwarded-proto", "https")], "http://search.example", false),
        (&[("x-forwarded-proto", "http")], "https://search.example", false),
        (&[("forwarded", "proto=https;host=search.example")], "https://search.example", true),
        (&[("x-forwarded-ssl", "on")], "https://search.example", true),
        (&[("x-forwarded-ssl", "off")], "https://search.example", false),
        (&[("front-end-https", "on")], "https://search.example", true),
        (&[("x-forwarded-scheme", "https")], "https://search.example", true),
        (&[("host", "backend"), ("x-forwarded-host", "https://a.example")], "https://a.example", true),
        (&[("host", "backend"), ("x-forwarded-host", "a.example, b.example")], "http://a.example", true),
        (&[("host", "backend"), ("x-forwarded-host", "a.example, b.example")], "http://b.example", false),
        (&[("x-forwarded-port", "8080")], "http://search.example:8080", true),
        (&[("x-forwarded-port", "8080")], "http://search.example:8081", false),
    ] {
        for (peer, is_trusted) in [("10.0.0.1", true), ("192.0.2.1", false)] {
            let mut request = server.searching(&[("phrase", "a")]).peer(peer).header("origin", origin);
            for (name, value) in headers {
                request = if *name == "host" { request.host(value) } else { request.header(name, value) };
            }
            let status = request.send().await.status.as_u16();
            let needs_trust = headers.iter().any(|(name, _)| *name != "host");
            if is_trusted || !needs_trust {
                assert_eq!(status, if is_own { 200 } else { 403 }, "{headers:?} {origin} from {peer}");
            }
        }
    }
}

#[tokio::test]
async fn what_proxies_do_wrong_is_counted() {
    let server = TestServer::builder().trusting("10.0.0.0/8").start().await;
    let search = || server.searching(&[("phrase", "a")]).peer("10.0.0.1");
    let _: SearchAnswer = search().header("x-forwarded-for", "unknown").send().await.ok();
    search().header("origin", "https://evil.example").send().await.refused(403, ErrorCode::Forbidden, None);
    search().header("origin", "https://evil.example").send().await.refused(403, ErrorCode::Forbidden, None);
    let _: SearchAnswer = search().peer("192.168.7.1").header("x-forwarded-for", "198.51.100.7").send().await.ok();
    let ready = server.get("/readyz").send().await.text();
    for line in [
        "A proxy names its clients in a way that cannot be read",
        "The trusted proxy 10.0.0.1 does not name its clients",
        "--trusted-proxy 192.168.7.1/32",
    ] {
        assert!(ready.contains(line), "{ready}");
    }
    let figures = server.get("/metrics").send().await.text();
    for line in [
        "unreadable_clients_total 1",
        "unnamed_clients_total 2",
        "forgotten_proxies_total 1",
        "foreign_requests_total 2",
    ] {
        assert!(figures.contains(&format!("search4letters_{line}")), "{figures}");
    }
}

#[tokio::test]
async fn a_foreign_header_is_refused_beside_an_own_one() {
    let server = TestServer::start().await;
    let mixed = server.searching(&[("phrase", "a")]).header("sec-fetch-site", "same-origin");
    mixed.header("origin", "https://evil.example").send().await.refused(403, ErrorCode::Forbidden, None);
    let mixed = server.searching(&[("phrase", "a")]).header("origin", "http://search.example");
    mixed.header("sec-fetch-site", "cross-site").send().await.refused(403, ErrorCode::Forbidden, None);
}

#[tokio::test]
async fn no_other_site_may_read_an_answer() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let answer = server.get("/api/admin/log/rows").cookie(&admin).header("origin", "https://evil.example").send().await;
    assert_eq!(answer.status, 200, "reading changes nothing, so it is not refused");
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{:?}", answer.headers);
    assert_eq!(answer.headers["cross-origin-resource-policy"], "same-origin");
}

async fn logged_ip(server: &TestServer, peer: &str, forwarded: &[&str]) -> String {
    let mut request = server.searching(&[("phrase", "a")]).peer(peer);
    for value in forwarded {
        request = request.header("x-forwarded-for", value);
    }
    let answer: api::SearchAnswer = request.send().await.ok();
    let rows = tests::eventually("the search is logged", async || {
        Some(server.log().await).filter(|rows| rows.iter().any(|row| row.search_id == answer.id))
    })
    .await;
    rows.into_iter().find(|row| row.search_id == answer.id).expect("just seen").ip
}

#[tokio::test]
async fn the_log_believes_only_trusted_proxies() {
    let server = TestServer::builder().trusting("10.0.0.0/8").start().await;
    assert_eq!(logged_ip(&server, "192.0.2.1", &["198.51.100.7"]).await, "192.0.2.1");
    assert_eq!(logged_ip(&server, "10.0.0.1", &["198.51.100.7"]).await, "198.51.100.7");
    assert_eq!(logged_ip(&server, "10.0.0.1", &["6.6.6.6, 198.51.100.7"]).await, "198.51.100.7");
    assert_eq!(logged_ip(&server, "10.0.0.1", &["6.6.6.6", "198.51.100.7, 10.0.0.2"]).await, "198.51.100.7");
    assert_eq!(logged_ip(&server, "10.0.0.1", &["198.51.100.7:51008"]).await, "198.51.100.7");
    assert_eq!(logged_ip(&server, "10.0.0.1", &["'; drop table log"]).await, "", "not the proxy's");
    assert_eq!(logged_ip(&server, "10.0.0.1", &[]).await, "", "nor here");
    assert_eq!(logged_ip(&server, "10.0.0.1", &["2001:db8::7"]).await, "2001:db8::7");
    assert_eq!(logged_ip(&server, "::ffff:192.0.2.1", &[]).await, "192.0.2.1");
}

#[tokio::test]
async fn without_trusted_proxies_the_header_is_ignored() {
    let server = TestServer::start().await;
    assert_eq!(logged_ip(&server, "127.0.0.1", &["198.51.100.7"]).await, "127.0.0.1");
}

#[tokio::test]
async fn a_forged_address_does_not_bypass_the_login_limit() {
    let server = TestServer::start().await;
    let guess = |number: usize| {
        let body = serde_json::json!({"name": "ada", "password": "guess"});
        server.post_json("/api/login", &body).header("x-forwarded-for", format!("198.51.100.{number}")).send()
    };
    for number in 0..5 {
        assert_eq!(guess(number).await.status, 401);
    }
    assert_eq!(guess(5).await.status, 429);
}

#[tokio::test]
async fn an_address_that_cannot_be_read_locks_nobody_out() {
    let server = TestServer::builder().trusting("10.0.0.0/8").start().await;
    let body = json!({"token": server.setup_token().await, "name": "ada", "password": PASSWORD});
    let _: Account = server.post_json("/api/setup", &body).send().await.ok();
    let login = |name: &str, password: &str| {
        let body = json!({"name": name, "password": password});
        server.post_json("/api/login", &body).peer("10.0.0.1").header("x-forwarded-for", "unknown").send()
    };
    for number in 0..25 {
        assert_eq!(login(&format!("nobody{number}"), "a guess").await.status, 401);
    }
    assert_eq!(login("ada", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_panic_becomes_a_response_without_internals() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let random = Random::from_source({
        let (is_broken, system) = (is_broken.clone(), Random::system());
        move |bytes| {
            assert!(!is_broken.load(Ordering::SeqCst), "no more randomness in /dev/secret");
            bytes.fill_with(|| system.bytes::<1>()[0]);
        }
    });
    let server = TestServer::builder().random(random).start().await;
    is_broken.store(true, Ordering::SeqCst);
    let answer = server.searching(&[("phrase", "an id is needed")]).send().await;
    let message = answer.refused(500, ErrorCode::Internal, None);
    assert!(!message.contains("secret"), "{message}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    is_broken.store(false, Ordering::SeqCst);
    let _: SearchAnswer = server.searching(&[("phrase", "again")]).send().await.ok();
}

#[tokio::test]
async fn passwords_and_tokens_are_not_stored_in_plain_text() {
    let server = TestServer::start().await;
    let password = "a password that can be searched for";
    let link = server.setup_token().await;
    let body = json!({"token": link, "name": "searchable-name", "password": password});
    let made = server.post_json("/api/setup", &body).send().await;
    let _: Account = made.ok();
    let cookie = made.headers["set-cookie"].to_str().expect("cookies are ASCII");
    let session = cookie.split(['=', ';']).nth(1).expect("a value").to_owned();
    let unused_link = server.setup_token().await;

    let bytes = files_of(&server);
    assert!(contains(&bytes, b"searchable-name"), "this is where accounts are");
    assert!(contains(&bytes, b"$argon2id$v=19$m=19456,t=2,p=1$"), "the password's hash is as strong as promised");
    for secret in [password, &link, &session, &unused_link] {
        assert!(!contains(&bytes, secret.as_bytes()), "{secret} is in the file");
        let as_number = u128::from_str_radix(secret, 16).map(u128::to_be_bytes);
        assert!(!as_number.is_ok_and(|number| contains(&bytes, &number)), "{secret} is in the file as bytes");
    }
}

/// All bytes in the data folder, including the write-ahead log.
fn files_of(server: &TestServer) -> Vec<u8> {
    bytes_below(server.folder.path())
}

fn bytes_below(path: &Path) -> Vec<u8> {
    if path.is_file() {
        return std::fs::read(path).expect("a readable file");
    }
    let files = std::fs::read_dir(path).expect("the folder can be listed");
    files.flat_map(|file| bytes_below(&file.expect("a file").path())).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
