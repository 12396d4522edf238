//! The output of `export`, and its exit codes.

use std::path::Path;

use api::{JobId, LogRow, LogSeq, TimeMs};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Row};
use tests::exported::{rows_of_csv, rows_of_ndjson};
use tokio::io::AsyncReadExt;

use crate::ExportSource;

#[tokio::test]
async fn a_file_is_exported_exactly_in_every_format() {
    every_format_is_exact(ExportSource::sqlite().await).await;
}

#[tokio::test]
async fn a_server_is_exported_exactly_in_every_format() {
    every_format_is_exact(ExportSource::postgres().await).await;
}

/// The store stays open, like that of a running server.
async fn every_format_is_exact(source: ExportSource) {
    source.record_corpus().await;
    source.record_many(2_000).await;
    let rows = source.rows().await;
    assert!(rows_of_ndjson(&source.prints(&["export"]).await) == rows, "ndjson is the default");
    assert!(rows_of_csv(&source.prints(&["export", "--format", "csv"]).await) == rows);
    assert!(rows_of_ndjson(&source.prints(&["export", "--filter", "-row:1"]).await) == rows[1..], "filtered");
    for (format, read) in [("ndjson", rows_of_ndjson as fn(&str) -> Vec<LogRow>), ("csv", rows_of_csv)] {
        let file = source.path(&format!("log.{format}"));
        let arguments = ["export", "--format", format, "--output", file.to_str().expect("a plain path")];
        assert_eq!(source.prints(&arguments).await, "");
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert!(read(&text) == rows, "{format}");
    }
    let file = source.path("log.sqlite");
    source.prints(&["export", "--format", "sqlite", "--output", file.to_str().expect("a plain path")]).await;
    assert!(rows_of_file(&file).await == rows, "sqlite");
    assert!(source.parts().is_empty(), "nothing is left over");
}

async fn rows_of_file(file: &Path) -> Vec<LogRow> {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.expect("a database");
    let check: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await.expect("read");
    assert_eq!(check, "ok");
    let manifest = sqlx::query("select complete, rows, upto, filter from manifest");
    let manifest = manifest.fetch_one(&mut connection).await.expect("a manifest");
    assert_eq!((manifest.get::<i64, _>(0), manifest.get::<String, _>(3).as_str()), (1, ""));
    let counted = "select count(*), max(id) from log";
    let counted = sqlx::query(counted).fetch_one(&mut connection).await.expect("a table");
    let numbers = |row: &SqliteRow, first: usize| (row.get::<i64, _>(first), row.get::<i64, _>(first + 1));
    assert_eq!(numbers(&manifest, 1), numbers(&counted, 0), "the manifest counts the rows");
    let rows = sqlx::query("select * from log order by id").fetch_all(&mut connection).await.expect("a table");
    rows.iter().map(row_of).collect()
}

fn row_of(row: &SqliteRow) -> LogRow {
    let text = |name: &str| row.get::<String, _>(name);
    LogRow {
        seq: LogSeq(row.get("id")),
        search_id: text("search_id").parse().expect("an id"),
        job_id: JobId(row.get("job_id")),
        phrase: text("phrase"),
        letters: text("letters"),
        results: text("results"),
        ip: text("ip"),
        browser_family: text("browser_string"),
        user_agent: text("user_agent"),
        searched_at: TimeMs(row.get("searched_at_ms")),
        recorded_at: TimeMs(row.get("recorded_at_ms")),
    }
}

#[tokio::test]
async fn a_closed_pipe_ends_the_export_silently() {
    let source = ExportSource::sqlite().await;
    source.record_many(5_000).await;
    let mut export = source.spawn(&["export"]);
    let mut out = export.stdout.take().expect("piped");
    let mut begin = [0; 100];
    out.read_exact(&mut begin).await.expect("the first row");
    drop(out);
    let ended = export.wait_with_output().await.expect("our own child");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}

#[tokio::test]
async fn check_ends_silently_if_its_output_is_closed() {
    let source = ExportSource::sqlite().await;
    let mut check = source.spawn(&["check", "--listen", "127.0.0.1:0"]);
    drop(check.stdout.take());
    let ended = check.wait_with_output().await.expect("our own child");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}

#[tokio::test]
async fn an_output_that_cannot_be_written_is_refused_in_a_sentence() {
    let source = ExportSource::sqlite().await;
    source.record_many(1).await;
    std::fs::write(source.path("taken"), "mine").expect("written");
    let (taken, nowhere) = (source.path("taken"), source.path("no/such/folder"));
    let taken = taken.to_str().expect("a plain path");
    for (output, format, words) in [
        (taken, "ndjson", "exists"),
        (taken, "sqlite", "exists"),
        (nowhere.to_str().expect("a plain path"), "csv", "cannot be written"),
        ("/dev/stdout", "ndjson", "leave out --output"),
        ("/dev/null", "csv", "leave out --output"),
        ("/", "sqlite", "name a file in it"),
    ] {
        let arguments = ["export", "--format", format, "--output", output];
        let ended = source.spawn(&arguments).wait_with_output().await.expect("our own child");
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains(words) && complaint.lines().count() == 1, "{complaint}");
    }
    assert_eq!(std::fs::read_to_string(taken).expect("still there"), "mine");
    let nothing = source.path("nothing.db");
    let url = format!("sqlite:{}", nothing.display());
    let ended = source.spawn(&["export", "--database-url", &url]).wait_with_output().await.expect("our own child");
    assert!(ended.status.code() == Some(1) && !nothing.exists(), "{ended:?}");
}

#[tokio::test]
async fn concurrent_exports_to_one_name_leave_each_other_alone() {
    let source = ExportSource::sqlite().await;
    source.record_many(20_000).await;
    // The longest name that file systems take.
    let file = source.path(&"x".repeat(255));
    // Like an export of another container, which may have any process id.
    let foreign = source.path(".search4letters-other.part");
    std::fs::write(&foreign, "another export").expect("written");
    let arguments = ["export", "--output", file.to_str().expect("a plain path")];
    let exports = [source.spawn(&arguments), source.spawn(&arguments), source.spawn(&arguments)];
    let mut succeeded = 0;
    for export in exports {
        let ended = export.wait_with_output().await.expect("our own child");
        let complaint = String::from_utf8_lossy(&ended.stderr);
        succeeded += u32::from(ended.status.success());
        assert!(ended.status.success() || complaint.contains("exists"), "{complaint}");
    }
    assert_eq!(succeeded, 1, "the others find that the name is taken");
    assert!(rows_of_ndjson(&std::fs::read_to_string(&file).expect("it is there")) == source.rows().await);
    assert_eq!(source.parts(), [foreign]);
}

#[tokio::test]
async fn a_filter_without_its_field_that_finds_nothing_is_answered_with_a_hint() {
    let source = ExportSource::sqlite().await;
    source.record_many(1).await;
    let receipt = "0123456789abcdef0123456789abcdef";
    for format in ["ndjson", "sqlite"] {
        let file = source.path(&format!("log.{format}"));
        let output = file.to_str().expect("a plain path");
        let arguments = ["export", "--filter", receipt, "--format", format, "--output", output];
        let ended = source.spawn(&arguments).wait_with_output().await.expect("our own child");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() && said.contains(&format!("--filter 'receipt:{receipt}'")), "{said}");
    }
}

#[tokio::test]
async fn an_export_whose_output_is_closed_fails() {
    let source = ExportSource::sqlite().await;
    source.record_many(1).await;
    for (redirection, code) in [(">&-", 1), (">/dev/full", 1), (">/dev/null", 0)] {
        let ended = source.run_in_shell(&["export"], redirection).await;
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{redirection}: {complaint}");
        assert_eq!(complaint.contains("standard output"), code == 1, "{redirection}: {complaint}");
    }
}
