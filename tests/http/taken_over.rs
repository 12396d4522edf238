//! Event streams take their connection over, and give it back.

use std::net::SocketAddr;
use std::time::Duration;

use tests::eventually::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::site::Site;

/// Far more than anything in here takes: a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// An event stream that ends, because its search is or will be logged.
async fn ending(site: &Site) -> String {
    format!("/api/receipts/{}/events", site.search(&[("phrase", "followed")]).await.receipt.0)
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("the server listens")
}

async fn send(connection: &mut TcpStream, text: &str) {
    connection.write_all(text.as_bytes()).await.expect("open");
}

fn request(path: &str, version: &str, headers: &str) -> String {
    format!("GET {path} {version}\r\nhost: x\r\n{headers}\r\n")
}

async fn read_until(connection: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let count = timeout(PATIENCE, connection.read_buf(&mut read)).await.expect("it comes in time").expect("open");
        assert!(count > 0, "closed after {}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).expect("UTF-8")
}

async fn read_to_end(mut connection: TcpStream) -> String {
    let mut read = String::new();
    timeout(PATIENCE, connection.read_to_string(&mut read)).await.expect("closed in time").expect("not reset");
    read
}

#[tokio::test]
async fn what_is_asked_after_a_stream_is_answered_on_the_same_connection() {
    let site = Site::start().await;
    let (address, _) = site.listen().await;
    let mut connection = connect(address).await;
    for _ in 0..3 {
        send(&mut connection, &request(&ending(&site).await, "HTTP/1.1", "")).await;
        let stream = read_until(&mut connection, "0\r\n\r\n").await;
        assert!(stream.contains("text/event-stream") && stream.contains("done"), "{stream}");
        send(&mut connection, &request("/healthz", "HTTP/1.1", "")).await;
        assert!(read_until(&mut connection, "ok\n").await.starts_with("HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn what_was_asked_behind_a_stream_is_answered_after_it() {
    let site = Site::start().await;
    let (address, _) = site.listen().await;
    let mut connection = connect(address).await;
    let stream = request(&ending(&site).await, "HTTP/1.1", "");
    let last = request("/healthz", "HTTP/1.1", "connection: close\r\n");
    send(&mut connection, &(stream.repeat(2) + &last)).await;
    let answers = read_to_end(connection).await;
    assert_eq!((answers.matches("HTTP/1.1 200 OK").count(), answers.matches("0\r\n\r\n").count()), (3, 2), "{answers}");
    assert!(answers.ends_with("ok\n"), "{answers}");
}

#[tokio::test]
async fn the_connection_is_closed_after_a_stream_where_that_was_asked() {
    let site = Site::start().await;
    let (address, _) = site.listen().await;
    for headers in ["connection: close\r\n", "Connection: TE, Close\r\n"] {
        let mut connection = connect(address).await;
        send(&mut connection, &request(&ending(&site).await, "HTTP/1.1", headers)).await;
        let stream = read_to_end(connection).await;
        assert!(stream.contains("connection: close") && stream.ends_with("0\r\n\r\n"), "{stream}");
    }
}

#[tokio::test]
async fn who_knows_no_chunks_gets_a_stream_that_ends_with_its_connection() {
    let site = Site::start().await;
    let (address, _) = site.listen().await;
    let mut connection = connect(address).await;
    send(&mut connection, &request(&ending(&site).await, "HTTP/1.0", "")).await;
    let stream = read_to_end(connection).await;
    assert!(stream.ends_with("\n\n") && !stream.contains("chunked"), "{stream}");
}

#[tokio::test]
async fn a_stream_ends_when_its_peer_hangs_up() {
    let site = Site::plan().without_worker().start().await;
    let (address, _) = site.listen().await;
    let mut connection = connect(address).await;
    send(&mut connection, &request(&ending(&site).await, "HTTP/1.1", "")).await;
    read_until(&mut connection, "\n\n\r\n").await;
    assert_eq!(site.env.metrics.streams.get(), 1);
    drop(connection);
    eventually("nobody is followed", async || (site.env.metrics.streams.get() == 0).then_some(())).await;
    eventually("the connection is gone", async || (site.env.metrics.connections.get() == 0).then_some(())).await;
}
