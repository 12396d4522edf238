//! A process that stands still for longer than its leases last, as on a machine that is suspended.

use tests::eventually;
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;
use crate::verdict::assert_whole;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_frozen_past_its_leases_goes_on_where_it_was() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&["--log-delay", "3s", "--workers", "20"]).await;
    for _ in 0..60 {
        assert!(journal.search(&server.client()).await.is_some());
    }
    let mut tables = Tables::open(&installation.database()).await;
    let running = "select count(*) from job where state = 'running'";
    eventually("jobs run", async || (tables.number(running).await == 20).then_some(())).await;
    server.freeze();
    let valid = "select count(*) from job where lease_until_ms > unixepoch('now', 'subsec') * 1000";
    eventually("every lease is over", async || (tables.number(valid).await == 0).then_some(())).await;
    assert_eq!(tables.number(running).await, 20, "the frozen server holds them still");
    server.thaw();
    assert_whole(&installation, &journal).await;
    assert!(journal.search(&server.client()).await.is_some());
    assert_whole(&installation, &journal).await;
}
