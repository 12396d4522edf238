//! Connections that are all in use: the server's, and a process's own.

use std::time::Duration;

use api::{FaultKind, Recorded};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::site::{Site, WEB};
use crate::journal::Journal;
use crate::verdict::{administrator, ready, unready};
use crate::yardstick::Yardstick;

/// A read waits for a connection, and then for an answer.
const SAYS_SO_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_free_connection_is_said_to_be_and_loses_nothing() {
    let site = Site::alone(&[("max_connections", "20")]).await;
    let journal = Journal::default();
    let (at_web, at_worker) = (site.place(), site.place());
    let web = at_web.start(WEB).await;
    let client = web.client();
    let mut worker = at_worker.start_worker(&[]).await;
    let yardstick = Yardstick::hold_to(&at_web);
    let mut load = journal.load(&client, 4);
    load.answered(100).await;
    let mut held = Vec::new();
    // Whatever the processes have, they lose, and somebody else has it at once.
    while journal.count(Recorded::Spooled) < 20 {
        site.database().terminate_backends().await;
        held = Vec::new();
        while let Ok(connection) = PgConnection::connect(&site.url()).await {
            held.push(connection);
        }
        load.answered_more(20).await;
    }
    unready(&client, FaultKind::ConnectionError).await;
    load.answered_more(20).await;
    println!("{} connections were held", held.len());
    drop(held);
    ready(&client).await;
    journal.counts_more(Recorded::Accepted, 20).await;
    load.stop().await;
    yardstick.assert_nobody_waited(&journal);
    assert_eq!(journal.count(Recorded::NotRecorded), 0);
    worker.assert_running();
    site.assert_whole(&at_web, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_connections_are_all_in_use_says_so_and_never_hangs() {
    let site = Site::new().await;
    let journal = Journal::default();
    let at_both = site.place();
    let server = at_both.start(&["--database-connections", "2"]).await;
    let client = server.client();
    let administrator = administrator(&at_both).await;
    let yardstick = Yardstick::hold_to(&at_both);
    let mut load = journal.load(&client, 4);
    load.answered(100).await;
    let mut other = site.tables().await;
    other.run("begin; lock table job in access exclusive mode").await;
    journal.counts_more(Recorded::Spooled, 20).await;
    load.stop().await;
    let nothing = serde_json::json!({});
    let read = administrator.post_json("/api/admin/jobs/counts", &nothing);
    let answer = timeout(SAYS_SO_WITHIN, read).await.expect("it is answered").expect("with an answer");
    assert_eq!(answer.status, 503, "{}", answer.body);
    unready(&client, FaultKind::ConnectionError).await;
    yardstick.assert_nobody_waited(&journal);

    other.run("rollback").await;
    ready(&client).await;
    assert_eq!(journal.search(&client).await, Some(Recorded::Accepted));
    assert_eq!(journal.count(Recorded::NotRecorded), 0);
    site.assert_whole(&at_both, &journal).await;
}
