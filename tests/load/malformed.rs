//! What no client in its right mind sends. The server refuses it, and goes on.

use tests::server_process::{Installation, ServerProcess};

use crate::wire::Wire;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused() {
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
        let mut wire = Wire::connect(&server).await;
        // A server that has closed already shows in what can be read.
        wire.send(&bytes).await;
        let said = wire.read_to_end().await;
        let start: String = bytes.chars().take(100).collect();
        assert!(said.starts_with("HTTP/1.1 4"), "{start:?} was answered with {said:?}");
    }
    is_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_off_is_forgotten() {
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
            let mut wire = Wire::connect(&server).await;
            wire.send(&bytes).await;
            wire.reset();
        }
    }
    is_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_in_one_breath_are_answered_in_turn() {
    const REQUESTS: usize = 10_000;
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let wire = Wire::connect(&server).await;
    let one = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let said = wire.exchange(one.repeat(REQUESTS - 1) + last).await;
    assert_eq!(said.matches("HTTP/1.1 200 OK\r\n").count(), REQUESTS);
    is_unharmed(&server).await;
}

/// It answers, and nothing in it has panicked.
async fn is_unharmed(server: &ServerProcess) {
    let answer = server.client().get("/readyz").await.expect("answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let output = server.output();
    assert!(!output.contains("panicked") && !output.contains("ERROR"), "{output}");
}
