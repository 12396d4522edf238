//! Bodies over a real connection, where a refusal must reach those who are still sending.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::{ErrorCode, TimeMs};
use axum::body::{Body, Bytes};
use futures::stream::{self, StreamExt};
use http::Method;
use http::header::CONTENT_TYPE;
use tests::HeldClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::request::FORM;
use crate::site::Site;

#[tokio::test]
async fn who_sends_the_whole_before_reading_still_sees_the_refusal() {
    let site = Site::start().await;
    let body = format!("phrase={}", "%F0%9F%98%80".repeat(10_000));
    let head =
        format!("POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM}\r\ncontent-length: {}\r\n", body.len());
    let answer = exchange(&site, &format!("{head}connection: close\r\n\r\n{body}")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains(r#""code":"too_large""#), "{answer}");
}

#[tokio::test]
async fn what_is_too_large_is_read_to_its_end_but_not_without_end() {
    let site = Site::start().await;
    for (pieces, is_read_whole) in [(1_000, true), (10_000, false)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let body = stream::iter(0..pieces).map(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1024]))
        });
        let ask = site.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM);
        ask.body(Body::from_stream(body)).send().await.refused(413, ErrorCode::TooLarge, None);
        let taken = taken.load(Ordering::SeqCst);
        assert_eq!(taken == pieces, is_read_whole, "{taken} of {pieces} KiB were read");
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_read_and_limited_too() {
    let site = Site::start().await;
    let head =
        format!("POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM}\r\ntransfer-encoding: chunked\r\n");
    let small = exchange(&site, &format!("{head}connection: close\r\n\r\n8\r\nphrase=a\r\n0\r\n\r\n")).await;
    assert!(small.starts_with("HTTP/1.1 200 "), "{small}");
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let large = exchange(&site, &format!("{head}connection: close\r\n\r\n{}0\r\n\r\n", chunk.repeat(20))).await;
    assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
    let broken = exchange(&site, &format!("{head}\r\nzz\r\nphrase=a\r\n0\r\n\r\n")).await;
    assert!(broken.starts_with("HTTP/1.1 400 "), "{broken}");
}

#[tokio::test]
async fn headers_beyond_all_measure_are_refused() {
    let site = Site::start().await;
    let huge = format!("GET /healthz HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "x".repeat(1_000_000));
    let answer = exchange(&site, &huge).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let cookies = format!("a={}; search4letters=x", "x".repeat(100_000));
    let large =
        format!("GET /api/admin/log/rows HTTP/1.1\r\nhost: x\r\ncookie: {cookies}\r\nconnection: close\r\n\r\n");
    let answer = exchange(&site, &large).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn who_never_finishes_sending_is_not_waited_for() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let site = Site::plan().clock(clock.clone()).without_worker().start().await;
    let endless = stream::iter([Ok::<_, std::io::Error>(Bytes::from("phrase=a"))]).chain(stream::pending());
    let ask =
        site.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(Body::from_stream(endless));
    let passes_time = async {
        clock.task_sleeps().await;
        clock.advance(Duration::from_secs(20));
    };
    let (answer, ()) = tokio::join!(ask.send(), passes_time);
    answer.refused(400, ErrorCode::Malformed, None);
}

/// Sends `request` whole, and then reads whatever came back until the server closes.
async fn exchange(site: &Site, request: &str) -> String {
    let (address, server) = site.listen().await;
    let mut connection = TcpStream::connect(address).await.expect("the server listens");
    // A server that has closed already shows in what can be read.
    let _ = connection.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer).await;
    server.abort();
    String::from_utf8_lossy(&answer).into_owned()
}
