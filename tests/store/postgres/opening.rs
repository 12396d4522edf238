//! Which databases are opened, and with which errors others are refused.

use api::FaultKind;
use futures::future::join_all;
use sqlx::{AssertSqlSafe, Connection};
use store::{Accounts, JobAdmin, SearchLog, Store};
use store_postgres::{Access, OpenError, Options, PostgresStore};
use tests::PostgresCluster;
use tests::builders::{account, account_of, log_job, search, signed};
use url::Url;

use crate::attempts_that_had_a_row_are_shown_and_kept;
use crate::postgres::{create_database, open, open_as, options};

/// Panics unless opening fails with this kind of error and a message that contains these words.
#[track_caller]
pub(super) fn refused(outcome: Result<PostgresStore, OpenError>, kind: FaultKind, words: &[&str]) {
    let error = outcome.expect_err("this database must be refused");
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    assert!(!text.contains(PASSWORD), "the password is printed: {text}");
}

const PASSWORD: &str = "not-the-one";

async fn url() -> Url {
    Url::parse(&create_database().await.url()).unwrap()
}

#[tokio::test]
async fn an_empty_database_gets_its_tables() {
    let database = PostgresCluster::shared().await.create_database().await;
    let store = open(&database.url()).await.unwrap();
    store.accept(search(1), log_job(search(1))).await.unwrap();
    assert!(store.describe().await.unwrap().engine.starts_with("PostgreSQL 1"));
    store.close().await;
}

#[tokio::test]
async fn attempts_of_a_database_in_which_each_had_a_row_are_shown_and_kept() {
    let database = create_database().await;
    let opened = async || open(&database.url()).await.unwrap();
    // Restores the schema's twelfth version.
    let back = "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome)
                select id, 1, attempt, done_by, started_at_ms, finished_at_ms, 'done' from job;
                alter table job drop column done_by;
                drop table audit; drop function audit_refuses;
                delete from _sqlx_migrations where version > 12";
    let roll_back = async || {
        let mut connection = database.connect().await;
        sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    attempts_that_had_a_row_are_shown_and_kept(opened, roll_back).await;
}

#[tokio::test]
async fn a_wrong_password_is_a_credentials_error() {
    let mut url = url().await;
    url.set_password(Some(PASSWORD)).unwrap();
    refused(open(url.as_str()).await, FaultKind::CredentialsError, &["(as postgres)", "password in DATABASE_URL"]);
}

#[tokio::test]
async fn an_unknown_user_is_a_credentials_error() {
    let mut url = url().await;
    url.set_username("nobody").unwrap();
    url.set_password(Some(PASSWORD)).unwrap();
    refused(open(url.as_str()).await, FaultKind::CredentialsError, &["(as nobody)", "DATABASE_URL"]);
}

#[tokio::test]
async fn a_user_without_the_right_to_create_tables_is_a_credentials_error() {
    let database = PostgresCluster::shared().await.create_database().await;
    let mut connection = database.connect().await;
    sqlx::raw_sql("drop role if exists guest; create role guest login password 'not-the-one'")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::raw_sql("revoke create on schema public from public").execute(&mut connection).await.unwrap();
    let mut url = Url::parse(&database.url()).unwrap();
    url.set_username("guest").unwrap();
    url.set_password(Some(PASSWORD)).unwrap();
    let remedy = &["(as guest)", "`grant usage, create on schema public to guest`"];
    refused(open_as(url.as_str(), Access::Guest).await, FaultKind::CredentialsError, remedy);
    refused(open(url.as_str()).await, FaultKind::CredentialsError, remedy);
    sqlx::raw_sql("grant usage, create on schema public to guest").execute(&mut connection).await.unwrap();
    open(url.as_str()).await.unwrap().close().await;
}

#[tokio::test]
async fn a_missing_database_is_a_connection_error_and_is_not_created() {
    let mut url = url().await;
    url.set_path("/nowhere");
    let words = &["the database nowhere on 127.0.0.1", "createdb nowhere"];
    refused(open(url.as_str()).await, FaultKind::ConnectionError, words);
    refused(open(url.as_str()).await, FaultKind::ConnectionError, words);
}

#[tokio::test]
async fn a_closed_port_is_a_connection_error() {
    let mut url = url().await;
    // Bound without listening, so that no other process takes the port.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    url.set_port(Some(socket.local_addr().unwrap().port())).unwrap();
    refused(open(url.as_str()).await, FaultKind::ConnectionError, &["See that the server runs and listens there"]);
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let mut url = url().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(silent.local_addr().unwrap().port())).unwrap();
    refused(open(url.as_str()).await, FaultKind::ConnectionError, &["has not answered for 5s", "does not hang"]);
}

#[tokio::test]
async fn an_unknown_host_is_a_connection_error() {
    let mut url = url().await;
    url.set_host(Some("host.invalid")).unwrap();
    refused(open(url.as_str()).await, FaultKind::ConnectionError, &["host.invalid"]);
}

#[tokio::test]
async fn an_invalid_url_is_refused_without_being_printed() {
    for url in [format!("postgres://postgres:{PASSWORD}@127.0.0.1:none/x"), PASSWORD.to_owned(), String::new()] {
        refused(open(&url).await, FaultKind::CredentialsError, &["postgres://USER:PASSWORD@HOST:PORT/DATABASE"]);
    }
}

#[tokio::test]
async fn options_are_printed_without_the_url() {
    let shown = format!("{:?}", options(&format!("postgres://postgres:{PASSWORD}@127.0.0.1/x")));
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn owners_and_guests_work_beside_each_other() {
    let database = create_database().await;
    let owner = open(&database.url()).await.unwrap();
    let guest = open_as(&database.url(), Access::Guest).await.unwrap();
    let second = open(&database.url()).await.unwrap();
    assert_eq!(owner.secret().await.unwrap(), second.secret().await.unwrap());
    assert!(guest.create_account(account("ada"), &signed()).await.unwrap());
    owner.close().await;
    assert!(account_of(&second, "ada").await.is_some());
}

#[tokio::test]
async fn a_guest_does_not_migrate_an_older_schema() {
    let database = create_database().await;
    let mut connection = database.connect().await;
    let newest = "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)";
    sqlx::query(newest).execute(&mut connection).await.unwrap();
    let outcome = open_as(&database.url(), Access::Guest).await;
    refused(outcome, FaultKind::SqlError, &["written by an older version", "search4letters migrate"]);
    let empty = PostgresCluster::shared().await.create_database().await;
    let outcome = open_as(&empty.url(), Access::Guest).await;
    refused(outcome, FaultKind::SqlError, &["is empty", "search4letters migrate"]);
}

/// Simulates a later version's migration, and sets the oldest schema that it supports.
async fn migrated_to_9999(database: &tests::PostgresDatabase, oldest_schema: i64) {
    let mut connection = database.connect().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'from the future', true, '', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let oldest = sqlx::query("update compatibility set oldest_schema = $1").bind(oldest_schema);
    oldest.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn an_incompatible_newer_schema_is_refused() {
    let database = create_database().await;
    migrated_to_9999(&database, 9999).await;
    for access in [Access::Owner, Access::Guest] {
        let outcome = open_as(&database.url(), access).await;
        refused(outcome, FaultKind::SqlError, &["schema 9999", "Install that version"]);
    }
}

#[tokio::test]
async fn a_compatible_newer_schema_is_used_and_not_changed() {
    let database = create_database().await;
    migrated_to_9999(&database, 1).await;
    for access in [Access::Owner, Access::Guest] {
        let store = open_as(&database.url(), access).await.unwrap();
        store.accept(search(1), log_job(search(1))).await.unwrap();
        store.close().await;
    }
    let mut connection = database.connect().await;
    let newest: i64 =
        sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(&mut connection).await.unwrap();
    assert_eq!(newest, 9999);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_concurrent_starts_one_migrates() {
    let database = PostgresCluster::shared().await.create_database().await;
    let url = database.url();
    let stores: Vec<_> = join_all((0..8).map(|_| open(&url))).await.into_iter().map(Result::unwrap).collect();
    let secret = stores[0].secret().await.unwrap();
    for (number, store) in (0..).zip(&stores) {
        assert_eq!(store.secret().await.unwrap(), secret);
        store.accept(search(number), log_job(search(number))).await.unwrap();
    }
    assert_eq!(stores[0].job_counts().await.unwrap().waiting, 8);
    join_all(stores.iter().map(Store::close)).await;
    let mut connection = database.connect().await;
    let (applied, distinct): (i64, i64) =
        sqlx::query_as("select count(*), count(distinct version) from _sqlx_migrations where success")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(applied, distinct);
}

#[tokio::test]
async fn a_database_with_foreign_names_is_refused_and_not_changed() {
    let database = PostgresCluster::shared().await.create_database().await;
    let mut connection = database.connect().await;
    for (theirs, name) in [
        ("table log (theirs text)", "log"),
        ("view worker as select 1", "worker"),
        ("index job_state on other (id)", "job_state"),
        ("type secret as enum ('theirs')", "secret"),
        ("function wake(topic text) returns text language sql as 'select topic'", "wake"),
    ] {
        let make = format!(
            "create schema theirs; create table theirs.other (id bigint); create table other (id bigint); create {theirs}"
        );
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut connection).await.unwrap();
        for access in [Access::Owner, Access::Guest] {
            let outcome = open_as(&database.url(), access).await;
            refused(outcome, FaultKind::SqlError, &[&format!(": {name}. Nothing was changed"), "another database"]);
        }
        let tables =
            sqlx::query_scalar::<_, i64>("select count(*) from pg_class where relname in ('_sqlx_migrations', 'job')");
        assert_eq!(tables.fetch_one(&mut connection).await.unwrap(), 0, "{theirs}");
        // Elsewhere in the database there is room for ours.
        let elsewhere = format!("{}&options=-c%20search_path%3Dtheirs", database.url());
        open(&elsewhere).await.unwrap().close().await;
        let clean = "drop schema theirs cascade; drop schema public cascade; create schema public";
        sqlx::raw_sql(clean).execute(&mut connection).await.unwrap();
    }
    open(&database.url()).await.unwrap().close().await;
}

#[tokio::test]
async fn a_store_works_with_a_single_connection() {
    let database = create_database().await;
    let options = Options { connections: 1, ..options(&database.url()) };
    let store = PostgresStore::open(options, Access::Owner).await.unwrap();
    let accepted = join_all((0..50).map(|number| store.accept(search(number), log_job(search(number))))).await;
    assert!(accepted.iter().all(Result::is_ok));
    store.ping().await.unwrap();
}
