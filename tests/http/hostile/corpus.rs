//! Each string of the corpus comes back unchanged and has no effect, wherever it is sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use api::{ErrorCode, JobDetail, JobState, JobsPage, LogFilter, LogRow, ReceiptState, SearchAnswer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tests::corpus::{Hostile, corpus};
use tests::eventually;
use tests::server_process::{Installation, ServerProcess};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::request::Events;
use crate::test_server::TestServer;

/// The number of characters of a phrase in the list of jobs.
const ABOUT: usize = 80;

/// A server with a search for each string of the corpus, as phrase, letters and User-Agent.
pub(crate) async fn searched() -> (TestServer, String, Vec<SearchAnswer>) {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut answers = Vec::new();
    for hostile in corpus() {
        let mut request = server.post_form("/api/search", hostile.form());
        if let Some(header) = hostile.header() {
            request = request.header("user-agent", header);
        }
        let answer: SearchAnswer = request.send().await.ok();
        assert_eq!((&answer.phrase, &answer.letters), (&hostile.text, &hostile.letters()), "{}", hostile.name);
        answers.push(answer);
    }
    server.log_with_rows(corpus().len()).await;
    (server, admin, answers)
}

/// Panics unless `rows` holds each search exactly as it was sent.
pub(crate) fn assert_as_sent(rows: Vec<LogRow>, answers: &[SearchAnswer]) {
    assert_eq!(rows.len(), corpus().len(), "no string has become two rows, or none");
    let by_search: BTreeMap<_, _> = rows.into_iter().map(|row| (row.search_id, row)).collect();
    for (hostile, answer) in corpus().iter().zip(answers) {
        let Hostile { name, text } = hostile;
        let row = &by_search[&answer.id];
        assert_eq!((&row.phrase, &row.letters, &row.results), (text, &hostile.letters(), &answer.text), "{name}");
        let user_agent = hostile.header().map(|_| text.chars().take(1_000).collect::<String>());
        assert_eq!(row.user_agent, user_agent.unwrap_or_default(), "{name}");
        assert!(!row.results.contains(char::is_control), "{name}: {:?}", row.results);
    }
}

#[tokio::test]
async fn it_is_logged_exported_and_streamed_unchanged() {
    let (server, admin, answers) = searched().await;
    assert_as_sent(server.log().await, &answers);

    let export = server.get("/api/admin/log/rows").cookie(&admin).send().await;
    assert_inert(&export.text());
    assert_as_sent(export.lines(), &answers);

    let (_, _, body) = server.get("/api/admin/log/events?after=0").cookie(&admin).open().await;
    let mut events = Events::of(body);
    let mut rows = Vec::new();
    while rows.len() < corpus().len() {
        let event = events.expect("row").await;
        assert_inert(&event.data);
        rows.push(event.json());
    }
    events.expect("through").await;
    assert_as_sent(rows, &answers);
}

/// Panics if the text has control characters or could reorder text in a terminal.
pub(crate) fn assert_inert(text: &str) {
    let acts =
        |&c: &char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert_eq!(text.chars().find(acts), None);
}

#[tokio::test]
async fn its_receipt_and_its_job_are_like_any_other() {
    let (server, admin, answers) = searched().await;
    let mut listed = BTreeMap::new();
    let mut before = None;
    loop {
        let body = json!({"q": "", "before": before});
        let page: JobsPage = server.post_json("/api/admin/jobs/list", &body).cookie(&admin).send().await.ok();
        listed.extend(page.jobs.into_iter().map(|job| (job.id, job)));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let rows: BTreeMap<_, _> = server.log().await.into_iter().map(|row| (row.search_id, row)).collect();
    for (Hostile { name, text }, answer) in corpus().iter().zip(&answers) {
        let row = &rows[&answer.id];
        let receipt = format!("/api/receipts/{}", answer.receipt.0);
        // The row is written a moment before its job is done.
        let receipt: ReceiptState = tests::eventually("the job is done", async || {
            Some(server.get(&receipt).send().await.ok::<ReceiptState>()).filter(|state| state.state.is_final())
        })
        .await;
        assert_eq!((receipt.state, receipt.row), (JobState::Done, Some(row.seq)), "{name}");

        let about = &listed[&row.job_id].about;
        let start: String = text.chars().take(ABOUT).collect();
        assert_eq!(about.strip_suffix('…').unwrap_or(about), start, "{name}");

        let body = json!({"id": row.job_id});
        let job: JobDetail = server.post_json("/api/admin/jobs/show", &body).cookie(&admin).send().await.ok();
        let payload: Value = serde_json::from_str(&job.payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((payload["phrase"].as_str(), job.log_row), (Some(text.as_str()), Some(row.seq)), "{name}");
    }
}

#[tokio::test]
async fn as_a_filter_it_finds_its_own_row() {
    let (server, admin, answers) = searched().await;
    // Longer strings would exceed the limit on addresses.
    for (Hostile { name, text }, answer) in
        corpus().iter().zip(&answers).filter(|(hostile, _)| hostile.text.len() < 1_000)
    {
        // `LogFilter::anywhere` quotes the text, so nothing in it has a meaning.
        let filter = LogFilter::anywhere(text).to_string();
        let path = format!("/api/admin/log/rows?q={}", utf8_percent_encode(&filter, NON_ALPHANUMERIC));
        let answer_text = server.get(&path).cookie(&admin).send().await.text();
        let lines = answer_text.split_terminator('\n');
        // The last line is the progress of the scan.
        let found: Vec<LogRow> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert!(found.iter().any(|row| row.search_id == answer.id), "{name}");
        let contains = |row: &LogRow| {
            let columns = [&row.phrase, &row.letters, &row.results, &row.ip, &row.browser_family, &row.user_agent];
            columns.iter().any(|column| column.to_ascii_lowercase().contains(&text.to_ascii_lowercase()))
        };
        assert!(found.iter().all(contains), "{name} is a text and no pattern");
    }
}

#[tokio::test]
async fn it_is_refused_where_it_is_not_valid() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for hostile in corpus() {
        let text = &hostile.text;
        let short: String = text.chars().take(500).collect();
        let short = utf8_percent_encode(&short, NON_ALPHANUMERIC).to_string();
        let requests = [
            server.post_json("/api/login", &json!({"name": text, "password": text})),
            server.post_json("/api/setup", &json!({"token": text, "name": text, "password": text})),
            server.post_json("/api/admin/jobs/show", &json!({"id": text})).cookie(&admin),
            server
                .post_json("/api/admin/jobs/list", &json!({"q": format!("state:{text}"), "before": null}))
                .cookie(&admin),
            server.post_form("/api/search", format!("phrase=a&id={}", tests::corpus::minimally_encoded(text))),
            server.get(&format!("/api/receipts/x{short}")),
            server.get(&format!("/api/nothing/{short}")),
            server.get(&format!("/api/admin/log/rows?before=x{short}")).cookie(&admin),
        ];
        for request in requests {
            let path = request.path().to_owned();
            let answer = request.send().await;
            assert!(!answer.status.is_success(), "{} at {path}", hostile.name);
            answer.assert_well_formed();
        }
        if let Some(header) = hostile.header() {
            let cookie = [server.cookie_name().as_bytes(), b"=", header.as_bytes()].concat();
            let refused = server.get("/api/admin/log/rows").header("cookie", cookie).send().await;
            refused.refused(401, ErrorCode::SignedOut, None);
        }
    }
    assert_eq!(server.log().await, []);
}

/// Far longer than any response takes, so that a busy machine does not fail a test.
const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_output_stays_one_line_and_is_inert() {
    let installation = Installation::new().with_variable("RUST_LOG", "trace");
    let server = installation.start(&["--trusted-proxy", "127.0.0.0/8"]).await;
    for (number, hostile) in corpus().iter().enumerate() {
        fail_to_log_in(&server, number, hostile).await;
        send_bytes(&server, &[b"GET /", hostile.text.as_bytes(), b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"])
            .await;
        send_bytes(&server, &in_headers(hostile)).await;
    }
    // A search prints no line, but a store that rejects it does.
    let mut database = SqliteConnection::connect(&format!("sqlite:{}", installation.database().display()))
        .await
        .expect("the file opens");
    sqlx::query("alter table job rename to broken_job").execute(&mut database).await.expect("the table is renamed");
    for hostile in corpus().iter().take(5) {
        send_bytes(&server, &post("/api/search", "application/x-www-form-urlencoded", "", &hostile.form())).await;
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

/// Each login comes from its own address, because the rate limit refuses further logins from one address without
/// logging them.
async fn fail_to_log_in(server: &ServerProcess, number: usize, hostile: &Hostile) {
    let credentials = json!({"name": hostile.text, "password": "guess"}).to_string();
    let address = format!("x-forwarded-for: 198.51.{}.{}\r\n", number / 250, number % 250 + 1);
    let answer = send_bytes(server, &post("/api/login", "application/json", &address, &credentials)).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{}: {answer}", hostile.name);
}

fn post(path: &str, content_type: &str, headers: &str, body: &str) -> [Vec<u8>; 1] {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}");
    let _ = write!(request, "content-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    [request.into_bytes()]
}

/// The raw string in every header that the server reads. A line break in it starts a new header.
fn in_headers(hostile: &Hostile) -> [Vec<u8>; 1] {
    let mut request = b"GET /api/admin/log/rows HTTP/1.1\r\nhost: x\r\nconnection: close".to_vec();
    for name in ["user-agent", "cookie", "x-forwarded-for", "origin", "referer", "last-event-id", "if-none-match"] {
        request.extend_from_slice(format!("\r\n{name}: ").as_bytes());
        request.extend_from_slice(hostile.text.get(..2_000).unwrap_or(&hostile.text).as_bytes());
    }
    request.extend_from_slice(b"\r\n\r\n");
    [request]
}

/// Sends these bytes, and returns what the server sends until it closes the connection.
async fn send_bytes(server: &ServerProcess, request: &[impl AsRef<[u8]>]) -> String {
    let address = server.url().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("the server listens");
    for part in request {
        // If the server has already closed the connection, the response shows why.
        let _ = connection.write_all(part.as_ref()).await;
    }
    let mut answer = Vec::new();
    let read = timeout(TIMEOUT, connection.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server neither answers to the end nor closes: {}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}
