//! Connections that are slow on purpose. They may occupy themselves, and nobody else.

use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};
use tokio::task::JoinSet;

use crate::open_files::connections_that_fit;
use crate::wire::Wire;

const SLOW_HEADS: usize = 500;
const SLOW_BODIES: usize = 500;
const DEAF: usize = 200;
/// Far more than a connection's buffers hold.
const UNREAD_ANSWERS: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn slow_connections_hinder_nobody_and_are_ended() {
    let all = SLOW_HEADS + SLOW_BODIES + DEAF;
    assert_eq!(connections_that_fit(all), all, "even the lowest of usual limits has room for these");
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let client = server.client();
    let deaf = deaf(&server).await;
    // Idle ones have more time than slow ones: so all are there before the first begins to be slow.
    let (heads, bodies) = (idle(&server, SLOW_HEADS).await, idle(&server, SLOW_BODIES).await);
    eventually("all of them are connected", async || (connections(&client).await > all).then_some(())).await;
    let mut heads = drip(heads, "GET /healthz HTTP/1.1\r\nhost: a-name-of-many-letters-or-").await;
    let head = "POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    let mut bodies = drip(bodies, head).await;

    let answer = server.client().post_form("/api/search", &[("phrase", "meanwhile")]).await.expect("answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let ended = heads.try_join_next().or_else(|| bodies.try_join_next());
    assert!(ended.is_none(), "the search was answered only after slow ones were gone");

    for said in heads.join_all().await {
        assert_eq!(said, "", "a head that is not whole is no request");
    }
    for said in bodies.join_all().await {
        assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("The body was not there"), "{said}");
    }
    eventually("only those are left that read nothing", async || {
        (connections(&client).await <= DEAF + 1).then_some(())
    })
    .await;
    drop(deaf);
    assert!(!server.output().contains("ERROR"), "{}", server.output());
}

/// Connections that have asked once and were answered.
async fn idle(server: &ServerProcess, count: usize) -> Vec<Wire> {
    let opening = (0..count).map(|_| async {
        let mut wire = Wire::connect(server).await;
        assert!(wire.get("/healthz").await);
        wire.read_until("ok\n").await;
        wire
    });
    futures::future::join_all(opening).await
}

/// Sends `begin`, which is no whole request, and then a byte each second. Yields what each was told.
async fn drip(wires: Vec<Wire>, begin: &str) -> JoinSet<String> {
    let mut dripping = JoinSet::new();
    for mut wire in wires {
        assert!(wire.send(begin).await);
        dripping.spawn(wire.drip());
    }
    dripping
}

/// Half of them have opened an event stream, half have asked for much more than they take.
async fn deaf(server: &ServerProcess) -> JoinSet<Wire> {
    let answer = server.client().post_form("/api/search", &[("phrase", "deaf")]).await.expect("answered");
    let receipt = answer.json::<api::SearchAnswer>().receipt.0;
    let mut deaf = JoinSet::new();
    for number in 0..DEAF {
        let mut wire = Wire::connect_with_small_buffer(server).await;
        let path = format!("/api/receipts/{receipt}/events");
        deaf.spawn(async move {
            if number % 2 == 0 {
                wire.get(&path).await;
            } else {
                wire.send("GET /api/nothing HTTP/1.1\r\nhost: x\r\n\r\n".repeat(UNREAD_ANSWERS)).await;
            }
            // Never returned to whoever would read.
            std::future::pending().await
        });
    }
    deaf
}

async fn connections(client: &HttpClient) -> usize {
    let metrics = client.get("/metrics").await.expect("answered").body;
    let count = metrics.lines().find_map(|line| line.strip_prefix("search4letters_connections "));
    count.and_then(|count| count.parse().ok()).expect("the figure is there")
}
