//! Ten thousand event streams, the limits on connections, and a stop beside idle connections.

use std::time::Duration;

use api::SearchAnswer;
use serde_json::json;
use tests::eventually;
use tests::server_process::{Installation, ServerProcess};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::{RawConnection, connections_that_fit};

const STREAMS: usize = 10_000;
/// Opened in parallel: fewer than the kernel's accept queue holds.
const AT_A_TIME: usize = 256;
/// Searches while the streams are open. Each wakes every stream.
const SEARCHES: usize = 20;
/// For a debug build, whose futures are larger. The measured value was about half.
const MOST_KIB_A_STREAM: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn searches_are_answered_beside_ten_thousand_event_streams() {
    let count = connections_that_fit(STREAMS);
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let mut admin = server.client();
    admin.set_up(&server.setup_token().await, "ada", "correct horse battery staple").await;
    let followed = search(&server, "followed").await;

    let before_kib = server.resident_kib();
    let streams = follow(&server, &followed, count).await;
    let kib_a_stream = server.resident_kib().saturating_sub(before_kib) / count as u64;
    println!("{count} event streams: {kib_a_stream} KiB each");
    assert!(kib_a_stream <= MOST_KIB_A_STREAM, "{kib_a_stream} KiB for each event stream");
    let metrics = admin.get("/metrics").await.expect("answered").body;
    assert!(metrics.contains(&format!("\nsearch4letters_event_streams {count}\n")), "{metrics}");

    let mut longest = Duration::ZERO;
    for number in 0..SEARCHES {
        let asked = Instant::now();
        search(&server, &format!("search {number}")).await;
        longest = longest.max(asked.elapsed());
    }
    println!("a search meanwhile took at most {longest:?}");
    let jobs = admin.post_json("/api/admin/jobs/cancel", &json!({"id": 1})).await.expect("answered");
    assert_eq!(jobs.status, 200, "{}", jobs.body);
    let told = streams.into_iter().map(async |mut stream| stream.read_until(r#""state":"cancelled""#).await);
    futures::future::join_all(told).await;
    assert!(!server.output().contains("ERROR"), "{}", server.output());
}

async fn search(server: &ServerProcess, phrase: &str) -> SearchAnswer {
    let answer = server.client().post_form("/api/search", &[("phrase", phrase)]).await.expect("answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Opens event streams and waits for the first event of each.
async fn follow(server: &ServerProcess, search: &SearchAnswer, count: usize) -> Vec<RawConnection> {
    let path = format!("/api/receipts/{}/events", search.receipt.0);
    let turns = Semaphore::new(AT_A_TIME);
    let openings = (0..count).map(|_| async {
        let _turn = turns.acquire().await.expect("never closed");
        let mut stream = RawConnection::connect(server).await;
        assert!(stream.get(&path).await);
        stream.read_until("\"state\":\"waiting\"").await;
        stream
    });
    futures::future::join_all(openings).await
}

/// Below the server's limits for responses that are being sent, and for request heads.
const TIMEOUT: Duration = Duration::from_secs(9);

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_connections_wait_for_one_to_end() {
    let installation = Installation::new();
    let server = installation.start(&["--connections", "20"]).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut connection = RawConnection::connect(&server).await;
        assert!(connection.get("/healthz").await);
        connection.read_until("ok\n").await;
        open.push(connection);
    }
    let mut waiting = RawConnection::connect(&server).await;
    assert!(waiting.get("/healthz").await);
    for connection in &mut open {
        assert!(connection.get("/healthz").await);
        connection.read_until("ok\n").await;
    }
    assert!(waiting.is_silent(), "a connection beyond the limit was served");
    drop(open.pop());
    waiting.read_until("ok\n").await;
    let warnings = server.output().matches("all connections are in use").count();
    assert_eq!(warnings, 1, "{}", server.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_event_streams_are_refused_until_one_ends() {
    let installation = Installation::new();
    let server = installation.start(&["--event-streams", "2", "--no-worker"]).await;
    let client = server.client();
    let answer = client.post_form("/api/search", &[("phrase", "followed")]).await.expect("answered");
    let path = format!("/api/receipts/{}/events", answer.json::<api::SearchAnswer>().receipt.0);
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut connection = RawConnection::connect(&server).await;
        assert!(connection.get(&path).await);
        connection.read_until("waiting").await;
        open.push(connection);
    }
    let refused = client.get(&path).await.expect("answered");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json::<api::ApiError>().code, api::ErrorCode::Unavailable);
    drop(open.pop());
    eventually("a stream is accepted again", async || {
        let mut connection = RawConnection::connect(&server).await;
        assert!(connection.get(&path).await);
        connection.read_until("\r\n").await.starts_with("HTTP/1.1 200 ").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_free_file_the_server_accepts_again_once_there_is_one() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    server.limit_open_files(48);
    let mut waiting = Vec::new();
    for _ in 0..60 {
        let mut connection = RawConnection::connect(&server).await;
        assert!(connection.get("/healthz").await);
        waiting.push(connection);
    }
    eventually("a connection cannot be accepted", async || {
        server.output().contains("no connection can be accepted").then_some(())
    })
    .await;
    let mut last = waiting.split_off(50);
    drop(waiting);
    for connection in &mut last {
        connection.read_until("ok\n").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_never_finished_does_not_delay_the_stop() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let mut silent = Vec::new();
    for begin in
        ["", "P", "GET /healthz HTTP/1.1\r\nhost", "PRI * HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut connection = RawConnection::connect(&server).await;
        assert!(connection.send(begin).await);
        silent.push(connection);
        let mut connection = RawConnection::connect(&server).await;
        assert!(connection.get("/healthz").await);
        connection.read_until("ok\n").await;
        assert!(connection.send(begin).await);
        silent.push(connection);
    }
    let ended = server.terminate(TIMEOUT).await;
    assert!(ended.success(), "{ended:?}");
    for mut connection in silent {
        connection.read_to_end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_end_complete_when_the_server_stops() {
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let answer = server.client().post_form("/api/search", &[("phrase", "followed")]).await.expect("answered");
    let mut connection = RawConnection::connect(&server).await;
    assert!(connection.get(&format!("/api/receipts/{}/events", answer.json::<api::SearchAnswer>().receipt.0)).await);
    connection.read_until("waiting").await;
    assert!(server.terminate(TIMEOUT).await.success());
    let end = connection.read_to_end().await;
    assert!(end.ends_with("0\r\n\r\n"), "the last chunk says that nothing is missing: {end:?}");
}
