//! The live log on one process, of rows that others write.

use std::time::Duration;

use super::reader::Reader;
use super::site::{Site, WEB};
use crate::extent::by_extent;
use crate::journal::Journal;
use crate::verdict::administrator;

/// Rows have their numbers, and then it takes a while until they are committed: a chance for others to overtake.
const LATE: &str = "create function late() returns trigger language plpgsql as
     $$ begin perform pg_sleep(random() * 0.05); return null; end $$;
     create trigger late after insert on log for each statement execute function late()";
/// Within this a row is to be seen everywhere.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_process_come_within_a_second() {
    let site = Site::new().await;
    let journal = Journal::default();
    let (at_web, at_other_web, at_worker) = (site.place(), site.place(), site.place());
    let _web = at_web.start(WEB).await;
    let other_web = at_other_web.start(WEB).await;
    let _worker = at_worker.start_worker(&[]).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let mut took = Vec::new();
    for _ in 0..21 {
        assert!(journal.search(&other_web.client()).await.is_some());
        let answered = tokio::time::Instant::now();
        let phrases = journal.phrases();
        let (_, phrase) = phrases.last_key_value().expect("it was asked");
        took.push(reader.comes(phrase).await.saturating_duration_since(answered));
    }
    took.sort();
    println!("from the answer to the row on another process: {:?}, at most {:?}", took[10], took[20]);
    // A busy machine may make one of them late.
    assert!(took[10] < SOON, "{took:?}");
    site.assert_whole(&at_web, &journal).await;
    reader.has_read_all(&mut site.tables().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_misses_a_row_that_is_committed_late_or_sees_one_twice() {
    let site = Site::new().await;
    let journal = Journal::default();
    let places = [site.place(), site.place(), site.place(), site.place()];
    let webs = [places[0].start(WEB).await, places[1].start(WEB).await];
    let _workers = [places[2].start_worker(&[]).await, places[3].start_worker(&[]).await];
    let mut tables = site.tables().await;
    tables.run(LATE).await;
    let administrator = administrator(&places[0]).await;
    let readers: Vec<_> = (0..4).map(|_| Reader::begin(&administrator)).collect();
    let mut loads = webs.each_ref().map(|web| journal.load(&web.client(), 8));
    for load in &mut loads {
        load.answered(by_extent(500, 20_000)).await;
    }
    for load in loads {
        load.stop().await;
    }
    site.assert_whole(&places[0], &journal).await;
    let workers = "select count(distinct worker) from attempt where outcome = 'done'";
    assert_eq!(tables.number(workers).await, 2, "only one worker has written");
    for reader in &readers {
        reader.has_read_all(&mut tables).await;
    }
}
