//! How many may be there, and that a stop waits for none that ask nothing.

use std::time::Duration;

use tests::eventually;
use tests::server_process::Installation;

use crate::wire::Wire;

/// Below the time that answers which are being sent get, and that heads get.
const PATIENCE: Duration = Duration::from_secs(9);

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_connections_wait_for_one_to_end() {
    let installation = Installation::new();
    let server = installation.start(&["--connections", "20"]).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut wire = Wire::connect(&server).await;
        assert!(wire.get("/healthz").await);
        wire.read_until("ok\n").await;
        open.push(wire);
    }
    let mut waiting = Wire::connect(&server).await;
    assert!(waiting.get("/healthz").await);
    for wire in &mut open {
        assert!(wire.get("/healthz").await);
        wire.read_until("ok\n").await;
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
        let mut wire = Wire::connect(&server).await;
        assert!(wire.get(&path).await);
        wire.read_until("waiting").await;
        open.push(wire);
    }
    let refused = client.get(&path).await.expect("answered");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json::<api::ApiError>().code, api::ErrorCode::Unavailable);
    drop(open.pop());
    eventually("there is a place again", async || {
        let mut wire = Wire::connect(&server).await;
        assert!(wire.get(&path).await);
        wire.read_until("\r\n").await.starts_with("HTTP/1.1 200 ").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_for_another_connection_the_server_goes_on_as_soon_as_there_is_one() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    server.limit_open_files(40);
    let mut waiting = Vec::new();
    for _ in 0..60 {
        let mut wire = Wire::connect(&server).await;
        assert!(wire.get("/healthz").await);
        waiting.push(wire);
    }
    eventually("a connection cannot be accepted", async || {
        server.output().contains("no connection can be accepted").then_some(())
    })
    .await;
    let mut last = waiting.split_off(50);
    drop(waiting);
    for wire in &mut last {
        wire.read_until("ok\n").await;
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
        let mut wire = Wire::connect(&server).await;
        assert!(wire.send(begin).await);
        silent.push(wire);
        let mut wire = Wire::connect(&server).await;
        assert!(wire.get("/healthz").await);
        wire.read_until("ok\n").await;
        assert!(wire.send(begin).await);
        silent.push(wire);
    }
    let ended = server.terminate(PATIENCE).await;
    assert!(ended.success(), "{ended:?}");
    for mut wire in silent {
        wire.read_to_end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_end_whole_when_the_server_stops() {
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let answer = server.client().post_form("/api/search", &[("phrase", "followed")]).await.expect("answered");
    let mut wire = Wire::connect(&server).await;
    assert!(wire.get(&format!("/api/receipts/{}/events", answer.json::<api::SearchAnswer>().receipt.0)).await);
    wire.read_until("waiting").await;
    assert!(server.terminate(PATIENCE).await.success());
    let end = wire.read_to_end().await;
    assert!(end.ends_with("0\r\n\r\n"), "the last chunk says that nothing is missing: {end:?}");
}
