//! Connections that are all in use, and a transaction that stays open for hours.

use std::time::Duration;

use api::{FaultKind, Recorded};
use sqlx::{Connection, PgConnection};
use tests::eventually;
use tests::server_process::ServerProcess;
use tests::workload::usual_or_long;
use tokio::time::{Instant, sleep, timeout};

use crate::client_log::{ClientLog, LatencyBaseline};
use crate::postgres::{Deployment, WEB};
use crate::tables::Tables;
use crate::verdict::{administrator, assert_promises_kept, ready, unready};

/// How long a read may wait for a connection and then for its response.
const SAYS_SO_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_without_free_connections_is_reported_and_loses_nothing() {
    let deployment = Deployment::alone(&[("max_connections", "20")]).await;
    let client_log = ClientLog::default();
    let (at_web, at_worker) = (deployment.installation(), deployment.installation());
    // Both together leave connections for the test, once it has returned those that it holds.
    let few = ["--database-connections", "5"];
    let web = at_web.start(&[WEB, few.as_slice()].concat()).await;
    let client = web.client();
    let mut worker = at_worker.start_worker(&few).await;
    let baseline = LatencyBaseline::measure(&at_web);
    let mut load = client_log.load(&client, 4);
    load.answered(100).await;
    let mut held = Vec::new();
    // Terminates the processes' connections and takes all of them immediately.
    while client_log.count(Recorded::Spooled) < 20 {
        deployment.database().terminate_backends().await;
        held = Vec::new();
        while let Ok(connection) = PgConnection::connect(&deployment.url()).await {
            held.push(connection);
        }
        load.answered_more(20).await;
    }
    unready(&client, FaultKind::ConnectionError).await;
    load.answered_more(20).await;
    println!("{} connections were held", held.len());
    drop(held);
    ready(&client).await;
    client_log.counts_more(Recorded::Accepted, 20).await;
    load.stop().await;
    baseline.assert_no_client_waited(&client_log);
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    worker.assert_running();
    deployment.assert_complete(&at_web, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_all_connections_in_use_says_so_and_does_not_hang() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let at_both = deployment.installation();
    let server = at_both.start(&["--database-connections", "2"]).await;
    let client = server.client();
    let administrator = administrator(&at_both).await;
    let baseline = LatencyBaseline::measure(&at_both);
    let mut load = client_log.load(&client, 4);
    load.answered(100).await;
    let mut other = deployment.tables().await;
    other.run("begin; lock table job in access exclusive mode").await;
    client_log.counts_more(Recorded::Spooled, 20).await;
    load.stop().await;
    let nothing = serde_json::json!({});
    let read = administrator.post_json("/api/admin/jobs/counts", &nothing);
    let answer = timeout(SAYS_SO_WITHIN, read).await.expect("it is answered").expect("with an answer");
    assert_eq!(answer.status, 503, "{}", answer.body);
    unready(&client, FaultKind::ConnectionError).await;
    baseline.assert_no_client_waited(&client_log);

    other.run("rollback").await;
    ready(&client).await;
    assert_eq!(client_log.search(&client).await, Some(Recorded::Accepted));
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    deployment.assert_complete(&at_both, &client_log).await;
}

/// How many times as much a claim may read in a database full of dead rows, compared with a new database.
const MULTIPLE: i64 = 5;
/// The number of measured claims. The median counts: an occasional claim scans from the very beginning, and the first
/// ones scan jobs claimed within the last second.
const CLAIMS: usize = 45;

#[tokio::test(flavor = "multi_thread")]
async fn under_a_long_transaction_claims_stay_cheap_and_counts_right() {
    let (jobs, patience) = usual_or_long((20_000, Duration::from_secs(90)), (500_000, Duration::from_secs(1_800)));
    let deployment = Deployment::alone(&[("shared_preload_libraries", "pg_stat_statements")]).await;
    sqlx::raw_sql("create extension pg_stat_statements")
        .execute(&mut deployment.superuser().await)
        .await
        .expect("it may");
    let installation = deployment.installation();
    let server = installation.start(&[]).await;
    let client_log = ClientLog::default();
    let mut tables = deployment.tables().await;
    let when_new = claim_reads(&mut deployment.superuser().await, &server, &client_log, &mut tables).await;

    let mut long = deployment.tables().await;
    long.run("begin isolation level repeatable read").await;
    let seen = long.number("select count(*) from job").await;
    for chunk in client_log.promise(jobs).chunks(5_000) {
        let chunk: Vec<_> = chunk.iter().map(|(id, phrase)| (id.to_string(), phrase.clone())).collect();
        tables.add_log_jobs(&chunk).await;
    }
    let begun = Instant::now();
    tables.settled(&client_log, patience).await;
    println!("done after {:?}", begun.elapsed());
    let now = claim_reads(&mut deployment.superuser().await, &server, &client_log, &mut tables).await;
    let lines = tables.number("select count(*) from tally").await;
    println!("a claim reads {when_new} buffers in a new database, {now} after {jobs} jobs; {lines} lines in the tally");
    assert!(now <= when_new * MULTIPLE, "a claim reads {now} buffers, {when_new} in a new database");
    assert!(lines < 20_000, "the tally has {lines} lines");
    assert_eq!(long.number("select count(*) from job").await, seen, "the transaction was not open all the time");
    assert_promises_kept(&mut tables, &installation, &client_log).await;
    drop(long);
}

/// How many buffers a claim of a single job touches.
async fn claim_reads(
    statistics: &mut PgConnection,
    server: &ServerProcess,
    client_log: &ClientLog,
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
        assert!(client_log.search(&server.client()).await.is_some());
        eventually("its row is written", async || (tables.number(ROWS).await > rows).then_some(())).await;
        reads.push(sqlx::query_scalar(READ).fetch_one(&mut *statistics).await.expect("it has claimed"));
        // The claims are spread over more time than the claim cursor needs to pass claimed jobs.
        sleep(Duration::from_millis(100)).await;
    }
    println!("claims: {reads:?}");
    reads.sort();
    reads[CLAIMS / 2]
}
