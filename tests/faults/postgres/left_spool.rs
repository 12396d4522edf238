//! The spool of a web process that died while the database was away.

use std::fs;

use api::Recorded;

use super::site::{Site, WEB};
use crate::journal::Journal;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_process_has_left_is_replayed_from_elsewhere_once_however_often_it_is_done() {
    const LEFT: usize = 20;
    let site = Site::alone(&[]).await;
    let journal = Journal::default();
    let (lost, other, elsewhere) = (site.place(), site.place(), site.place());
    let _others = [other.start(WEB).await, site.place().start_worker(&[]).await];
    let web = lost.start(WEB).await;
    assert_eq!(journal.search(&web.client()).await, Some(Recorded::Accepted));
    site.cluster().stop_immediately().await;
    for _ in 0..LEFT {
        assert_eq!(journal.search(&web.client()).await, Some(Recorded::Spooled));
    }
    web.kill().await;
    site.cluster().start().await;

    // What an operator has saved of the machine that is lost.
    let saved = elsewhere.folder().join("saved");
    fs::create_dir(&saved).expect("the folder is ours");
    fs::copy(lost.folder().join("spool/records"), saved.join("records")).expect("copied");
    let of_lost = lost.folder().join("spool").display().to_string();
    for (spool, said) in [
        (saved.display().to_string(), "recorded: 20, already known: 0, set aside: 0, left: 0"),
        (saved.display().to_string(), "recorded: 0, already known: 0, set aside: 0, left: 0"),
        // The same records again, from where they were saved.
        (of_lost, "recorded: 0, already known: 20, set aside: 0, left: 0"),
    ] {
        let replayed = elsewhere.run(&["spool", "replay", &spool]).await;
        assert_eq!(replayed.code, Some(0), "{}", replayed.output);
        assert!(replayed.output.contains(said), "{}", replayed.output);
    }
    // Workers beside it are told, without anybody being started again.
    site.assert_whole(&other, &journal).await;
    assert_eq!(journal.promised().len(), LEFT + 1);
}
