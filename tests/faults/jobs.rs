//! Jobs that pile up, are slow, have corrupt payloads, or meet a clock change.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tests::eventually;
use tests::server_process::Installation;
use tests::workload::usual_or_long;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client_log::{ClientLog, LatencyBaseline};
use crate::tables::Tables;
use crate::verdict::assert_complete;

/// The number of jobs in one statement.
const CHUNK: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_backlog_does_not_delay_searches() {
    let (jobs, patience_s) = usual_or_long((100_000, 120), (1_000_000, 1_200));
    let installation = Installation::new();
    let client_log = ClientLog::default();
    installation.start(&[]).await.kill().await;
    let mut tables = Tables::open(&installation.database()).await;
    for chunk in client_log.promise(jobs).chunks(CHUNK) {
        let jobs: Vec<_> =
            chunk.iter().map(|(id, phrase)| (id.to_string(), log_request(&id.to_string(), phrase))).collect();
        tables.add_jobs("log_request", &jobs).await;
    }

    let server = installation.start(&[]).await;
    let baseline = LatencyBaseline::measure(&installation);
    for _ in 0..100 {
        assert!(client_log.search(&server.client()).await.is_some());
    }
    baseline.assert_no_client_waited(&client_log);
    tables.settled(&client_log, Duration::from_secs(patience_s)).await;
    tables.assert_logged(&client_log).await;
}

fn log_request(id: &str, phrase: &str) -> String {
    json!({
        "v": 1, "id": id, "phrase": phrase, "letters": "aeiou", "results": "{'e', 'i', 'u'}", "ip": "127.0.0.1",
        "browser_string": "Firefox", "user_agent": "Firefox", "searched_at": 1_700_000_000_000_i64,
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_log_does_not_delay_two_hundred_searches() {
    const SEARCHES: i64 = 200;
    const DELAY: Duration = Duration::from_secs(6);
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&["--log-delay", "6s"]).await;

    let began = Instant::now();
    let mut searches = JoinSet::new();
    for _ in 0..SEARCHES {
        let (client_log, client) = (client_log.clone(), server.client());
        searches.spawn(async move { client_log.search(&client).await });
    }
    assert!(searches.join_all().await.into_iter().all(|answer| answer.is_some()));
    let mut tables = Tables::open(&installation.database()).await;
    // If a single search had waited for its log write, this would come after the first row.
    assert_eq!(tables.number("select count(*) from log").await, 0);
    assert!(began.elapsed() < DELAY, "answered after {:?}", began.elapsed());

    eventually("all of them sleep side by side", async || {
        (tables.jobs().await.get("running") == Some(&SEARCHES)).then_some(())
    })
    .await;
    tables.all_jobs_done().await;
    assert!(began.elapsed() >= DELAY, "the delay was not kept");
    assert!(began.elapsed() < 3 * DELAY, "they did not sleep side by side, but took {:?}", began.elapsed());
    tables.assert_logged(&client_log).await;
    assert_eq!(tables.number("select count(*) from log").await, SEARCHES);
}

/// Kind, payload, and the error of the dead job.
const UNREADABLE: [(&str, &str, &str); 6] = [
    ("log_request", "", "EOF while parsing"),
    ("log_request", "not json", "expected"),
    ("log_request", r#"{"v":99,"id":"x"}"#, "its version is 99"),
    ("log_request", r#"{"v":1}"#, "missing field"),
    ("log_request", r#"{"v":1,"id":"no ulid"}"#, "the payload cannot be read"),
    ("make_tea", r#"{"v":1}"#, "does not know jobs of the type make_tea"),
];
/// Jobs of each sort: enough to fill every slot if they did not end.
const EACH: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_corrupt_payloads_are_dead_and_do_not_hinder_others() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&["--no-worker"]).await;
    let mut tables = Tables::open(&installation.database()).await;
    for _ in 0..EACH {
        for (kind, payload, _) in UNREADABLE {
            tables.add_job(kind, None, payload).await;
        }
        assert!(client_log.search(&server.client()).await.is_some());
    }
    server.kill().await;

    let server = installation.start(&["--workers", "8"]).await;
    assert!(client_log.search(&server.client()).await.is_some());
    assert_complete(&installation, &client_log).await;
    for (kind, payload, reason) in UNREADABLE {
        let dead = format!(
            "select count(*) from job where kind = '{kind}' and payload = '{payload}' and state = 'dead'
             and instr(error, '{reason}') > 0 and attempt = 1"
        );
        assert_eq!(tables.number(&dead).await, EACH as i64, "{payload:?} says {reason:?}");
    }
}

const SLOTS: i64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_by_hours_stalls_or_doubles_no_job() {
    let installation = Installation::new();
    let stamp = installation.folder().join("clock");
    let set_clock = |offset: &str| fs::write(&stamp, offset).expect("the folder is there");
    set_clock("+0");
    let installation = installation
        .with_variable("LD_PRELOAD", libfaketime())
        .with_variable("FAKETIME_TIMESTAMP_FILE", &stamp)
        .with_variable("FAKETIME_NO_CACHE", "1")
        // A machine's monotonic clock does not jump when its wall clock is set.
        .with_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let client_log = ClientLog::default();
    let server = installation.start(&["--log-delay", "1s", "--workers", &SLOTS.to_string()]).await;
    let client = server.client();
    let mut tables = Tables::open(&installation.database()).await;
    // One row in ten cannot be written at first.
    tables
        .run(
            "create trigger refused before insert on log when new.phrase like '%3'
             begin select raise(abort, 'not now'); end",
        )
        .await;
    let done = "select count(*) from job where state = 'done'";
    for offset in ["+5h", "-7h", "+48h", "+0"] {
        for _ in 0..10 {
            assert!(client_log.search(&client).await.is_some());
        }
        eventually("some wait, some run, one is tried again", async || {
            let jobs = tables.jobs().await;
            ["waiting", "running", "retrying"].iter().all(|state| jobs.contains_key(*state)).then_some(())
        })
        .await;
        set_clock(offset);
        let before = tables.number(done).await;
        // More jobs than were running when the clock was set.
        eventually("jobs go on", async || (tables.number(done).await > before + SLOTS).then_some(())).await;
    }
    tables.run("drop trigger refused").await;
    assert_complete(&installation, &client_log).await;
    assert_eq!(tables.number("select count(*) from attempt where outcome not in ('done', 'failed')").await, 0);
    let span = "select (max(recorded_at_ms) - min(recorded_at_ms)) / 3600000 from log";
    assert!(tables.number(span).await >= 54, "the clock was not set by so many hours");
}

/// Debian and Ubuntu install it in the folder of the machine's architecture.
pub(crate) fn libfaketime() -> PathBuf {
    let kinds = fs::read_dir("/usr/lib").expect("every Linux has it").filter_map(Result::ok);
    let mut places = kinds.map(|kind| kind.path().join("faketime/libfaketime.so.1"));
    places.find(|file| file.is_file()).expect("libfaketime is there: cargo xtask faults installs it (package faketime)")
}
