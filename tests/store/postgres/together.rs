//! Several processes on one database: here several stores, each with connections of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use api::{JobId, LogSeq};
use futures::TryStreamExt;
use futures::future::join_all;
use sqlx::Connection as _;
use store::{Accepted, JobAdmin, JobQueue, LogSpan, SearchLog, Store, Topic};
use store_postgres::PostgresStore;
use tests::builders::{START, claim, job, log_entry, log_job, log_query, no_attempt, report, search, signed};
use tests::eventually;
use tokio::time::timeout;

use crate::postgres::{create_database, open};

/// Far longer than a hundred wake-ups, but shorter than a hundred polls of a store without wake-ups.
const SOON: Duration = Duration::from_secs(40);

async fn stores(database: &tests::PostgresDatabase, count: usize) -> Vec<Arc<PostgresStore>> {
    let url = database.url();
    join_all((0..count).map(|_| open(&url))).await.into_iter().map(|store| Arc::new(store.unwrap())).collect()
}

/// `writer_store` accepts a hundred searches. Before each one it waits until `listener`, which reads only when woken,
/// has seen the previous one.
async fn receives_each_of_a_hundred(listener: &PostgresStore, writer_store: &PostgresStore, first: u128) {
    let mut wake = listener.subscribe(Topic::Work);
    let heard = async {
        for number in first..first + 100 {
            writer_store.accept(search(number), log_job(search(number))).await.unwrap();
            while u128::from(listener.job_counts().await.unwrap().waiting) <= number {
                wake.changed().await;
            }
        }
    };
    timeout(SOON, heard).await.expect("woken each time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_notifies_other_processes() {
    let database = create_database().await;
    let stores = stores(&database, 2).await;
    receives_each_of_a_hundred(&stores[0], &stores[1], 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_topic_reaches_other_processes() {
    let database = create_database().await;
    let stores = stores(&database, 2).await;
    let (listener, writer_store) = (&stores[0], &stores[1]);
    // After this the initial poll of LISTEN is over.
    receives_each_of_a_hundred(listener, writer_store, 0).await;
    let mut wakes = Topic::ALL.map(|topic| listener.subscribe(topic));
    let claimed = writer_store.claim(claim("w", 1, START)).await.unwrap();
    writer_store.record(log_entry(search(1), "life"), no_attempt()).await.unwrap();
    writer_store.cancel_job(claimed[0].id, START, Some(&signed())).await.unwrap();
    assert!(writer_store.report(report(&claimed[0], "w")).await.unwrap());
    writer_store.accept(search(100), log_job(search(100))).await.unwrap();
    timeout(SOON, join_all(wakes.iter_mut().map(|wake| wake.changed()))).await.expect("every topic is notified");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_listening_connection_is_replaced() {
    let database = create_database().await;
    let stores = stores(&database, 2).await;
    receives_each_of_a_hundred(&stores[0], &stores[1], 0).await;
    let mut connection = database.connect().await;
    // A listening connection is recognised by its last statement, the connection test.
    let killed: i64 = sqlx::query_scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where datname = current_database() and query like '%wake(''echo'')%' and pid <> pg_backend_pid()",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(killed, 2, "each store listens on one connection");
    receives_each_of_a_hundred(&stores[0], &stores[1], 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_are_replaced() {
    let database = create_database().await;
    let stores = stores(&database, 2).await;
    receives_each_of_a_hundred(&stores[0], &stores[1], 0).await;
    assert!(database.terminate_backends().await >= 4);
    for store in &stores {
        eventually("the store answers again", async || store.ping().await.ok()).await;
    }
    receives_each_of_a_hundred(&stores[0], &stores[1], 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_the_log_misses_no_row_of_several_writers() {
    const WRITERS: u128 = 4;
    const ROWS: u128 = 150;
    let database = create_database().await;
    let stores = stores(&database, WRITERS as usize + 1).await;
    let follower = tokio::spawn({
        let store = Arc::clone(stores.last().unwrap());
        async move {
            let mut wake = store.subscribe(Topic::Log);
            let (mut cursor, mut seen) = (LogSeq(0), Vec::new());
            while seen.len() < (WRITERS * ROWS) as usize {
                let rows: Vec<_> = store.log_rows(log_query(LogSpan::After(cursor))).try_collect().await.unwrap();
                match rows.last() {
                    Some(last) => cursor = last.seq,
                    None => wake.changed().await,
                }
                seen.extend(rows.into_iter().map(|row| row.search_id));
            }
            seen
        }
    });
    let write = async |writer: u128| {
        let store = &stores[writer as usize];
        // Writes in groups, so that there are many concurrent commits.
        for group in 0..ROWS / 5 {
            let numbers = (0..5).map(|number| search(writer * ROWS + group * 5 + number));
            join_all(numbers.map(|id| async move { store.record(log_entry(id, "life"), no_attempt()).await.unwrap() }))
                .await;
        }
    };
    join_all((0..WRITERS).map(write)).await;
    let seen = timeout(SOON, follower).await.expect("no row is missing").unwrap();
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_is_handed_out_twice_however_many_claim() {
    const JOBS: usize = 600;
    let database = create_database().await;
    let stores = stores(&database, 4).await;
    let added = join_all((0..JOBS).map(|_| stores[0].enqueue(job("a")))).await;
    assert!(added.iter().all(Result::is_ok));
    let work = async |number: usize| {
        let (store, name) = (&stores[number], format!("w{number}"));
        let mut claimed: Vec<JobId> = Vec::new();
        // A claim may return nothing while other claims hold the jobs.
        while store.job_counts().await.unwrap().waiting > 0 {
            claimed.extend(store.claim(claim(&name, 7, START)).await.unwrap().iter().map(|job| job.id));
        }
        claimed
    };
    let claimed = join_all((0..stores.len()).map(work)).await.concat();
    assert_eq!(claimed.len(), JOBS);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), JOBS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_for_all_processes_together() {
    let database = create_database().await;
    let stores = stores(&database, 4).await;
    let added = join_all((0..40).map(|_| stores[0].enqueue(job("a")))).await;
    assert!(added.iter().all(Result::is_ok));
    assert!(stores[1].limit_kind("a", Some(3), &signed()).await.unwrap());
    let names: Vec<String> = (0..16).map(|number| format!("w{number}")).collect();
    let claims = names.iter().enumerate().map(|(number, name)| stores[number % 4].claim(claim(name, 2, START)));
    let claimed: usize = join_all(claims).await.into_iter().map(|jobs| jobs.unwrap().len()).sum();
    assert_eq!(claimed, 3);
    assert_eq!(stores[2].job_counts().await.unwrap().running, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_kind_without_free_slots_or_jobs_does_not_block_claims() {
    let database = create_database().await;
    let stores = stores(&database, 2).await;
    stores[0].register_kind("limited", Some(1)).await.unwrap();
    // Claims of limited kinds wait for this lock.
    let mut connection = database.connect().await;
    let mut turn = connection.begin().await.unwrap();
    sqlx::raw_sql("select from job_kind for update").execute(&mut *turn).await.unwrap();
    // A kind that has no job yet.
    stores[0].enqueue(job("free")).await.unwrap();
    let claimed = stores[1].claim(claim("w", 2, START)).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["free"]);
    turn.rollback().await.unwrap();

    for kind in ["limited", "limited", "free"] {
        stores[0].enqueue(job(kind)).await.unwrap();
    }
    let claimed = stores[1].claim(claim("w", 1, START)).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["limited"], "the oldest");
    // A kind with one running and one waiting job.
    let mut turn = connection.begin().await.unwrap();
    sqlx::raw_sql("select from job_kind for update").execute(&mut *turn).await.unwrap();
    let claimed = stores[0].claim(claim("w", 2, START)).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["free"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_accepted_by_several_processes_has_one_job_and_one_row() {
    let database = create_database().await;
    let stores = stores(&database, 4).await;
    for number in 0..30 {
        let id = search(number);
        let accepted = join_all(stores.iter().map(|store| store.accept(id, log_job(id)))).await;
        let new = accepted.iter().filter(|outcome| matches!(outcome.as_ref().unwrap(), Accepted::New(_))).count();
        assert_eq!(new, 1, "{accepted:?}");
        let recorded = join_all(stores.iter().map(|store| store.record(log_entry(id, "life"), no_attempt()))).await;
        let numbers: HashSet<_> = recorded.into_iter().map(Result::unwrap).collect();
        assert_eq!(numbers.len(), 1);
    }
    let ledger = stores[3].ledger().await.unwrap();
    assert_eq!((ledger.accepted, ledger.drift()), (30, 0));
}
