//! A database whose file goes away under a running server, and comes back.

use std::fs;
use std::time::Duration;

use api::{FaultKind, Recorded};
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::verdict::{assert_whole, ready, unready};
use crate::yardstick::Yardstick;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_moved_away_is_missed_and_taken_up_again() {
    away_for_a_while(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_put_in_its_place_is_not_touched() {
    let other = Installation::new();
    assert!(other.start(&[]).await.terminate(Duration::from_secs(20)).await.success());
    away_for_a_while(Some(&fs::read(other.database()).expect("the server has made it"))).await;
}

async fn away_for_a_while(instead: Option<&[u8]>) {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let yardstick = Yardstick::hold_to(&installation);
    let client = server.client();
    let mut load = journal.load(&client, 4);
    for _ in 0..2 {
        load.answered_more(50).await;
        let (place, aside) = (installation.database(), installation.folder().join("moved away"));
        fs::rename(&place, &aside).expect("the folder is ours");
        if let Some(instead) = instead {
            fs::write(&place, instead).expect("the folder is ours");
        }
        journal.counts_more(Recorded::Spooled, 20).await;
        unready(&client, FaultKind::ConnectionError).await;
        assert_eq!(fs::read(&place).ok().as_deref(), instead, "the server has written in its place");
        fs::rename(&aside, &place).expect("the folder is ours");
        ready(&client).await;
    }
    load.stop().await;
    yardstick.assert_nobody_waited(&journal);
    assert_eq!(journal.count(Recorded::NotRecorded), 0);
    assert_whole(&installation, &journal).await;
}
