//! The link that makes the first administrator, and a database that does not take it.

use std::time::Duration;

use api::Recorded;
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;
use crate::verdict::assert_whole;

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_link_that_cannot_be_made_yet_ends_nothing_and_is_made_later() {
    let installation = Installation::new();
    let journal = Journal::default();
    assert!(installation.start(&[]).await.terminate(Duration::from_secs(20)).await.success());
    let mut tables = Tables::open(&installation.database()).await;
    tables
        .run("create trigger no_links before insert on setup_link begin select raise(abort, 'of this test'); end")
        .await;

    let mut server = installation.start(&[]).await;
    server.prints("no link that makes an administrator could be made").await;
    for _ in 0..20 {
        assert_eq!(journal.search(&server.client()).await, Some(Recorded::Accepted));
    }
    tables.run("drop trigger no_links").await;
    let token = server.setup_token().await;
    server.client().set_up(&token, "ada", "correct horse battery staple").await;
    assert_whole(&installation, &journal).await;
}
