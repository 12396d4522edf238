//! SQLite's plans for the statements of the store.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sqlx::{AssertSqlSafe, Row};
use tempfile::TempDir;

use crate::sqlite::{connect_to, open};

/// Statements that may read a table whole, each with the reason.
const MAY_SCAN: &[(&str, &str)] = &[
    ("from job_count", "it has seven rows"),
    ("update job_count", "it has seven rows"),
    ("from missing_search", "it is read only when the ledger does not add up"),
    ("from account limit 1", "the first row ends it"),
    ("password_hash from account", "there are few accounts, and a login compares all names"),
    ("count(*) as \"records!: i64\"", "a copy counts the rows of a table once before it reads them all"),
    ("from sqlite_sequence", "it has a row for each table"),
    ("exists (select 1 from account)", "the first row of each table ends it"),
    ("from copy", "it has one row"),
    ("update copy", "it has one row"),
    ("delete from session", "it is pruned, and has a row for each who is logged in"),
    ("delete from setup_link", "it has at most one row"),
];

/// Every statement that is checked at compile time is in the offline data, under its own text.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/store/sqlite/.sqlx");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let texts = files.map(|file| {
        let data: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        data["query"].as_str().unwrap().to_owned()
    });
    texts.collect()
}

async fn plans() -> BTreeMap<String, Vec<String>> {
    let folder = TempDir::new().unwrap();
    let _store = open(folder.path()).await.unwrap();
    let mut connection = connect_to(folder.path()).await;
    let mut plans = BTreeMap::new();
    for statement in statements() {
        let explain = sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")));
        let rows = explain.fetch_all(&mut connection).await.unwrap();
        plans.insert(statement, rows.iter().map(|row| row.get::<String, _>("detail")).collect());
    }
    plans
}

#[tokio::test]
async fn no_statement_reads_a_large_table_whole_or_sorts_it() {
    let plans = plans().await;
    assert!(plans.len() > 25, "only {} statements", plans.len());
    for (statement, plan) in plans {
        if MAY_SCAN.iter().any(|(part, _)| statement.contains(part)) {
            continue;
        }
        for step in &plan {
            let reads_whole = step.starts_with("SCAN")
                && !step.contains("VIRTUAL TABLE")
                && !step.contains("subquery")
                && !step.starts_with("SCAN (")
                && !step.contains("CONSTANT ROW");
            // These have one row per kind, per worker, and per kind with waiting jobs.
            let is_small = ["SCAN job_kind", "SCAN worker", "SCAN waiting"].contains(&step.as_str());
            // A partial index read in its own order yields only rows of the result.
            let in_order = ["job_waiting", "job_due", "job_ended"].iter().any(|index| step.contains(index));
            assert!(!reads_whole || in_order || is_small, "{step}\n{statement}");
            assert!(!step.contains("AUTOMATIC"), "{step}\n{statement}");
            assert!(!step.contains("TEMP B-TREE FOR ORDER BY"), "{step}\n{statement}");
        }
    }
}

/// The plan of the one statement that contains all of `parts`.
fn plan_of<'a>(plans: &'a BTreeMap<String, Vec<String>>, parts: &[&str]) -> &'a [String] {
    let found: Vec<_> = plans.iter().filter(|(text, _)| parts.iter().all(|part| text.contains(part))).collect();
    let [(_, plan)] = found[..] else { panic!("{} statements contain {parts:?}", found.len()) };
    plan
}

#[tokio::test]
async fn frequent_statements_use_their_index() {
    let plans = plans().await;
    let cases: &[(&[&str], &str)] = &[
        (&["set state = 'done',"], "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"),
        (&["set state = 'running'"], "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"),
        (&["with recursive waiting"], "SEARCH job USING COVERING INDEX job_waiting (kind>?)"),
        (&["with recursive waiting"], "SEARCH job USING INDEX job_state (state=?)"),
        (&["octet_length(payload)"], "SEARCH job USING INDEX job_waiting (kind=?)"),
        (&["run_at_ms <= ?1"], "SEARCH job USING INDEX job_due (run_at_ms<?)"),
        (&["select run_at_ms from job"], "SCAN job USING INDEX job_due"),
        (&["lease_until_ms < ?1 limit 1"], "INDEX job_state (state=?)"),
        (&["where state = ?1 and id < ?3"], "INDEX job_state (state=? AND rowid<?)"),
        (&["where id < ?2 and (?1 is null"], "INTEGER PRIMARY KEY (rowid<?)"),
        (&["where id < ?2 and (?1 is null"], "SEARCH job_report USING INTEGER PRIMARY KEY (rowid=?)"),
        (&["kind <> 'log_request' and id < ?3"], "INDEX job_of_kind (kind=? AND id<?)"),
        (&["insert into job_report"], "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"),
        (&["from job_output"], "INDEX sqlite_autoindex_job_output_1 (job_id=? AND number>?)"),
        (&["delete from job", "order by"], "INDEX job_ended (finished_at_ms<?)"),
        (&["priority", "where job.kind = ?1 and key = ?2"], "INDEX sqlite_autoindex_job_1 (kind=? AND key=?)"),
        (&["percent", "where kind = ?1 and key = ?2"], "INDEX sqlite_autoindex_job_1 (kind=? AND key=?)"),
        (&["priority > ?1"], "INDEX job_waiting (kind=? AND priority>?)"),
        (&["where id <= ?1 and id >= ?2 order by"], "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (&["group_concat(line"], "SEARCH log USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (&["from log where search_id = ?1"], "INDEX sqlite_autoindex_log_1 (search_id=?)"),
    ];
    let strays: Vec<_> = cases
        .iter()
        .map(|(parts, expected)| (parts, expected, plan_of(&plans, parts)))
        .filter(|(_, expected, plan)| !plan.iter().any(|step| step.contains(*expected)))
        .collect();
    assert!(strays.is_empty(), "{strays:#?}");
}
