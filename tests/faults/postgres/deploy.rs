//! Processes of several versions on one database, and several that begin on it at once.

use super::site::{Site, WEB};
use crate::journal::Journal;
use crate::used::refused;

/// As a later version's migration leaves it.
const NEWER: &str = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
     values (9999, 'of the future', true, '\\x00', 0)";

#[tokio::test(flavor = "multi_thread")]
async fn a_process_goes_on_and_starts_beside_a_newer_version_unless_that_rules_it_out() {
    let site = Site::new().await;
    let journal = Journal::default();
    let places = [site.place(), site.place(), site.place()];
    let web = places[0].start(WEB).await;
    let mut worker = places[1].start_worker(&[]).await;
    let mut load = journal.load(&web.client(), 2);
    load.answered(50).await;
    let mut tables = site.tables().await;
    tables.run(NEWER).await;
    load.answered_more(50).await;
    let another = places[2].start(&[]).await;
    assert!(journal.search(&another.client()).await.is_some());
    another.kill().await;

    tables.run("update compatibility set oldest_schema = 9999").await;
    for command in ["serve", "work", "migrate"] {
        refused(&places[2], &[command], "was written by a newer version (schema 9999", "Install that version").await;
    }
    // Who is at work already is left to whoever deploys.
    load.answered_more(50).await;
    worker.assert_running();
    load.stop().await;
    tables.run("update compatibility set oldest_schema = 1").await;
    site.assert_whole(&places[0], &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_begin_at_once_on_an_empty_database_one_migrates_and_all_work() {
    let site = Site::new().await;
    let journal = Journal::default();
    let places: Vec<_> = (0..5).map(|_| site.place()).collect();
    let mut processes: Vec<_> = places.iter().take(3).map(|place| place.launch(&[])).collect();
    let mut workers: Vec<_> = places.iter().skip(3).map(|place| place.launch(&["work"])).collect();
    for process in &mut processes {
        process.ready().await;
    }
    for worker in &mut workers {
        worker.prints("running jobs as ").await;
    }
    for process in &processes {
        assert!(journal.search(&process.client()).await.is_some());
    }
    site.assert_whole(&places[0], &journal).await;
    // Each takes all receipts for its own: there is one key.
    for receipt in journal.receipts(api::Recorded::Accepted) {
        for process in &processes {
            let answer = process.client().get(&format!("/api/receipts/{}", receipt.0)).await.expect("it answers");
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }
}
