//! What a server, a database or a role is set to changes nothing, or is refused with its remedy.

use api::{FaultKind, TimeMs};
use futures::future::join_all;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::{Accepted, JobAdmin, JobQueue, SearchLog, Store};
use store_postgres::{Access, PostgresStore, examine};
use tests::builders::{START, claim, log_entry, log_job, no_attempt, search, signed};
use tests::{PostgresCluster, PostgresDatabase};
use url::Url;

use crate::postgres::opening::refused;
use crate::postgres::{create_database, open, open_as, open_through_pooler, options};

async fn run(connection: &mut PgConnection, statement: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Changes the defaults of all new sessions on this database.
async fn set_defaults(database: &PostgresDatabase, settings: &[&str]) {
    let mut connection = database.connect().await;
    for setting in settings {
        run(&mut connection, &format!("alter database {} set {setting}", database.name())).await;
    }
    connection.close().await.unwrap();
}

/// Settings with which statements fail, wait, or promise less.
const DEFAULTS: [&str; 12] = [
    "default_transaction_isolation = 'serializable'",
    "default_transaction_deferrable = on",
    "search_path = 'nowhere'",
    "standard_conforming_strings = off",
    "synchronous_commit = off",
    "statement_timeout = '50ms'",
    "lock_timeout = '50ms'",
    "idle_in_transaction_session_timeout = '50ms'",
    "client_encoding = 'LATIN1'",
    "timezone = 'Asia/Kathmandu'",
    "datestyle = 'German'",
    "intervalstyle = 'sql_standard'",
];

/// Accepts, claims and records searches at the same time on several stores. No call may fail.
async fn works(stores: &[&PostgresStore]) {
    const SEARCHES: u128 = 200;
    let store = |number: u128| stores[number as usize % stores.len()];
    let accepted = (0..SEARCHES).map(|number| store(number).accept(search(number), log_job(search(number))));
    join_all(accepted).await.into_iter().for_each(|accepted| drop(accepted.unwrap()));
    let names: Vec<String> = (0..20).map(|number| format!("w{number}")).collect();
    let claims = names.iter().zip(0..).map(|(name, number)| store(number).claim(claim(name, 20, START)));
    join_all(claims).await.into_iter().for_each(|claimed| drop(claimed.unwrap()));
    let recorded = (0..SEARCHES).map(|number| store(number).record(log_entry(search(number), "日本語"), no_attempt()));
    assert!(join_all(recorded).await.iter().all(Result::is_ok));
    assert_eq!(store(0).ledger().await.unwrap().drift(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_of_the_database_change_nothing() {
    let database = create_database().await;
    set_defaults(&database, &DEFAULTS).await;
    let (first, second) = (open(&database.url()).await.unwrap(), open(&database.url()).await.unwrap());
    works(&[&first, &second]).await;
    // Not even the tables are elsewhere.
    let mut connection = database.connect().await;
    let rows: i64 = sqlx::query_scalar("select count(*) from public.log").fetch_one(&mut connection).await.unwrap();
    assert_eq!(rows, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_of_the_database_change_nothing_behind_a_pooler() {
    let database = create_database().await;
    set_defaults(&database, &DEFAULTS).await;
    let store = open_through_pooler(&database).await;
    works(&[&store]).await;
}

#[tokio::test]
async fn an_empty_database_is_migrated_whatever_its_defaults_are() {
    let database = PostgresCluster::shared().await.create_database().await;
    set_defaults(&database, &DEFAULTS).await;
    works(&[&open(&database.url()).await.unwrap()]).await;
}

#[tokio::test]
async fn a_commit_waits_for_the_disk_or_longer() {
    let database = create_database().await;
    for (default, ours) in [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")] {
        set_defaults(&database, &[&format!("synchronous_commit = {default}")]).await;
        let store = open(&database.url()).await.unwrap();
        let mut connection = database.connect().await;
        // A trigger sees the setting of the session that writes.
        run(
            &mut connection,
            "create or replace function seen() returns trigger language plpgsql as $$ begin
                 insert into public.setting values (current_setting('synchronous_commit')); return null;
             end $$;
             drop table if exists setting; create table setting (seen text);
             create or replace trigger seen after insert on job execute function seen()",
        )
        .await;
        store.accept(search(1), log_job(search(1))).await.unwrap();
        let seen: Vec<String> =
            sqlx::query_scalar("select distinct seen from setting").fetch_all(&mut connection).await.unwrap();
        assert_eq!(seen, [ours], "{default}");
    }
}

#[tokio::test]
async fn databases_that_cannot_keep_the_promise_are_refused() {
    for (setting, kind, words) in [
        ("default_transaction_read_only = on", FaultKind::ConnectionError, "reset default_transaction_read_only"),
        ("session_replication_role = replica", FaultKind::SqlError, "session_replication_role is replica"),
    ] {
        let database = create_database().await;
        set_defaults(&database, &[setting]).await;
        refused(open(&database.url()).await, kind, &[words]);
        refused(open_as(&database.url(), Access::Guest).await, kind, &[words]);
    }
    for (change, words) in [
        ("alter table job_output set unlogged", "unlogged tables job_output"),
        ("alter table job disable trigger job_inserted", "missing or disabled job_inserted"),
        ("drop trigger log_deleted on log", "missing or disabled log_deleted"),
    ] {
        let database = create_database().await;
        run(&mut database.connect().await, change).await;
        refused(open(&database.url()).await, FaultKind::SqlError, &[words]);
    }
}

#[tokio::test]
async fn an_encoding_without_every_character_is_refused() {
    let cluster = PostgresCluster::shared().await;
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let name = format!("encoded_{}", encoding.to_lowercase());
        let create = format!("create database {name} encoding '{encoding}' locale 'C' template template0");
        run(&mut cluster.connect_as_administrator().await, &create).await;
        let words = [encoding, "--encoding=UTF8", "search4letters copy"];
        refused(open(&cluster.url(&name)).await, FaultKind::SqlError, &words);
    }
}

#[tokio::test]
async fn another_programs_migrations_are_not_ours() {
    let database = PostgresCluster::shared().await.create_database().await;
    let theirs = "create table _sqlx_migrations (version bigint, success boolean);
                  insert into _sqlx_migrations values (20260101, true)";
    run(&mut database.connect().await, theirs).await;
    refused(open(&database.url()).await, FaultKind::SqlError, &["belongs to another program", "of its own"]);
}

#[tokio::test]
async fn the_tables_are_found_where_they_are() {
    let database = PostgresCluster::shared().await.create_database().await;
    let mut connection = database.connect().await;
    run(&mut connection, "create schema \"Letters\"; create schema other").await;
    let with_path = |path: &str| format!("{}&options=-c%20search_path%3D{path}", database.url());
    let store = open(&with_path("%22Letters%22")).await.unwrap();
    store.accept(search(1), log_job(search(1))).await.unwrap();
    store.close().await;
    // Without a search path in the URL, these are the only tables.
    let store = open(&database.url()).await.unwrap();
    assert_eq!(store.job_counts().await.unwrap().waiting, 1);
    store.close().await;
    // With one, somebody wants a second installation.
    let store = open(&with_path("other")).await.unwrap();
    assert_eq!(store.job_counts().await.unwrap().waiting, 0);
    store.close().await;
    refused(open(&database.url()).await, FaultKind::SqlError, &["(\"Letters\", other)", "search_path%3DSCHEMA"]);
    refused(open(&with_path("nowhere")).await, FaultKind::SqlError, &["leads to no schema that exists"]);
}

#[tokio::test]
async fn triggers_work_whatever_the_search_path_is() {
    let database = create_database().await;
    let store = open(&database.url()).await.unwrap();
    for number in 1..=2 {
        store.accept(search(number), log_job(search(number))).await.unwrap();
        store.record(log_entry(search(number), "life"), no_attempt()).await.unwrap();
    }
    let mut connection = database.connect().await;
    run(
        &mut connection,
        "set search_path = ''; delete from public.log where id = 1; delete from public.job where id = 1",
    )
    .await;
    let missing: i64 =
        sqlx::query_scalar("select count(*) from public.missing_search").fetch_one(&mut connection).await.unwrap();
    assert_eq!(missing, 1, "the row's deletion is counted");
    assert_eq!(store.ledger().await.unwrap().drift(), 1);
}

#[tokio::test]
async fn every_table_has_a_key() {
    let database = create_database().await;
    let mut connection = database.connect().await;
    let without: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class
         where relkind = 'r' and relnamespace = 'public'::regnamespace
           and not exists (select 1 from pg_index where indrelid = pg_class.oid and indisprimary)",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(without, Vec::<String>::new());
}

#[tokio::test]
async fn published_tables_are_pruned() {
    let database = create_database().await;
    let store = open(&database.url()).await.unwrap();
    run(&mut database.connect().await, "create publication everything for all tables").await;
    let Accepted::New(job) = store.accept(search(1), log_job(search(1))).await.unwrap() else { panic!("it is new") };
    assert!(store.cancel_job(job, START, Some(&signed())).await.unwrap());
    assert_eq!(store.prune_jobs(TimeMs(i64::MAX), 10).await.unwrap(), 1);
    let examined = examine(&options(&database.url())).await.unwrap();
    assert_eq!(examined.refused_writes, Vec::<String>::new());
    run(&mut database.connect().await, "alter table tally replica identity nothing").await;
    let examined = examine(&options(&database.url())).await.unwrap();
    assert!(examined.refused_writes.iter().any(|refused| refused.contains("table tally")), "{examined:?}");
}

#[tokio::test]
async fn writes_that_the_role_may_not_make_are_found() {
    let database = create_database().await;
    let mut connection = database.connect().await;
    let role = format!("limited_writer_of_{}", database.name());
    let grant = format!(
        "create role {role} login password 'secret'; grant all on all tables in schema public to {role};
         grant usage, create on schema public to {role}"
    );
    run(&mut connection, &grant).await;
    let mut url = Url::parse(&database.url()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("secret")).unwrap();
    let refused = async || examine(&options(url.as_str())).await.unwrap().refused_writes;
    assert_eq!(refused().await, Vec::<String>::new());
    for table in ["log", "job", "tally", "session", "worker"] {
        run(&mut connection, &format!("revoke insert on {table} from {role}")).await;
        // Triggers write too, so that other writes may be refused with it.
        let (found, own) = (refused().await, format!("change the table {table}: permission denied for table {table}"));
        assert!(found.iter().any(|refused| refused.contains(&own)), "{table}: {found:?}");
        run(&mut connection, &format!("grant insert on {table} to {role}")).await;
    }
}

#[tokio::test]
async fn triggers_of_others_are_found() {
    let database = create_database().await;
    let risks = async || {
        let risks = examine(&options(&database.url())).await.unwrap().risks;
        risks.into_iter().filter(|risk| risk.contains("trigger")).collect::<Vec<_>>()
    };
    assert_eq!(risks().await, Vec::<String>::new());
    let trigger = "create function mine() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
                   create trigger mine before insert on log for each row execute function mine()";
    run(&mut database.connect().await, trigger).await;
    let [risk] = risks().await.try_into().expect("one risk");
    assert!(risk.contains("table log has the trigger mine"), "{risk}");
}

#[tokio::test]
async fn a_table_without_autovacuum_is_found_with_its_remedy() {
    let database = create_database().await;
    let risks = async || {
        let risks = examine(&options(&database.url())).await.unwrap().risks;
        risks.into_iter().filter(|risk| risk.contains("autovacuum")).collect::<Vec<_>>()
    };
    assert_eq!(risks().await, Vec::<String>::new());
    let mut connection = database.connect().await;
    run(&mut connection, "alter table job set (autovacuum_enabled = off)").await;
    let [risk] = risks().await.try_into().expect("one risk");
    assert!(risk.contains("off for the table job"), "{risk}");
    let (_, remedy) = risk.split_once("Run `").expect("a remedy");
    run(&mut connection, remedy.trim_end_matches('`')).await;
    assert_eq!(risks().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_without_autovacuum_is_noted() {
    for setting in ["autovacuum", "track_counts"] {
        let cluster = PostgresCluster::durable(&[(setting, "off")]).await;
        let database = cluster.create_database().await;
        drop(open(&database.url()).await.unwrap());
        let risks = examine(&options(&database.url())).await.unwrap().risks;
        let off = format!("{setting} is off on the server");
        assert!(risks.iter().any(|risk| risk.contains(&off) && risk.contains("pg_settings")), "{risks:?}");
    }
}

#[tokio::test]
async fn a_database_that_takes_no_connections_is_named_with_its_remedy() {
    let database = create_database().await;
    let mut administrator = PostgresCluster::shared().await.connect_as_administrator().await;
    let mut allow = async |is: bool| {
        let allow = format!("alter database {} allow_connections {is}", database.name());
        run(&mut administrator, &allow).await;
    };
    allow(false).await;
    // A superuser is refused too.
    refused(open(&database.url()).await, FaultKind::ConnectionError, &["(55000)", "allow_connections true"]);
    allow(true).await;
}

#[tokio::test]
async fn a_write_that_conflicts_is_tried_again() {
    let database = create_database().await;
    let store = open(&database.url()).await.unwrap();
    let mut connection = database.connect().await;
    for code in ["40001", "40P01"] {
        // A sequence is not rolled back, so each third transaction succeeds.
        let conflict = format!(
            "drop sequence if exists tries; create sequence tries;
             create or replace function conflict() returns trigger language plpgsql as $$ begin
                 if nextval('public.tries') % 3 <> 0 then raise exception 'of this test' using errcode = '{code}'; end if;
                 return null;
             end $$;
             create or replace trigger conflict after insert on job execute function conflict()"
        );
        run(&mut connection, &conflict).await;
        let id = search(u128::from(code == "40001"));
        store.accept(id, log_job(id)).await.unwrap();
    }
}

#[tokio::test]
async fn the_lowest_limit_on_connections_is_found() {
    let database = create_database().await;
    let mut connection = database.connect().await;
    let role = format!("limited_{}", database.name());
    let create = format!("create role {role} login superuser password 'secret' connection limit 7");
    run(&mut connection, &create).await;
    let mut url = Url::parse(&database.url()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("secret")).unwrap();
    let limit = async || examine(&options(url.as_str())).await.unwrap().connections;
    assert_eq!(limit().await.holder, "the server", "a superuser has no limit");
    let demote = format!("alter role {role} nosuperuser; grant all on all tables in schema public to {role}");
    run(&mut connection, &demote).await;
    let of_role = limit().await;
    assert_eq!((of_role.holder.clone(), of_role.limit), (format!("the role {role}"), 7));
    assert!((1..=7).contains(&of_role.in_use), "{of_role:?}");
    run(&mut connection, &format!("alter database {} connection limit 5", database.name())).await;
    let of_database = limit().await;
    assert_eq!((of_database.holder, of_database.limit), (format!("the database {}", database.name()), 5));
    assert!(of_database.remedy.contains("alter database"), "{}", of_database.remedy);
    run(&mut connection, &format!("alter role {role} connection limit 0")).await;
    let refused = examine(&options(url.as_str())).await.expect_err("no connection is left").to_string();
    assert!(refused.contains("alter role") && refused.contains("--database-connections"), "{refused}");
}
