//! A network between the processes and their database that is cut, with and without anybody being told.

use std::time::Duration;

use api::{FaultKind, Recorded};
use tests::server_process::Installation;
use tokio::time::sleep;

use super::proxy::{Network, Proxy};
use super::reader::Reader;
use super::site::{Site, WEB};
use crate::extent::by_extent;
use crate::journal::Journal;
use crate::verdict::{administrator, ready, unready};
use crate::yardstick::Yardstick;

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_says_nothing_keeps_nobody_waiting_and_loses_nothing() {
    // Longer than a statement may take.
    is_cut(Network::Silent, Duration::from_secs(by_extent(12, 60))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_ends_every_connection_loses_nothing() {
    is_cut(Network::Closed, Duration::from_secs(by_extent(3, 60))).await;
}

async fn is_cut(how: Network, length: Duration) {
    let site = Site::new().await;
    let proxy = Proxy::to(site.cluster().port()).await;
    let place = || Installation::new().with_database(&site.url_at(proxy.port()));
    let (at_web, at_worker) = (place(), place());
    let journal = Journal::default();
    let web = at_web.start(WEB).await;
    let client = web.client();
    let mut worker = at_worker.start_worker(&["--log-delay", "50ms"]).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let yardstick = Yardstick::hold_to(&at_web);
    let mut load = journal.load(&client, 2);
    load.answered(100).await;
    proxy.becomes(how);
    journal.counts_more(Recorded::Spooled, 20).await;
    // So that the spool has room for all that comes in so long a time.
    load.stop().await;
    unready(&client, FaultKind::ConnectionError).await;
    sleep(length).await;
    assert_eq!(journal.search(&client).await, Some(Recorded::Spooled));
    yardstick.assert_nobody_waited(&journal);

    proxy.becomes(Network::Whole);
    ready(&client).await;
    assert_eq!(journal.search(&client).await, Some(Recorded::Accepted));
    assert_eq!(journal.count(Recorded::NotRecorded), 0);
    worker.assert_running();
    site.assert_whole(&at_web, &journal).await;
    reader.has_read_all(&mut site.tables().await).await;
}
