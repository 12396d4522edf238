//! PostgreSQL's plans for the statements of the store, on tables that are large enough for wrong plans.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::workload::cases;
use tokio::sync::OnceCell;

use crate::postgres::create_database;

/// Statements that may read a large table whole, each with the reason.
const MAY_SCAN: &[(&str, &str)] = &[
    ("from missing_search", "it is read only when the ledger does not add up"),
    ("count(*) as \"records!\" from log", "it is read by a copy, which reads the table whole anyway"),
];

/// A database with as many waiting jobs as done ones, each with its attempt and its row.
async fn stocked() -> &'static tests::PostgresDatabase {
    static STOCKED: OnceCell<tests::PostgresDatabase> = OnceCell::const_new();
    let fill = async || {
        let database = create_database().await;
        let mut connection = database.connect().await;
        // Without triggers: their counts do not matter here.
        let statements = format!(
            "set session_replication_role = replica;
             insert into job (kind, key, payload, state, priority, attempt, max_attempts, run_at_ms, created_at_ms,
                              started_at_ms, finished_at_ms, recorded)
             select 'log_request', 'done' || n, '{{}}', 'done', 0, 1, 20, n, n, n, n, true
             from generate_series(1, {count}) as n;
             insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome)
             select id, 1, 1, 'w', run_at_ms, run_at_ms, 'done' from job;
             insert into log (phrase, letters, ip, browser_string, results, user_agent, search_id, job_id,
                              searched_at_ms, recorded_at_ms)
             select 'life', 'aeiou', '127.0.0.1', 'Firefox', '{{}}', 'Mozilla', key, id, run_at_ms, run_at_ms from job;
             insert into job (kind, payload, state, priority, attempt, max_attempts, run_at_ms, created_at_ms)
             select 'lab_run', '{{}}', 'done', 0, 1, 20, n, n from generate_series(1, {count} / 20) as n;
             insert into job_report (job_id, percent, note, parts)
             select id, 100, 'done', 10 from job where kind = 'lab_run';
             insert into job_output (job_id, number, text)
             select job_id, number, 'x' from job_report cross join generate_series(1, parts) as number;
             insert into job (kind, key, payload, state, priority, max_attempts, run_at_ms, created_at_ms)
             select 'log_request', 'waiting' || n, '{{}}', 'waiting', 0, 20, n, n
             from generate_series(1, {count}) as n;
             vacuum analyze",
            count = cases(20_000)
        );
        for statement in statements.split(';') {
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        database
    };
    STOCKED.get_or_init(fill).await
}

/// Every statement that is checked at compile time is in the offline data, under its own text.
fn statements() -> Vec<(String, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/store/postgres/.sqlx");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let statements = files.map(|file| {
        let data: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let parameters = data["describe"]["parameters"]["Left"].as_array().unwrap();
        let parameters = parameters.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect();
        (data["query"].as_str().unwrap().to_owned(), parameters)
    });
    statements.collect()
}

/// The plan for possible arguments, made as on the store's connections, with `elements` elements in each array.
async fn plan(connection: &mut PgConnection, statement: &str, parameters: &[String], elements: u32) -> Value {
    let arguments: Vec<String> = parameters.iter().map(|name| argument(name, elements)).collect();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    prepare(connection, statement).await;
    explain(connection, &format!("explain (format json) execute it {arguments}")).await
}

async fn prepare(connection: &mut PgConnection, statement: &str) {
    let prepare = format!("set plan_cache_mode = force_custom_plan; deallocate all; prepare it as {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(connection).await.unwrap();
}

/// A possible value of a parameter of this type.
fn argument(type_name: &str, elements: u32) -> String {
    let array =
        |element: fn(u32) -> String| format!("'{{{}}}'", (1..=elements).map(element).collect::<Vec<_>>().join(","));
    match type_name {
        "Int2" => "0".to_owned(),
        "Int4" | "Int8" => "100".to_owned(),
        "Bool" => "true".to_owned(),
        "Text" | "Bytea" => "'x'".to_owned(),
        "BoolArray" => array(|number| (number % 2 == 0).to_string()),
        // Numbers are texts as well.
        other if other.ends_with("Array") => array(|number| number.to_string()),
        _ => "null".to_owned(),
    }
}

async fn explain(connection: &mut PgConnection, statement: &str) -> Value {
    use sqlx::Row as _;
    let row = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).fetch_one(connection).await.unwrap();
    // In the simple protocol every value is text.
    let text: String = row.try_get_unchecked(0).unwrap();
    let plans: Value = serde_json::from_str(&text).unwrap();
    plans[0]["Plan"].clone()
}

/// A plan and all nodes below it.
fn nodes(plan: &Value) -> Vec<&Value> {
    let below = plan["Plans"].as_array().into_iter().flatten();
    std::iter::once(plan).chain(below.flat_map(nodes)).collect()
}

#[tokio::test]
async fn no_statement_reads_a_large_table_whole() {
    let mut connection = stocked().await.connect().await;
    let statements = statements();
    assert!(statements.len() > 25, "only {} statements", statements.len());
    let mut found = BTreeMap::new();
    for (statement, parameters) in statements {
        if MAY_SCAN.iter().any(|(part, _)| statement.contains(part)) {
            continue;
        }
        // A batch can have few or many elements.
        let (small, large) = (
            plan(&mut connection, &statement, &parameters, 2).await,
            plan(&mut connection, &statement, &parameters, 1000).await,
        );
        for node in [&small, &large].into_iter().flat_map(nodes) {
            let table = node["Relation Name"].as_str().unwrap_or_default();
            // The node that writes the rows names the table too.
            let is_large = ["job", "attempt", "log", "job_report", "job_output"].contains(&table)
                && node["Node Type"] != "ModifyTable";
            let by_nothing = ["Index Cond", "Recheck Cond"].iter().all(|condition| node[condition].is_null());
            // A partial index read in its own order yields only rows of the result.
            let index = node["Index Name"].as_str().unwrap_or_default();
            let in_order = ["job_waiting", "job_due", "job_ended", "job_pk", "log_pk"].contains(&index);
            if is_large && by_nothing && !in_order {
                found.insert(statement.clone(), node.clone());
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Runs `explain analyze` on a claim, and rolls it back.
async fn claimed(connection: &mut PgConnection) -> Value {
    let (statement, _) =
        statements().into_iter().find(|(text, _)| text.contains("urgent as materialized")).expect("a claim");
    prepare(connection, &statement).await;
    let mut transaction = connection.begin().await.unwrap();
    let execute = "explain (analyze, buffers, format json) execute it ('w', 1, 1, '{}', 0, 0, 16)";
    let plan = explain(&mut transaction, execute).await;
    transaction.rollback().await.unwrap();
    plan
}

/// A page of a kind with few jobs, which are older than most others.
#[tokio::test]
async fn a_page_of_a_rare_kind_uses_its_index() {
    let mut connection = stocked().await.connect().await;
    let (statement, _) =
        statements().into_iter().find(|(text, _)| text.contains("kind <> 'log_request' and id <")).expect("a page");
    // For a state with hardly any jobs, the index on the state is as good.
    for (state, index) in [("null", "job_of_kind"), ("'done'", "job_of_kind"), ("'dead'", "job_state")] {
        prepare(&mut connection, &statement).await;
        let execute =
            format!("explain (analyze, buffers, format json) execute it ('lab_run', {state}, 9223372036854775807, 26)");
        let plan = explain(&mut connection, &execute).await;
        assert!(nodes(&plan).into_iter().any(|node| node["Index Name"] == index), "{plan:#}");
        let pages = plan["Shared Hit Blocks"].as_u64().unwrap() + plan["Shared Read Blocks"].as_u64().unwrap();
        assert!(pages < 200, "{pages} pages: {plan:#}");
    }
}

#[tokio::test]
async fn a_claim_reads_only_the_jobs_that_it_takes() {
    let mut connection = stocked().await.connect().await;
    let plan = claimed(&mut connection).await;
    let waiting: Vec<&Value> = nodes(&plan).into_iter().filter(|node| node["Index Name"] == "job_waiting").collect();
    let read: f64 = waiting.iter().map(|node| node["Actual Rows"].as_f64().unwrap()).sum();
    assert!(read <= 16.0, "{read} entries were read for 16 jobs: {plan:#}");
    assert_eq!(plan["Actual Rows"].as_f64(), Some(16.0));
    // A few pages for each job and each of its indexes. Reading a whole table would touch many more.
    let pages = plan["Shared Hit Blocks"].as_u64().unwrap() + plan["Shared Read Blocks"].as_u64().unwrap();
    assert!(pages < 500, "{pages} pages: {plan:#}");
}
