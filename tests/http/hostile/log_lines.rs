//! What the real server's operator reads while strangers send the corpus.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tests::corpus::{Hostile, corpus};
use tests::eventually;
use tests::server_process::{Installation, ServerProcess};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far more than an answer takes: a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_a_line_and_acts_on_nothing() {
    let installation = Installation::new().with_variable("RUST_LOG", "trace");
    let server = installation.start(&["--trusted-proxy", "127.0.0.0/8"]).await;
    for (number, hostile) in corpus().iter().enumerate() {
        fail_to_log_in(&server, number, hostile).await;
        send(&server, &[b"GET /", hostile.text.as_bytes(), b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"]).await;
        send(&server, &in_headers(hostile)).await;
    }
    // A search leaves no line; a store that cannot take it does.
    let mut database = SqliteConnection::connect(&format!("sqlite:{}", installation.database().display()))
        .await
        .expect("the file opens");
    sqlx::query("alter table job rename to broken_job").execute(&mut database).await.expect("the table is renamed");
    for hostile in corpus().iter().take(5) {
        send(&server, &post("/api/search", "application/x-www-form-urlencoded", "", &hostile.form())).await;
    }

    let failures = |output: &str| output.lines().filter(|line| line.contains("a login failed name=")).count();
    let output = eventually("every login that failed is logged", async || {
        Some(server.output())
            .filter(|output| failures(output) >= corpus().len() && output.contains("no such table: job"))
    })
    .await;
    assert_eq!(failures(&output), corpus().len(), "none is logged twice, or forged");
    for line in output.split('\n') {
        assert_eq!(line.chars().find(|&character| !api::is_inert(character)), None, "{line:?}");
        assert!(line.len() < 20_000, "{} bytes in one line", line.len());
        let is_forged = line.starts_with("2026-01-01T") || line.starts_with("Set-Cookie") || line.starts_with("{\"seq");
        assert!(!is_forged, "{line}");
    }
}

/// From an address of its own: too many from one are not logged, they are refused.
async fn fail_to_log_in(server: &ServerProcess, number: usize, hostile: &Hostile) {
    let credentials = json!({"name": hostile.text, "password": "guess"}).to_string();
    let address = format!("x-forwarded-for: 198.51.{}.{}\r\n", number / 250, number % 250 + 1);
    let answer = send(server, &post("/api/login", "application/json", &address, &credentials)).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{}: {answer}", hostile.name);
}

fn post(path: &str, content_type: &str, headers: &str, body: &str) -> [Vec<u8>; 1] {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}");
    let _ = write!(request, "content-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    [request.into_bytes()]
}

/// Its bytes as they are in every header that is read: where they end the header, they begin another.
fn in_headers(hostile: &Hostile) -> [Vec<u8>; 1] {
    let mut request = b"GET /api/admin/log/rows HTTP/1.1\r\nhost: x\r\nconnection: close".to_vec();
    for name in ["user-agent", "cookie", "x-forwarded-for", "origin", "referer", "last-event-id", "if-none-match"] {
        request.extend_from_slice(format!("\r\n{name}: ").as_bytes());
        request.extend_from_slice(hostile.text.get(..2_000).unwrap_or(&hostile.text).as_bytes());
    }
    request.extend_from_slice(b"\r\n\r\n");
    [request]
}

/// Sends these bytes and returns all that comes back until the server closes.
async fn send(server: &ServerProcess, request: &[impl AsRef<[u8]>]) -> String {
    let address = server.url().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("the server listens");
    for part in request {
        // A server that has closed already shows in what can be read.
        let _ = connection.write_all(part.as_ref()).await;
    }
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server neither answers to the end nor closes: {}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}
