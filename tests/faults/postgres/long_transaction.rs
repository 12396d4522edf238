//! A transaction that stays open for hours, as of a backup or of a terminal that somebody has forgotten.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use tests::eventually;
use tests::server_process::ServerProcess;
use tokio::time::{Instant, sleep};

use super::site::Site;
use crate::extent::by_extent;
use crate::journal::Journal;
use crate::table::Tables;
use crate::verdict::assert_kept;

/// What a claim reads in a database that is full of what nobody may clear away, beside one in a new database.
const MULTIPLE: i64 = 5;
/// Of which the middle one counts: now and then a claim looks from the very beginning, and the first have what was handed
/// out within the last second before them.
const CLAIMS: usize = 45;

#[tokio::test(flavor = "multi_thread")]
async fn under_a_long_transaction_claims_stay_cheap_and_counts_right() {
    let (jobs, patience) = by_extent((20_000, Duration::from_secs(90)), (500_000, Duration::from_secs(1_800)));
    let site = Site::alone(&[("shared_preload_libraries", "pg_stat_statements")]).await;
    sqlx::raw_sql("create extension pg_stat_statements").execute(&mut site.superuser().await).await.expect("it may");
    let place = site.place();
    let server = place.start(&[]).await;
    let journal = Journal::default();
    let mut tables = site.tables().await;
    let when_new = claim_reads(&mut site.superuser().await, &server, &journal, &mut tables).await;

    let mut long = site.tables().await;
    long.run("begin isolation level repeatable read").await;
    let seen = long.number("select count(*) from job").await;
    for chunk in journal.promise(jobs).chunks(5_000) {
        let chunk: Vec<_> = chunk.iter().map(|(id, phrase)| (id.to_string(), phrase.clone())).collect();
        tables.add_log_jobs(&chunk).await;
    }
    let begun = Instant::now();
    tables.settled(&journal, patience).await;
    println!("done after {:?}", begun.elapsed());
    let now = claim_reads(&mut site.superuser().await, &server, &journal, &mut tables).await;
    let lines = tables.number("select count(*) from tally").await;
    println!("a claim reads {when_new} buffers in a new database, {now} after {jobs} jobs; {lines} lines in the tally");
    assert!(now <= when_new * MULTIPLE, "a claim reads {now} buffers, {when_new} in a new database");
    assert!(lines < 20_000, "the tally has {lines} lines");
    assert_eq!(long.number("select count(*) from job").await, seen, "the transaction was not open all the time");
    assert_kept(&mut tables, &place, &journal).await;
    drop(long);
}

/// How many buffers a claim that finds a single job touches.
async fn claim_reads(
    statistics: &mut PgConnection,
    server: &ServerProcess,
    journal: &Journal,
    tables: &mut Tables,
) -> i64 {
    const READ: &str = "select ((shared_blks_hit + shared_blks_read) / calls)::bigint from pg_stat_statements
         where query like '%with urgent as materialized%' and query not like '%pg_stat_statements%'
         order by calls desc limit 1";
    const ROWS: &str = "select count(*) from log";
    let mut reads = Vec::new();
    for _ in 0..CLAIMS {
        sqlx::raw_sql("select pg_stat_statements_reset()").execute(&mut *statistics).await.expect("the superuser may");
        let rows = tables.number(ROWS).await;
        assert!(journal.search(&server.client()).await.is_some());
        eventually("its row is written", async || (tables.number(ROWS).await > rows).then_some(())).await;
        reads.push(sqlx::query_scalar(READ).fetch_one(&mut *statistics).await.expect("it has claimed"));
        // Over more time than what was handed out takes to be passed over.
        sleep(Duration::from_millis(100)).await;
    }
    println!("claims: {reads:?}");
    reads.sort();
    reads[CLAIMS / 2]
}
