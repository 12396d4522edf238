//! Deliberately slow connections, and malformed requests.

use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};
use tokio::task::JoinSet;

use crate::{RawConnection, connections_that_fit};

const SLOW_HEADS: usize = 500;
const SLOW_BODIES: usize = 500;
const UNREAD: usize = 200;
/// Far more responses than a connection's buffers hold.
const UNREAD_ANSWERS: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn slow_connections_are_closed_and_do_not_hinder_others() {
    let all = SLOW_HEADS + SLOW_BODIES + UNREAD;
    assert_eq!(connections_that_fit(all), all, "even the lowest of usual limits has room for these");
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let client = server.client();
    let unread = unread(&server).await;
    // Idle connections have more time than slow ones, so all are open before the first becomes slow.
    let (heads, bodies) = (idle(&server, SLOW_HEADS).await, idle(&server, SLOW_BODIES).await);
    eventually("all of them are connected", async || (connections(&client).await > all).then_some(())).await;
    let mut heads = drip(heads, "GET /healthz HTTP/1.1\r\nhost: a-name-of-many-letters-or-").await;
    let head = "POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    let mut bodies = drip(bodies, head).await;

    let answer = server.client().post_form("/api/search", &[("phrase", "meanwhile")]).await.expect("answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let ended = heads.try_join_next().or_else(|| bodies.try_join_next());
    assert!(ended.is_none(), "the search was answered only after slow ones were gone");

    for said in heads.join_all().await {
        assert_eq!(said, "", "an incomplete head is not a request");
    }
    for said in bodies.join_all().await {
        assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("The body was not there"), "{said}");
    }
    eventually("only those are left that read nothing", async || {
        (connections(&client).await <= UNREAD + 1).then_some(())
    })
    .await;
    drop(unread);
    assert!(!server.output().contains("ERROR"), "{}", server.output());
}

/// Opens idle connections that have made one request.
async fn idle(server: &ServerProcess, count: usize) -> Vec<RawConnection> {
    let opening = (0..count).map(|_| async {
        let mut connection = RawConnection::connect(server).await;
        assert!(connection.get("/healthz").await);
        connection.read_until("ok\n").await;
        connection
    });
    futures::future::join_all(opening).await
}

/// Sends `begin`, an incomplete request, and then a byte each second. Yields the response to each.
async fn drip(connections: Vec<RawConnection>, begin: &str) -> JoinSet<String> {
    let mut dripping = JoinSet::new();
    for mut connection in connections {
        assert!(connection.send(begin).await);
        dripping.spawn(connection.drip());
    }
    dripping
}

/// Opens connections. Half of them open an event stream; the others request much more than they read.
async fn unread(server: &ServerProcess) -> JoinSet<RawConnection> {
    let answer = server.client().post_form("/api/search", &[("phrase", "unread")]).await.expect("answered");
    let receipt = answer.json::<api::SearchAnswer>().receipt.0;
    let mut unread = JoinSet::new();
    for number in 0..UNREAD {
        let mut connection = RawConnection::connect_with_small_buffer(server).await;
        let path = format!("/api/receipts/{receipt}/events");
        unread.spawn(async move {
            if number % 2 == 0 {
                connection.get(&path).await;
            } else {
                connection.send("GET /api/nothing HTTP/1.1\r\nhost: x\r\n\r\n".repeat(UNREAD_ANSWERS)).await;
            }
            // Keeps the connection open and unread.
            std::future::pending().await
        });
    }
    unread
}

async fn connections(client: &HttpClient) -> usize {
    let metrics = client.get("/metrics").await.expect("answered").body;
    let count = metrics.lines().find_map(|line| line.strip_prefix("search4letters_connections "));
    count.and_then(|count| count.parse().ok()).expect("the figure is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let post = "POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let many_headers = (0..10_000).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    for bytes in [
        "\x01\x02\x03\x04\r\n\r\n".to_owned(),
        "\0".repeat(1_000),
        "GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: \0\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n: no name\r\n\r\n".to_owned(),
        // HTTP/0.9, and a version that does not exist.
        "GET /\r\n\r\n".to_owned(),
        "GET / HTTP/7.3\r\nhost: x\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(100_000)),
        format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "x".repeat(1_000_000)),
        format!("GET / HTTP/1.1\r\nhost: x\r\n{many_headers}\r\n"),
        format!("{post}content-length: 99999999999999999999999999\r\n\r\n"),
        format!("{post}content-length: -1\r\n\r\n"),
        format!("{post}content-length: 8\r\ncontent-length: 9\r\n\r\nphrase=a"),
        format!("{post}transfer-encoding: gzip\r\n\r\n"),
        format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n"),
        format!("{post}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
        format!("{post}transfer-encoding: chunked\r\n\r\n1\r\nphrase=a\r\n0\r\n\r\n"),
    ] {
        let mut connection = RawConnection::connect(&server).await;
        // If the server has closed the connection, the response shows why.
        connection.send(&bytes).await;
        let said = connection.read_to_end().await;
        let start: String = bytes.chars().take(100).collect();
        assert!(said.starts_with("HTTP/1.1 4"), "{start:?} was answered with {said:?}");
    }
    is_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_connections_are_forgotten() {
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let answer = server.client().post_form("/api/search", &[("phrase", "followed")]).await.expect("answered");
    let events = format!("/api/receipts/{}/events", answer.json::<api::SearchAnswer>().receipt.0);
    let body = "phrase=broken+off";
    let head = "POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for bytes in [
        String::new(),
        "GET".to_owned(),
        format!("GET {events} HTTP/1.1\r\nhost: x\r\n\r\n"),
        "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100),
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
        format!("{head}content-length: 18446744073709551615\r\n\r\n{body}"),
        format!("{head}transfer-encoding: chunked\r\n\r\n5\r\nphr"),
        http2.to_owned(),
        format!("{http2}{}", "\u{7f}".repeat(10_000)),
        // An empty SETTINGS, then HEADERS that never end.
        format!("{http2}\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\0\0\0\0\x01\x02"),
    ] {
        for _ in 0..20 {
            let mut connection = RawConnection::connect(&server).await;
            connection.send(&bytes).await;
            connection.reset();
        }
    }
    is_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_pipelined_requests_are_answered_in_turn() {
    const REQUESTS: usize = 10_000;
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let connection = RawConnection::connect(&server).await;
    let one = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let said = connection.exchange(one.repeat(REQUESTS - 1) + last).await;
    assert_eq!(said.matches("HTTP/1.1 200 OK\r\n").count(), REQUESTS);
    is_unharmed(&server).await;
}

/// Panics unless the server is ready and has logged no panic or error.
async fn is_unharmed(server: &ServerProcess) {
    let answer = server.client().get("/readyz").await.expect("answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let output = server.output();
    assert!(!output.contains("panicked") && !output.contains("ERROR"), "{output}");
}
