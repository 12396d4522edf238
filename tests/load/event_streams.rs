//! Ten thousand event streams.

use std::time::Duration;

use api::SearchAnswer;
use serde_json::json;
use tests::server_process::{Installation, ServerProcess};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::open_files::connections_that_fit;
use crate::wire::Wire;

const STREAMS: usize = 10_000;
/// So many are opened side by side: fewer than the kernel lets wait to be accepted.
const AT_A_TIME: usize = 256;
/// Searches while the streams are open. Each wakes every stream.
const SEARCHES: usize = 20;
/// In a debug build, whose futures are larger; measured are about half of it.
const MOST_KIB_A_STREAM: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_follow_and_searches_are_answered() {
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

/// Opens event streams, each of which has said the first state when this returns.
async fn follow(server: &ServerProcess, search: &SearchAnswer, count: usize) -> Vec<Wire> {
    let path = format!("/api/receipts/{}/events", search.receipt.0);
    let turns = Semaphore::new(AT_A_TIME);
    let openings = (0..count).map(|_| async {
        let _turn = turns.acquire().await.expect("never closed");
        let mut stream = Wire::connect(server).await;
        assert!(stream.get(&path).await);
        stream.read_until("\"state\":\"waiting\"").await;
        stream
    });
    futures::future::join_all(openings).await
}
