//! What a given file and its place are like changes nothing, or is refused with its remedy.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use sqlx::Connection;
use store::{Accounts, SearchLog, Store};
use store_sqlite::{Access, OpenError, Options, SqliteCopy, SqliteStore, foreign_triggers, risks};
use tempfile::TempDir;
use tests::builders::{account, account_of, log_entry, log_job, no_attempt, search, signed};

use crate::sqlite::{connect_to, open, open_as};

async fn open_file(file: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(Options { file: file.to_owned(), readers: 2, access: Access::Owner }).await
}

/// A file of these first statements, without our tables.
async fn made_with(statements: &'static str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("search4letters.db"), "").unwrap();
    let mut connection = connect_to(folder.path()).await;
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    folder
}

#[tokio::test]
async fn a_file_has_one_owner_whatever_its_names_are() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    let file = folder.path().join("search4letters.db");
    let others = TempDir::new().unwrap();
    let [linked, hard, by_folder] = ["linked.db", "hard.db", "folder"].map(|name| others.path().join(name));
    symlink(&file, &linked).unwrap();
    fs::hard_link(&file, &hard).unwrap();
    symlink(folder.path(), &by_folder).unwrap();
    for alias in [&linked, &hard, &by_folder.join("search4letters.db")] {
        let error = open_file(alias).await.expect_err("it has an owner");
        assert!(matches!(error, OpenError::Locked { .. } | OpenError::InUse { .. }), "{error:?}");
        assert!(SqliteCopy::source(alias).await.is_err());
    }
    store.accept(search(1), log_job(search(1))).await.unwrap();
    store.close().await;
    open_file(&linked).await.unwrap().close().await;
}

#[tokio::test]
async fn a_guest_that_makes_the_file_leaves_it_to_an_owner() {
    let folder = TempDir::new().unwrap();
    let guest = open_as(folder.path(), Access::Guest).await.unwrap();
    let owner = open(folder.path()).await.unwrap();
    assert!(guest.create_account(account("ada"), &signed()).await.unwrap());
    assert!(account_of(&owner, "ada").await.is_some());
    guest.close().await;
    owner.close().await;
}

#[tokio::test]
async fn an_encoding_that_changes_characters_is_refused() {
    for encoding in
        ["pragma encoding = 'UTF-16le'; create table t (x)", "pragma encoding = 'UTF-16be'; create table t (x)"]
    {
        let folder = made_with(encoding).await;
        let mut connection = connect_to(folder.path()).await;
        sqlx::raw_sql("drop table t").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let error = open(folder.path()).await.expect_err("refused").to_string();
        assert!(error.contains("UTF-16") && error.contains("search4letters copy"), "{error}");
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_not_changed() {
    for theirs in [
        "create table bookmark (url text)",
        "create table _sqlx_migrations (version integer); insert into _sqlx_migrations values (20260101)",
    ] {
        let folder = made_with(theirs).await;
        let file = folder.path().join("search4letters.db");
        let before = fs::metadata(&file).unwrap().len();
        let error = open(folder.path()).await.expect_err("refused").to_string();
        assert!(error.contains("of another program"), "{error}");
        assert_eq!(fs::metadata(&file).unwrap().len(), before);
    }
}

#[tokio::test]
async fn page_settings_of_the_file_change_nothing() {
    for settings in [
        "pragma page_size = 512; pragma auto_vacuum = full; vacuum",
        "pragma page_size = 65536; pragma auto_vacuum = incremental; vacuum",
    ] {
        let folder = made_with(settings).await;
        let store = open(folder.path()).await.unwrap();
        store.accept(search(1), log_job(search(1))).await.unwrap();
        store.record(log_entry(search(1), "日本語"), no_attempt()).await.unwrap();
        assert_eq!(store.ledger().await.unwrap().drift(), 0, "{settings}");
        store.close().await;
    }
}

#[tokio::test]
async fn several_names_of_a_file_are_a_risk() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.unwrap().close().await;
    let file = folder.path().join("search4letters.db");
    let of_names = || risks(&file).into_iter().filter(|risk| risk.contains("2 names")).count();
    assert_eq!(of_names(), 0);
    fs::hard_link(&file, folder.path().join("other.db")).unwrap();
    assert_eq!(of_names(), 1);
}

#[tokio::test]
async fn a_file_in_memory_is_a_risk() {
    let folder = TempDir::new_in("/dev/shm").unwrap();
    open(folder.path()).await.unwrap().close().await;
    let [risk] = risks(&folder.path().join("search4letters.db")).try_into().expect("one risk");
    assert!(risk.contains("is in memory") && risk.contains("--data"), "{risk}");
}

#[tokio::test]
async fn triggers_of_others_are_found() {
    let folder = TempDir::new().unwrap();
    let _store = open(folder.path()).await.unwrap();
    let file = folder.path().join("search4letters.db");
    assert_eq!(foreign_triggers(&file).await.unwrap(), Vec::<String>::new());
    let trigger = "create trigger mine before insert on log begin select raise(abort, 'no'); end";
    sqlx::raw_sql(trigger).execute(&mut connect_to(folder.path()).await).await.unwrap();
    let [risk] = foreign_triggers(&file).await.unwrap().try_into().expect("one risk");
    assert!(risk.contains("table log has the trigger mine"), "{risk}");
}
