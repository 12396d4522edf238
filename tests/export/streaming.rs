//! An incomplete export is recognisable, and a slow reader costs no memory.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tests::eventually;
use tests::exported::rows_of_ndjson;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::ExportSource;

/// Enough rows that the export is still running when it is stopped.
const INTERRUPTED_ROWS: u128 = 60_000;

/// Corrupts rows, so that exports fail.
async fn break_rows_behind(file: &std::path::Path, id: u32) {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.expect("the database");
    let broken = format!("update log set search_id = 'broken' || id where id > {id}");
    sqlx::query(AssertSqlSafe(broken)).execute(&mut connection).await.expect("rows are changed by hand");
}

#[tokio::test]
async fn a_corrupt_row_leaves_no_file() {
    let source = ExportSource::sqlite().await;
    source.record_many(4_000).await;
    break_rows_behind(&source.installation.database(), 3_000).await;
    for format in ["ndjson", "csv", "sqlite"] {
        let file = source.path(&format!("log.{format}"));
        let arguments = ["export", "--format", format, "--output", file.to_str().expect("a plain path")];
        let ended = source.spawn(&arguments).wait_with_output().await.expect("our own child");
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && complaint.contains("search id"), "{complaint}");
        assert!(!file.exists() && source.parts().is_empty(), "{format}");
    }
}

#[tokio::test]
async fn a_killed_export_leaves_no_file_and_the_next_one_is_complete() {
    let source = ExportSource::sqlite().await;
    source.record_many(INTERRUPTED_ROWS).await;
    let file = source.path("log.sqlite");
    let arguments = ["export", "--format", "sqlite", "--output", file.to_str().expect("a plain path")];
    let mut export = source.spawn(&arguments);
    eventually("some of it is written", async || {
        let sizes = source.parts().into_iter().filter_map(|part| std::fs::metadata(part).ok());
        sizes.map(|part| part.len()).max().filter(|&bytes| bytes > 100_000).map(drop)
    })
    .await;
    export.kill().await.expect("our own child");
    assert!(!file.exists(), "an incomplete file has the name of a complete one");
    source.prints(&arguments).await;
    assert!(file.exists());
}

/// A server with that many rows, and an administrator's client.
async fn serving(rows: u128) -> (ServerProcess, HttpClient, ExportSource) {
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let mut admin = server.client();
    admin.set_up(&server.setup_token().await, "ada", "correct horse battery staple").await;
    let source = ExportSource::beside(installation).await;
    source.record_many(rows).await;
    (server, admin, source)
}

/// Asks for the export over HTTP/1.0, where a response ends with its connection, and reads its head and some rows.
async fn begun(server: &ServerProcess, admin: &HttpClient) -> TcpStream {
    let address = server.url().trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("the socket accepts the option");
    let mut wire = socket.connect(address).await.expect("the server listens");
    let cookie = admin.cookie().expect("logged in");
    let request = format!("GET /api/admin/log/export HTTP/1.0\r\ncookie: {cookie}\r\n\r\n");
    wire.write_all(request.as_bytes()).await.expect("sent");
    let mut begin = [0; 1_000];
    wire.read_exact(&mut begin).await.expect("some rows");
    assert!(begin.starts_with(b"HTTP/1.0 200 "), "{}", String::from_utf8_lossy(&begin));
    wire
}

#[tokio::test]
async fn a_cut_response_is_reset_also_where_its_end_is_that_of_the_connection() {
    let (server, admin, source) = serving(INTERRUPTED_ROWS).await;

    let mut whole = String::new();
    begun(&server, &admin).await.read_to_string(&mut whole).await.expect("a whole response ends in order");
    let manifest = whole.lines().last().expect("a last line");
    assert!(manifest.contains(r#"{"manifest":{"complete":true,"#), "{manifest}");

    let mut killed = begun(&server, &admin).await;
    break_rows_behind(&source.installation.database(), 50_000).await;
    let mut broken = begun(&server, &admin).await;
    let reset = broken.read_to_end(&mut Vec::new()).await.expect_err("a failed read cuts the response");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    server.kill().await;
    let reset = killed.read_to_end(&mut Vec::new()).await.expect_err("so does the end of the process");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_corrupt_row_breaks_the_response() {
    let (_server, admin, source) = serving(INTERRUPTED_ROWS).await;
    let whole = admin.get("/api/admin/log/export").await.expect("answered");
    assert_eq!(rows_of_ndjson(&whole.body).len() as u128, INTERRUPTED_ROWS);
    break_rows_behind(&source.installation.database(), 50_000).await;
    let broken = timeout(Duration::from_secs(60), admin.get("/api/admin/log/export")).await.expect("in time");
    assert!(broken.is_err(), "an incomplete response looks complete");
}

const SLOW_ROWS: u128 = 100_000;
/// Some blocks for each of two exports, and a margin for the debug build and the allocator. The rows take 40 MiB.
const MOST_KIB: u64 = 32 * 1024;

#[tokio::test]
async fn an_export_that_is_not_read_holds_a_few_blocks() {
    let (server, admin, _source) = serving(SLOW_ROWS).await;
    // The first export allocates memory that is kept.
    let whole = admin.get("/api/admin/log/export?upto=5000").await.expect("answered").body;
    assert_eq!(rows_of_ndjson(&whole).len(), 5_000);

    let before_kib = server.resident_kib();
    let address = server.url().trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("the socket accepts the option");
    let mut wire = socket.connect(address).await.expect("the server listens");
    let cookie = admin.cookie().expect("logged in").to_owned();
    let request =
        format!("GET /api/admin/log/export HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
    wire.write_all(request.as_bytes()).await.expect("sent");
    // A second export runs to its end meanwhile, so the server had time to read the first one completely.
    let meanwhile = admin.get("/api/admin/log/export").await.expect("answered").body;
    assert_eq!(rows_of_ndjson(&meanwhile).len() as u128, SLOW_ROWS);
    let grown_kib = server.resident_kib().saturating_sub(before_kib);
    println!("{grown_kib} KiB more");
    assert!(grown_kib <= MOST_KIB, "{grown_kib} KiB more with an export that is not read");

    let mut rest = String::new();
    wire.read_to_string(&mut rest).await.expect("the rest is sent, and complete");
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "the response ends");
}
