//! The size limits of a search, also over a real connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::{ErrorCode, TimeMs};
use axum::body::{Body, Bytes};
use futures::stream;
use futures::stream::StreamExt;
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tests::HeldClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::request::{FORM, TestRequest};
use crate::test_server::TestServer;

#[tokio::test]
async fn a_phrase_at_its_limit_is_searched_and_one_over_is_not() {
    let server = TestServer::start().await;
    for character in ["a", "ä", "日", "😀"] {
        // Unencoded, as our page sends it, and percent-encoded, as every library does.
        let posts: [&dyn Fn(usize) -> TestRequest; 2] =
            [&|length| server.post_form("/api/search", format!("phrase={}", character.repeat(length))), &|length| {
                server.searching(&[("phrase", &character.repeat(length)), ("letters", &character.repeat(1_000))])
            }];
        for post in posts {
            let answer: api::SearchAnswer = post(10_000).send().await.ok();
            assert_eq!(answer.phrase.chars().count(), 10_000);
            let message = post(10_001).send().await.refused(422, ErrorCode::TooLong, Some("phrase"));
            assert!(message.contains("10001") && message.contains("10000"), "{message}");
        }
    }
}

#[tokio::test]
async fn letters_at_their_limit_are_searched_and_one_over_are_not() {
    let server = TestServer::start().await;
    for character in ["a", "😀"] {
        let answer = server.search(&[("phrase", character), ("letters", &character.repeat(1_000))]).await;
        assert_eq!(answer.results, [character]);
        let over = server.searching(&[("phrase", character), ("letters", &character.repeat(1_001))]).send().await;
        over.refused(422, ErrorCode::TooLong, Some("letters"));
    }
}

#[tokio::test]
async fn the_first_field_that_is_too_long_is_named() {
    let server = TestServer::start().await;
    let body = format!("letters={}&phrase={}", "a".repeat(1_001), "a".repeat(10_001));
    server.post_form("/api/search", body).send().await.refused(422, ErrorCode::TooLong, Some("phrase"));
}

#[tokio::test]
async fn a_body_of_136_kib_is_read_and_one_byte_more_is_not() {
    let server = TestServer::start().await;
    let body_of = |size: usize| format!("phrase=a&filler={}", "x".repeat(size - "phrase=a&filler=".len()));
    let at_limit = server.post_form("/api/search", body_of(136 * 1024)).send().await;
    let _: api::SearchAnswer = at_limit.ok();
    server.post_form("/api/search", body_of(136 * 1024 + 1)).send().await.refused(413, ErrorCode::TooLarge, None);
}

#[tokio::test]
async fn a_body_without_a_length_is_limited_while_it_is_read() {
    let server = TestServer::start().await;
    let pieces = |count: usize| {
        let pieces = std::iter::once("phrase=a&filler=".to_owned()).chain((0..count).map(|_| "x".repeat(1024)));
        Body::from_stream(stream::iter(pieces.map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)))))
    };
    let post =
        |body: Body| server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(body).send();
    let _: api::SearchAnswer = post(pieces(135)).await.ok();
    post(pieces(136)).await.refused(413, ErrorCode::TooLarge, None);
    post(pieces(4_000)).await.refused(413, ErrorCode::TooLarge, None);
}

#[tokio::test]
async fn a_wrong_content_length_does_not_bypass_the_limit() {
    let server = TestServer::start().await;
    let body = format!("phrase={}", "x".repeat(140_000));
    let refused = server.post_form("/api/search", body).header(CONTENT_LENGTH.as_str(), "8").send().await;
    refused.refused(413, ErrorCode::TooLarge, None);
}

#[tokio::test]
async fn a_client_that_sends_everything_first_still_reads_the_refusal() {
    let server = TestServer::start().await;
    let body = format!("phrase={}", "%F0%9F%98%80".repeat(12_000));
    let head =
        format!("POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM}\r\ncontent-length: {}\r\n", body.len());
    let answer = exchange(&server, &format!("{head}connection: close\r\n\r\n{body}")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains(r#""code":"too_large""#), "{answer}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_drained_up_to_a_second_limit() {
    let server = TestServer::start().await;
    for (pieces, is_read_whole) in [(1_000, true), (10_000, false)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let body = stream::iter(0..pieces).map(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1024]))
        });
        let request = server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM);
        request.body(Body::from_stream(body)).send().await.refused(413, ErrorCode::TooLarge, None);
        let taken = taken.load(Ordering::SeqCst);
        assert_eq!(taken == pieces, is_read_whole, "{taken} of {pieces} KiB were read");
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_read_and_limited_too() {
    let server = TestServer::start().await;
    let head =
        format!("POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM}\r\ntransfer-encoding: chunked\r\n");
    let small = exchange(&server, &format!("{head}connection: close\r\n\r\n8\r\nphrase=a\r\n0\r\n\r\n")).await;
    assert!(small.starts_with("HTTP/1.1 200 "), "{small}");
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let large = exchange(&server, &format!("{head}connection: close\r\n\r\n{}0\r\n\r\n", chunk.repeat(40))).await;
    assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
    let broken = exchange(&server, &format!("{head}\r\nzz\r\nphrase=a\r\n0\r\n\r\n")).await;
    assert!(broken.starts_with("HTTP/1.1 400 "), "{broken}");
}

#[tokio::test]
async fn oversized_headers_are_refused() {
    let server = TestServer::start().await;
    let huge = format!("GET /healthz HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "x".repeat(1_000_000));
    let answer = exchange(&server, &huge).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let cookies = format!("a={}; {}=x", "x".repeat(100_000), server.cookie_name());
    let large =
        format!("GET /api/admin/log/rows HTTP/1.1\r\nhost: x\r\ncookie: {cookies}\r\nconnection: close\r\n\r\n");
    let answer = exchange(&server, &large).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn an_unfinished_body_is_given_up() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let endless = stream::iter([Ok::<_, std::io::Error>(Bytes::from("phrase=a"))]).chain(stream::pending());
    let request =
        server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(Body::from_stream(endless));
    let passes_time = async {
        clock.task_sleeps().await;
        clock.advance(Duration::from_secs(20));
    };
    let (answer, ()) = tokio::join!(request.send(), passes_time);
    answer.refused(400, ErrorCode::Malformed, None);
}

/// Sends the whole `request`, then reads until the server closes the connection.
async fn exchange(server: &TestServer, request: &str) -> String {
    let (address, server) = server.listen().await;
    let mut connection = TcpStream::connect(address).await.expect("the server listens");
    // If the server has already closed the connection, the response shows why.
    let _ = connection.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer).await;
    server.abort();
    String::from_utf8_lossy(&answer).into_owned()
}
