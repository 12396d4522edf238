//! A script's search passes none of the router's layers. Its response is what the layers would have made of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::{ErrorCode, LogRow, Recorded, SearchAnswer, TimeMs};
use axum::Router;
use axum::body::{Body, Bytes};
use futures::StreamExt;
use futures::stream;
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use server::platform::random::Random;
use store::Clock;
use tests::HeldClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::refusals::{MALFORMED, NO_FORMS};
use crate::request::{FORM, TestRequest, TestResponse};
use crate::security::FOREIGN;
use crate::test_server::{TestServer, TestServerBuilder};

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const PROXY: &str = "10.0.0.1";
/// The time limits of a request's response and of its body.
const RESPONSE_LIMIT: Duration = Duration::from_secs(30);
const BODY_LIMIT: Duration = Duration::from_secs(20);

/// A server, and the router with all layers. The clock stands still, and what is random is always the same: a request
/// that is repeated has the same response.
struct BothWays {
    server: TestServer,
    general: Router,
    clock: Arc<HeldClock>,
}

impl BothWays {
    async fn of(builder: TestServerBuilder) -> Self {
        let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
        let server = builder.clock(clock.clone()).trusting("10.0.0.0/8").without_worker().start().await;
        Self { general: server::router::layered(server.state.clone()), server, clock }
    }

    async fn start() -> Self {
        Self::of(TestServer::builder().random(constant())).await
    }

    fn search(&self) -> TestRequest {
        self.server.searching(&[("phrase", "a"), ("id", ID)])
    }

    /// Sends the request that `request` makes by either way. Panics if anything in the responses differs.
    async fn ask(&self, what: &str, request: impl Fn() -> TestRequest) -> TestResponse {
        let direct = request().send().await;
        let general = request().through(self.general.clone()).send().await;
        are_same(what, &direct, &general);
        direct
    }

    /// The same, while `meanwhile` happens.
    async fn ask_while(
        &self,
        what: &str,
        request: impl Fn() -> TestRequest,
        meanwhile: impl AsyncFn(),
    ) -> TestResponse {
        let (direct, ()) = tokio::join!(request().send(), meanwhile());
        let (general, ()) = tokio::join!(request().through(self.general.clone()).send(), meanwhile());
        are_same(what, &direct, &general);
        direct
    }
}

#[track_caller]
fn are_same(what: &str, direct: &TestResponse, general: &TestResponse) {
    // A router adds the length, and otherwise the connection does.
    let mut headers = direct.headers.clone();
    headers.entry(CONTENT_LENGTH).or_insert(direct.body.len().into());
    assert_eq!((direct.status, headers), (general.status, general.headers.clone()), "{what}");
    assert_eq!(direct.text(), general.text(), "{what}");
}

/// What `router` sends on a connection: the lines of the head, except the date, and the body.
async fn on_the_wire(server: &TestServer, router: Router) -> (BTreeSet<String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let serving = AbortOnDropHandle::new(tokio::spawn(server.state.transport(100).serve(listener, router)));
    let mut connection = TcpStream::connect(address).await.expect("the server listens");
    let body = format!("phrase=a&id={ID}");
    let head = format!("POST /api/search HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {FORM}\r\n");
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(request.as_bytes()).await.expect("open");
    let mut response = String::new();
    connection.read_to_string(&mut response).await.expect("text");
    drop(serving);
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    (head.lines().filter(|line| !line.starts_with("date: ")).map(str::to_owned).collect(), body.to_owned())
}

fn constant() -> Random {
    Random::from_source(|bytes| bytes.fill(7))
}

fn in_pieces(count: usize) -> Body {
    let pieces = std::iter::once(format!("phrase=a&id={ID}&filler=")).chain((0..count).map(|_| "x".repeat(1024)));
    Body::from_stream(stream::iter(pieces.map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)))))
}

#[tokio::test]
async fn what_is_answered_is_the_same() {
    let both = BothWays::start().await;
    let server = &both.server;
    let answer: SearchAnswer = both.ask("a search", || both.search()).await.ok();
    assert_eq!(answer.recorded, Recorded::Accepted);
    for fields in [
        &[("phrase", "without an id")][..],
        &[("phrase", "life, the universe"), ("letters", "aeiou"), ("id", "01ARZ3NDEKTSV4RRFFQ69G5FAW")],
        &[("phrase", ""), ("letters", ""), ("id", "01ARZ3NDEKTSV4RRFFQ69G5FAX")],
        &[("phrase", "日本語 \u{202e}\0\r\n<b>"), ("letters", "日\0"), ("id", "01ARZ3NDEKTSV4RRFFQ69G5FAY")],
    ] {
        let _: SearchAnswer = both.ask(&format!("{fields:?}"), || server.searching(fields)).await.ok();
    }
    for content_type in ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-URLencoded"] {
        let posted = || server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), content_type);
        let _: SearchAnswer = both.ask(content_type, || posted().body(format!("phrase=a&id={ID}"))).await.ok();
    }
    let at_limit = || server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(in_pieces(135));
    let _: SearchAnswer = both.ask("a body without a length", at_limit).await.ok();
    let _: SearchAnswer = both.ask("a session", || both.search().cookie("search4letters-00000000=f00d")).await.ok();
    let with_referer = || both.search().header("referer", "http://search.example/entry").header("accept", "*/*");
    let _: SearchAnswer = both.ask("a referer", with_referer).await.ok();
    for (name, value) in [
        ("origin", "http://search.example"),
        ("origin", "http://SEARCH.example.:80"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        let _: SearchAnswer = both.ask(value, || both.search().header(name, value)).await.ok();
    }
    let page = || both.search().header("accept", "text/html");
    assert_eq!(both.ask("a form of a page", page).await.status, 303);
}

#[tokio::test]
async fn what_is_sent_is_the_same() {
    let both = BothWays::start().await;
    let direct = on_the_wire(&both.server, both.server.router.clone()).await;
    assert!(direct.0.contains("HTTP/1.1 200 OK") && direct.1.contains("accepted"), "{direct:?}");
    assert_eq!(direct, on_the_wire(&both.server, both.general.clone()).await);
}

#[tokio::test]
async fn what_is_refused_is_the_same() {
    let both = BothWays::start().await;
    let server = &both.server;
    for (body, code, field) in MALFORMED {
        let what = String::from_utf8_lossy(body);
        both.ask(&what, || server.post_form("/api/search", body)).await.refused(400, code, field);
    }
    let many: String = (0..10_000).map(|number| format!("&{number}")).collect();
    let many = || server.post_form("/api/search", format!("phrase=a{many}"));
    both.ask("too many fields", many).await.refused(400, ErrorCode::Malformed, None);
    for (field, phrase, letters) in [("phrase", 10_001, 0), ("letters", 1, 1_001)] {
        let (phrase, letters) = ("日".repeat(phrase), "日".repeat(letters));
        let long = || server.searching(&[("phrase", &phrase), ("letters", &letters)]);
        both.ask(field, long).await.refused(422, ErrorCode::TooLong, Some(field));
    }
    let large = || server.searching(&[("phrase", &"x".repeat(140_000))]);
    both.ask("too large", large).await.refused(413, ErrorCode::TooLarge, None);
    for pieces in [136, 4_000] {
        let large =
            || server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(in_pieces(pieces));
        both.ask("too large, without a length", large).await.refused(413, ErrorCode::TooLarge, None);
    }
    for content_type in NO_FORMS {
        let posted = || server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), content_type);
        let refused = both.ask(content_type, || posted().body("phrase=a")).await;
        refused.refused(415, ErrorCode::ContentType, None);
    }
    both.ask("no content type", || server.ask(Method::POST, "/api/search").body("phrase=a")).await.refusal();
    both.ask("in the address", || server.post_form("/api/search?phrase=a", "")).await.refusal();
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let refused = both.ask(method.as_str(), || server.ask(method.clone(), "/api/search")).await;
        assert_eq!(refused.status.as_u16(), 405, "{method}");
    }
    for path in ["/api/search/", "/api//search", "/api/Search", "/api/se%61rch"] {
        both.ask(path, || server.post_form(path, "phrase=a")).await.refused(404, ErrorCode::NotFound, None);
    }
    let _: SearchAnswer = both.ask("a search", || both.search()).await.ok();
    let other = || server.searching(&[("phrase", "another"), ("id", ID)]);
    both.ask("another search's id", other).await.refused(409, ErrorCode::Conflict, Some("id"));
}

#[tokio::test]
async fn another_sites_page_is_refused_and_counted_alike() {
    let both = BothWays::start().await;
    let counted = || both.server.state.caller_settings.trusted_proxies.faults.foreign_requests.get();
    for (name, value) in FOREIGN {
        let before = counted();
        let request = || both.search().header(name, value);
        both.ask(value, request).await.refused(403, ErrorCode::Forbidden, None);
        let page = || both.search().header(name, value).header("accept", "text/html");
        assert_eq!(both.ask(value, page).await.status, 403);
        assert_eq!(counted() - before, 4, "{name}: {value}");
    }
    assert_eq!(both.server.store().ledger().await.expect("read").accepted, 0);
}

#[tokio::test]
async fn what_proxies_say_counts_alike() {
    let both = BothWays::start().await;
    for (name, value, is_https) in [
        ("x-forwarded-proto", "https", true),
        ("x-forwarded-proto", "http", false),
        ("forwarded", "for=198.51.100.7;proto=https", true),
        ("x-forwarded-for", "unknown", false),
        ("x-forwarded-for", "198.51.100.7", false),
    ] {
        let answer = both.ask(value, || both.search().peer(PROXY).header(name, value)).await;
        assert_eq!(answer.headers.contains_key("strict-transport-security"), is_https, "{value}");
        let origin = || both.search().peer(PROXY).header(name, value).header("origin", "https://search.example");
        assert_eq!(both.ask(value, origin).await.status.is_success(), is_https, "{value}");
        let forged = both.ask(value, || both.search().peer("192.0.2.1").header(name, value)).await;
        assert!(!forged.headers.contains_key("strict-transport-security"), "{value}");
    }
    let faults = &both.server.state.caller_settings.trusted_proxies.faults;
    assert_eq!(faults.unreadable_clients.get() % 2, 0, "each way counts each request once");
    assert!(faults.unreadable_clients.get() > 0);
}

#[tokio::test]
async fn a_failure_is_the_same() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let random = Random::from_source({
        let is_broken = is_broken.clone();
        move |bytes| {
            assert!(!is_broken.load(Ordering::SeqCst), "no more randomness");
            bytes.fill(7);
        }
    });
    let both = BothWays::of(TestServer::builder().random(random).accept_deadline(2 * RESPONSE_LIMIT)).await;
    let server = &both.server;
    is_broken.store(true, Ordering::SeqCst);
    let panics = both.ask("a panic", || server.searching(&[("phrase", "an id is needed")])).await;
    panics.refused(500, ErrorCode::Internal, None);
    is_broken.store(false, Ordering::SeqCst);

    let lock = server.lock().await;
    let time_passes = async || {
        both.clock.task_sleeps_until(both.clock.steady().after(2 * RESPONSE_LIMIT)).await;
        both.clock.advance(RESPONSE_LIMIT);
    };
    let late = both.ask_while("no answer in time", || both.search(), time_passes).await;
    late.refused(503, ErrorCode::Unavailable, None);
    lock.release().await;

    let endless = || {
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from("phrase=a"))]).chain(stream::pending());
        server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(Body::from_stream(body))
    };
    let time_passes = async || {
        both.clock.task_sleeps_until(both.clock.steady().after(BODY_LIMIT)).await;
        both.clock.advance(BODY_LIMIT);
    };
    let unfinished = both.ask_while("an unfinished body", endless, time_passes).await;
    unfinished.refused(400, ErrorCode::Malformed, None);
    let broken = || {
        let body = stream::iter([Ok(Bytes::from("phrase=a")), Err(std::io::Error::other("gone"))]);
        server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(Body::from_stream(body))
    };
    both.ask("a body that breaks off", broken).await.refused(400, ErrorCode::Malformed, None);
}

#[tokio::test]
async fn an_outage_is_the_same() {
    let both = BothWays::start().await;
    let table = both.server.break_table("job").await;
    let spooled: SearchAnswer = both.ask("spooled", || both.search()).await.ok();
    assert_eq!(spooled.recorded, Recorded::Spooled);
    let other = || both.server.searching(&[("phrase", "another"), ("id", ID)]);
    both.ask("another search's id", other).await.refused(409, ErrorCode::Conflict, Some("id"));
    table.mend().await;
}

#[tokio::test]
async fn what_is_logged_is_the_same() {
    let server = TestServer::builder().trusting("10.0.0.0/8").start().await;
    let general = server::router::layered(server.state.clone());
    let search = |router: Router| {
        let fields = [("phrase", "one\r\ntwo"), ("letters", "ab\0")];
        let request = server.searching(&fields).peer(PROXY).header("x-forwarded-for", "6.6.6.6, 2001:db8::7");
        request.header("user-agent", format!("Firefox/{}", "x".repeat(2_000))).through(router).send()
    };
    for router in [server.router.clone(), general] {
        let _: SearchAnswer = search(router).await.ok();
    }
    let rows = server.log_with_rows(2).await.into_iter().map(|row| {
        let LogRow { phrase, letters, ip, user_agent, browser_family, results, .. } = row;
        (phrase, letters, ip, user_agent, browser_family, results)
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0].2, "2001:db8::7");
}
