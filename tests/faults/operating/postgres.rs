//! A dump of a PostgreSQL database under load, restored on another server.

use std::path::Path;

use api::{Recorded, SearchId};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::eventually;
use tests::postgres_cluster::{PostgresCluster, PostgresDatabase};
use tests::server_process::{Installation, ServerProcess};

use super::{Promises, all_counted, run_block};
use crate::client_log::ClientLog;
use crate::verdict::assert_ledger_adds_up;

const OWNER: &str = "search4letters_owner";
const APP: &str = "search4letters_app";
const PASSWORD: &str = "secret";

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_under_load_has_all_searches_answered_before() {
    let source = database_with_roles().await;
    let installation = Installation::new().with_variable("DATABASE_URL", url(&source, APP));
    make_tables(&source).await;
    // Enough transactions that the server of the restored database is far behind.
    run(&source, "do $$ begin for i in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$").await;
    // While the database server runs, no record may go to the spool, because it could leave it before the end.
    let web = installation.start(&["serve", "--no-worker", "--accept-deadline", "5s"]).await;
    // Jobs take long enough that the dump contains running ones.
    let (_worker, worker) = start_worker(&source, &["--log-delay", "1s"]).await;
    let client_log = ClientLog::default();
    let mut load = client_log.load(&web.client(), 8);
    load.answered(400).await;
    eventually("counts are added up", async || (number(&source, FOLDED_UP_TO).await > 20_000).then_some(())).await;
    let mut promises = Promises::so_far(&client_log);
    let backup = tempfile::tempdir().expect("a temporary folder");
    let to = backup.path().to_str().expect("our own paths are UTF-8");
    run_block("backup-postgres", &[("OWNER_URL", &url(&source, OWNER)), ("BACKUP", to)]).await;
    load.answered_more(100).await;

    // The database server is lost, and later the machine of the web process, with the searches answered in between.
    source.cluster().stop_immediately().await;
    client_log.counts_more(Recorded::Spooled, 50).await;
    load.stop().await;
    web.kill().await;
    worker.kill().await;
    promises.add(&client_log, Recorded::Spooled);

    let target = database_with_roles().await;
    let owner_url = url(&target, OWNER);
    run_block("restore-postgres", &[("RESTORED_OWNER_URL", &owner_url), ("BACKUP", to)]).await;
    run_block("grant", &[("OWNER_URL", &owner_url)]).await;
    let transaction = number(&target, "select pg_current_xact_id()::text::bigint").await;
    assert!(transaction < number(&target, FOLDED_UP_TO).await, "its transactions have greater numbers");
    assert!(number(&target, "select count(*) from job where state = 'running'").await > 0, "no job was running");
    replayed(&target, installation.folder()).await;
    let installation = Installation::new().with_variable("DATABASE_URL", url(&target, APP));
    let _web = installation.start(&["serve", "--no-worker"]).await;
    let _worker = start_worker(&target, &[]).await;
    promises.check(&installation, &client_log, async || log(&target).await).await;

    // Restored counter deltas stay until the new server's transaction ids pass theirs. They must count exactly once.
    let mut load = client_log.load(&installation.client(), 8);
    load.answered(400).await;
    load.stop().await;
    eventually("new counts are added up", async || (number(&target, FOLDED_UP_TO).await > 0).then_some(())).await;
    all_counted(&installation.client(), async || log(&target).await).await;
    assert_ledger_adds_up(&installation).await;
    let printed = run_block("long-transactions", &[("OWNER_URL", &owner_url)]).await;
    assert!(printed.contains("last_autovacuum"), "{printed}");
}

const FOLDED_UP_TO: &str = "select up_to::text::bigint from folded";

/// An empty database on its own server, with the guide's roles.
async fn database_with_roles() -> PostgresDatabase {
    let database = PostgresCluster::durable(&[]).await.create_database().await;
    for role in [OWNER, APP] {
        run(&database, &format!("create role {role} login password '{PASSWORD}'")).await;
    }
    let name = database.name().to_owned();
    run(&database, &format!("alter database {name} owner to {OWNER}")).await;
    database
}

async fn make_tables(database: &PostgresDatabase) {
    let owner_url = url(database, OWNER);
    let migrated = Installation::new().run(&["--database-url", &owner_url, "migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.output);
    run_block("grant", &[("OWNER_URL", &owner_url)]).await;
}

/// Starts a worker in its own installation.
async fn start_worker(database: &PostgresDatabase, flags: &[&str]) -> (Installation, ServerProcess) {
    let installation = Installation::new().with_variable("DATABASE_URL", url(database, APP));
    let worker = installation.launch(&[&["work"], flags].concat());
    eventually("the worker runs jobs", async || worker.output().contains("running jobs as ").then_some(())).await;
    (installation, worker)
}

/// Replays the spool of the data folder into the database.
async fn replayed(database: &PostgresDatabase, data: &Path) {
    let spool = data.join("spool");
    let variables = [("DATABASE_URL", url(database, APP)), ("LOST_SPOOL", spool.display().to_string())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let printed = run_block("replay", &variables).await;
    assert!(printed.contains("left: 0") && !printed.contains("recorded: 0,"), "{printed}");
}

async fn log(database: &PostgresDatabase) -> Vec<SearchId> {
    let mut superuser = database.connect().await;
    let ids = sqlx::query_scalar::<_, String>("select search_id from log").fetch_all(&mut superuser).await;
    let ids = ids.expect("table log is there");
    ids.into_iter().map(|id| id.parse().expect("search ids are ULIDs")).collect()
}

async fn number(database: &PostgresDatabase, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql)
        .fetch_one(&mut database.connect().await)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn run(database: &PostgresDatabase, sql: &str) {
    let mut superuser: PgConnection = database.connect().await;
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut superuser).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    superuser.close().await.expect("our own cluster");
}

/// The URL as an administrator writes it.
fn url(database: &PostgresDatabase, role: &str) -> String {
    format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/{}", database.cluster().port(), database.name())
}
