//! Which folders are opened, and with which errors others are refused.

use std::fs;
use std::path::Path;

use futures::TryStreamExt;
use sqlx::Connection;
use store::{Accounts, JobAdmin, JobQueue, LogSpan, SearchLog, Store};
use store_sqlite::{Access, OpenError, Options, SqliteStore};
use tempfile::TempDir;
use tests::builders::{
    START, account, account_of, claim, job, log_entry, log_job, log_query, no_attempt, search, signed,
};

use crate::attempts_that_had_a_row_are_shown_and_kept;
use crate::sqlite::{connect_to, open, open_as};

async fn refusal(folder: &Path) -> OpenError {
    open(folder).await.expect_err("this folder must be refused")
}

#[tokio::test]
async fn the_sqlite_library_is_without_the_wal_reset_bug() {
    let folder = TempDir::new().unwrap();
    let _store = open(folder.path()).await.unwrap();
    let mut connection = connect_to(folder.path()).await;
    let version: String = sqlx::query_scalar("select sqlite_version()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(version, "3.51.3");
}

#[tokio::test]
async fn a_missing_folder_is_created() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("some/data");
    open(&folder).await.unwrap().close().await;
    assert!(folder.join("search4letters.db").is_file());
}

#[tokio::test]
async fn a_folder_that_cannot_be_created_is_refused() {
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = refusal(&file.join("data")).await;
    assert!(matches!(error, OpenError::FolderCannotBeMade { .. }), "{error:?}");
    assert!(error.to_string().contains("--data"), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_refused() {
    // Permissions do not restrict root, so a folder takes the lock file's name instead.
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("search4letters.db.lock")).unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::FolderNotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains("write permission"), "{error}");
}

#[tokio::test]
async fn a_guest_works_beside_the_owner_without_a_lock() {
    let folder = TempDir::new().unwrap();
    let owner = open(folder.path()).await.unwrap();
    let guest = open_as(folder.path(), Access::Guest).await.unwrap();
    assert!(guest.create_account(account("ada"), &signed()).await.unwrap());
    assert!(account_of(&owner, "ada").await.is_some());
    owner.close().await;
    let next_owner = open(folder.path()).await.unwrap();
    assert!(account_of(&guest, "ada").await.is_some());
    next_owner.close().await;
    guest.close().await;
}

#[tokio::test]
async fn a_guest_does_not_migrate_an_older_schema() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.unwrap().close().await;
    let mut connection = connect_to(folder.path()).await;
    let newest = "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)";
    sqlx::query(newest).execute(&mut connection).await.unwrap();
    let error = open_as(folder.path(), Access::Guest).await.expect_err("refused");
    assert!(matches!(error, OpenError::OlderSchema { .. }), "{error:?}");
    assert!(error.to_string().contains("search4letters migrate"), "{error}");
}

#[tokio::test]
async fn a_folder_in_use_is_refused_naming_its_process() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error:?}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    store.close().await;
    open(folder.path()).await.expect("the folder is free again");
}

async fn open_file(file: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(Options { file: file.to_owned(), readers: 1, access: Access::Owner }).await
}

#[tokio::test]
async fn files_of_others_beside_the_database_are_not_changed() {
    let folder = TempDir::new().unwrap();
    let (database, of_rust) = (folder.path().join("Cargo.db"), folder.path().join("Cargo.lock"));
    fs::write(&of_rust, "[[package]]").unwrap();
    open_file(&database).await.unwrap().close().await;
    assert_eq!(fs::read_to_string(&of_rust).unwrap(), "[[package]]");

    let lock = folder.path().join("Cargo.db.lock");
    fs::write(&lock, "[[package]]").unwrap();
    let error = open_file(&database).await.expect_err("its lock file is not its own");
    assert!(matches!(error, OpenError::ForeignLockFile { .. }), "{error:?}");
    assert!(error.to_string().contains("move it away"), "{error}");
    assert_eq!(fs::read_to_string(&lock).unwrap(), "[[package]]");
}

#[tokio::test]
async fn two_databases_whose_names_differ_in_their_endings_can_be_used_at_the_same_time() {
    let folder = TempDir::new().unwrap();
    // An earlier version has left one lock file for both.
    fs::write(folder.path().join("one.lock"), "4194304\n").unwrap();
    let one = open_file(&folder.path().join("one.db")).await.unwrap();
    let other = open_file(&folder.path().join("one.sqlite")).await.unwrap();
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn an_owner_of_an_earlier_version_is_not_disturbed() {
    let folder = TempDir::new().unwrap();
    let earlier = folder.path().join("search4letters.lock");
    fs::write(&earlier, "77\n").unwrap();
    let held = fs::File::open(&earlier).unwrap();
    held.try_lock().unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Locked { pid: Some(77), .. }), "{error:?}");
    held.unlock().unwrap();
    let store = open(folder.path()).await.unwrap();
    assert!(held.try_lock().is_err(), "an earlier version would be kept out");
    store.close().await;
    held.try_lock().expect("released");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_not_changed() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.unwrap().close().await;
    let mut connection = connect_to(folder.path()).await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'from the future', true, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::NewerSchema { version: 9999, .. }), "{error:?}");
    assert!(error.to_string().contains("Install that version"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused_and_kept() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("search4letters.db");
    let text = "These are somebody's notes and no database. ".repeat(100);
    fs::write(&file, &text).unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_kept() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    for number in 0..500 {
        store.accept(search(number), log_job(search(number))).await.unwrap();
    }
    store.close().await;
    let file = folder.path().join("search4letters.db");
    let mut bytes = fs::read(&file).unwrap();
    // The first page still says that this is a database; others are overwritten.
    for page in bytes.chunks_mut(4096).skip(2).step_by(3) {
        page.fill(0xa5);
    }
    fs::write(&file, &bytes).unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn the_originals_statement_still_reads_the_log() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    store.record(log_entry(search(1), "life, the universe"), no_attempt()).await.unwrap();
    let mut connection = connect_to(folder.path()).await;
    let row: (String, String, String, String, String) =
        sqlx::query_as("select phrase, letters, ip, browser_string, results from log")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    let expected = ("life, the universe", "aeiou", "127.0.0.1", "Firefox", "{'e', 'i'}");
    assert_eq!((row.0.as_str(), row.1.as_str(), row.2.as_str(), row.3.as_str(), row.4.as_str()), expected);
}

#[tokio::test]
async fn a_store_that_was_not_closed_recovers() {
    let folder = TempDir::new().unwrap();
    let copy = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    for number in 0..50 {
        store.record(log_entry(search(number), "life"), no_attempt()).await.unwrap();
    }
    // Copies what a killed process would leave on the disk now: the file and its write-ahead log.
    for name in ["search4letters.db", "search4letters.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let recovered = open(copy.path()).await.unwrap();
    let rows: Vec<_> = recovered.log_rows(log_query(LogSpan::Newest)).try_collect().await.unwrap();
    assert_eq!(rows.len(), 50);
}

#[tokio::test]
async fn a_database_from_before_the_table_of_kinds_gets_its_kinds() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    for kind in ["b", "a", "b"] {
        store.enqueue(job(kind)).await.unwrap();
    }
    store.close().await;
    let mut connection = connect_to(folder.path()).await;
    // Restores the schema's fifth version.
    let back = "drop table reopened_job; alter table ledger add column reopened integer not null default 0;
                drop table job_output; drop table job_report; drop index job_of_kind;
                alter table job drop column done_by;
                drop table audit;
                drop table copy; drop table job_kind; drop table worker; drop index job_waiting;
                create index job_waiting on job (priority desc, id) where state = 'waiting';
                delete from _sqlx_migrations where version > 5";
    sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = open(folder.path()).await.unwrap();
    let kinds = store.kinds().await.unwrap();
    let known: Vec<_> = kinds.iter().map(|it| (it.kind.as_str(), it.paused, it.limit, it.counts.waiting)).collect();
    assert_eq!(known, [("a", false, None, 1), ("b", false, None, 2)]);
    assert!(store.pause_kind("b", &signed()).await.unwrap());
    let claimed = store.claim(claim("w", 9, START)).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn attempts_of_a_database_in_which_each_had_a_row_are_shown_and_kept() {
    let folder = TempDir::new().unwrap();
    let opened = async || open(folder.path()).await.unwrap();
    // Restores the schema's tenth version.
    let back = "insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome)
                select id, 1, attempt, done_by, started_at_ms, finished_at_ms, 'done' from job;
                alter table job drop column done_by;
                drop table audit;
                delete from _sqlx_migrations where version > 10";
    let roll_back = async || {
        let mut connection = connect_to(folder.path()).await;
        sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    attempts_that_had_a_row_are_shown_and_kept(opened, roll_back).await;
}

#[tokio::test]
async fn a_restored_copy_has_the_secret_and_another_identity() {
    let (original, copied) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = open(original.path()).await.unwrap();
    let (secret, identity) = (store.secret().await.unwrap(), store.identity().to_owned());
    store.close().await;
    fs::copy(original.path().join("search4letters.db"), copied.path().join("search4letters.db")).unwrap();
    let copy = open(copied.path()).await.unwrap();
    assert_eq!(copy.secret().await.unwrap(), secret);
    assert_ne!(copy.identity(), identity);
}
