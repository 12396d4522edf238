//! How long a connection may be idle, and how it ends. The clock stands still until a test moves it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::{SearchAnswer, TimeMs};
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use store::Clock;
use tests::HeldClock;
use tests::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::test_server::TestServer;

const HEAD_LIMIT: Duration = Duration::from_secs(10);
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// Far longer than any step here, so that a busy machine does not fail a test.
const TIMEOUT: Duration = Duration::from_secs(30);

impl TestServer {
    /// Serves on a real socket until the server stops.
    pub async fn listen(&self) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        (address, tokio::spawn(self.state.transport(100).serve(listener, self.router.clone())))
    }
}

async fn held() -> (TestServer, Arc<HeldClock>, SocketAddr, JoinHandle<()>) {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let (address, serving) = server.listen().await;
    (server, clock, address, serving)
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("the server listens")
}

/// Returns as soon as the only connection's timer is set for `end`. The timer is renewed when it fires: time passes until
/// it has no earlier time left.
async fn will_end_at(clock: &HeldClock, end: TimeMs) {
    eventually("the timer is renewed", async || {
        let next = clock.next_alarm().await;
        if next < end {
            clock.advance(until(clock, next));
        }
        (next >= end).then_some(())
    })
    .await;
    clock.task_sleeps_until(end).await;
}

/// How long it is until `time`. Zero if it has passed.
fn until(clock: &HeldClock, time: TimeMs) -> Duration {
    Duration::from_millis(u64::try_from(time.since(clock.steady())).unwrap_or(0))
}

/// Sends a request and reads the whole response. The connection stays open.
async fn ask(connection: &mut TcpStream) {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("open");
    read_until(connection, "ok\n").await;
}

async fn read_until(connection: &mut TcpStream, end: &str) {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let count = timeout(TIMEOUT, connection.read_buf(&mut read)).await.expect("it comes in time").expect("open");
        assert!(count > 0, "closed after {}", String::from_utf8_lossy(&read));
    }
}

/// Reads until the server closes or resets the connection.
async fn read_to_end(mut connection: TcpStream) -> String {
    let mut read = Vec::new();
    // A reset counts as closing.
    let _ = timeout(TIMEOUT, connection.read_to_end(&mut read)).await.expect("the server closes it in time");
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn a_connection_has_ten_seconds_for_its_first_head() {
    for begin in ["", "P", "GET /healthz HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let (_site, clock, address, _) = held().await;
        let mut connection = connect(address).await;
        connection.write_all(begin.as_bytes()).await.expect("open");
        clock.task_sleeps_until(clock.steady().after(HEAD_LIMIT)).await;
        clock.advance(HEAD_LIMIT);
        // An HTTP/2 connection has received the server's settings.
        let said = read_to_end(connection).await;
        assert!(!said.contains("HTTP/1.1"), "{begin:?} was answered with {said:?}");
    }
}

#[tokio::test]
async fn a_connection_may_be_idle_for_longer_than_proxies_keep_it() {
    let (_site, clock, address, _) = held().await;
    let mut connection = connect(address).await;
    for _ in 0..3 {
        ask(&mut connection).await;
        let end = clock.steady().after(IDLE_LIMIT);
        will_end_at(&clock, end).await;
        clock.advance(until(&clock, end) - Duration::from_millis(1));
    }
    clock.advance(Duration::from_millis(1));
    assert_eq!(read_to_end(connection).await, "");
}

#[tokio::test]
async fn the_first_byte_of_the_next_head_ends_the_idle_time() {
    let (_site, clock, address, _) = held().await;
    let mut connection = connect(address).await;
    ask(&mut connection).await;
    will_end_at(&clock, clock.steady().after(IDLE_LIMIT)).await;
    connection.write_all(b"G").await.expect("open");
    clock.task_sleeps_until(clock.steady().after(HEAD_LIMIT)).await;
    clock.advance(HEAD_LIMIT);
    assert_eq!(read_to_end(connection).await, "");
}

#[tokio::test]
async fn an_event_stream_is_not_idle() {
    let (server, clock, address, _) = held().await;
    let receipt = server.search(&[("phrase", "followed")]).await.receipt.0;
    let mut connection = connect(address).await;
    let request = format!("GET /api/receipts/{receipt}/events HTTP/1.1\r\nhost: x\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("open");
    read_until(&mut connection, "\n\n\r\n").await;
    clock.advance(2 * IDLE_LIMIT);
    let _: SearchAnswer = server.search(&[("phrase", "later")]).await;
    server.state.stop.cancel();
    assert!(read_to_end(connection).await.ends_with("0\r\n\r\n"), "an event stream was cut off");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_connections_without_a_request() {
    let (server, _clock, address, serving) = held().await;
    let mut connections = Vec::new();
    for begin in ["", "P", "GET /healthz HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut connection = connect(address).await;
        connection.write_all(begin.as_bytes()).await.expect("open");
        connections.push(connection);
        let mut connection = connect(address).await;
        ask(&mut connection).await;
        connection.write_all(begin.as_bytes()).await.expect("open");
        connections.push(connection);
    }
    eventually("all are accepted", async || (server.state.system.counters.connections.get() == 8).then_some(())).await;
    server.state.stop.cancel();
    timeout(TIMEOUT, serving).await.expect("it ends without waiting").expect("it does not panic");
    assert_eq!(server.state.system.counters.connections.get(), 0);
    for connection in connections {
        read_to_end(connection).await;
    }
    TcpStream::connect(address).await.expect_err("nobody listens any more");
}

#[tokio::test]
async fn an_http_2_preface_starts_http_2() {
    let (server, clock, address, serving) = held().await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<&[u8]>>();
    let url: http::Uri = format!("http://{address}/healthz").parse().expect("an address");
    let request = Request::builder().version(Version::HTTP_2).uri(url).body(Empty::new()).expect("well-formed");
    let answer = client.request(request).await.expect("answered");
    assert_eq!(answer.version(), Version::HTTP_2);
    assert_eq!(answer.into_body().collect().await.expect("whole").to_bytes(), "ok\n");

    // Frames that are not requests do not end the idle time. The connection is closed gracefully.
    let end = clock.steady().after(IDLE_LIMIT);
    will_end_at(&clock, end).await;
    clock.advance(until(&clock, end));
    eventually("the idle connection is gone", async || {
        (server.state.system.counters.connections.get() == 0).then_some(())
    })
    .await;
    server.state.stop.cancel();
    timeout(TIMEOUT, serving).await.expect("in time").expect("it does not panic");
}

/// The address of the longest search.
fn long_address() -> String {
    format!("/?phrase={}&letters={}", "%F0%9F%98%80".repeat(10_000), "%F0%9F%98%80".repeat(1_000))
}

#[tokio::test]
async fn the_longest_search_has_an_address_that_can_be_opened() {
    let server = TestServer::builder().without_worker().start().await;
    let (address, _) = server.listen().await;
    let mut connection = connect(address).await;
    // On a connection that was used before, also for a body, as browsers do.
    ask(&mut connection).await;
    let body = format!("phrase={}", "a".repeat(10_000));
    let head = "POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let post = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(post.as_bytes()).await.expect("open");
    read_until(&mut connection, "}").await;
    let page = format!("GET {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", long_address());
    connection.write_all(page.as_bytes()).await.expect("open");
    let answer = read_to_end(connection).await;
    let expected = if server::platform::assets::has_client() { "HTTP/1.1 200 " } else { "HTTP/1.1 404 " };
    assert!(answer.starts_with(expected), "{answer:.200}");

    let admin = server.admin().await;
    let filter = "%F0%9F%98%80".repeat(4_000);
    let mut connection = connect(address).await;
    let head = format!("HTTP/1.1\r\nhost: x\r\ncookie: {admin}\r\nconnection: close\r\n\r\n");
    connection.write_all(format!("GET /api/admin/log/rows?q={filter} {head}").as_bytes()).await.expect("open");
    let answer = read_to_end(connection).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("looked"), "the longest filter: {answer:.500}");
    let mut connection = connect(address).await;
    let rows = format!("GET /api/admin/log/rows{} HTTP/1.1\r\nhost: x\r\n\r\n", &long_address()[1..70_000]);
    connection.write_all(rows.as_bytes()).await.expect("open");
    assert!(read_to_end(connection).await.starts_with("HTTP/1.1 414 "), "the API reads whole addresses only");
}

#[tokio::test]
async fn a_body_that_was_not_read_is_not_taken_for_an_address() {
    let server = TestServer::builder().without_worker().start().await;
    let (address, _) = server.listen().await;
    let mut connection = connect(address).await;
    let body = format!("GET /?{}", "x".repeat(70_000));
    let head = "POST /api/login HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(request.as_bytes()).await.expect("open");
    // If the connection goes on, it goes on behind the body.
    let _ = connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let answers = read_to_end(connection).await;
    assert!(answers.starts_with("HTTP/1.1 415 "), "{answers}");
    assert!(answers.matches("HTTP/1.1 ").count() == 1 || answers.ends_with("ok\n"), "{answers}");
}
