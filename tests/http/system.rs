//! The data of the system page, of monitors and of the shipped dashboard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{ErrorCode, FaultKind, HealthStatus, JobState, SystemState, TimeMs};
use serde_json::json;
use store::{Beat, Clock, PruningFailure, WorkerName};
use tests::{HeldClock, eventually};
use tokio_util::task::AbortOnDropHandle;

use crate::test_server::TestServer;

async fn state(server: &TestServer, cookie: &str) -> SystemState {
    server.post_json("/api/admin/system/show", &json!({})).cookie(cookie).send().await.ok()
}

#[tokio::test]
async fn the_state_needs_a_session() {
    let server = TestServer::start().await;
    server.post_json("/api/admin/system/show", &json!({})).send().await.refused(401, ErrorCode::SignedOut, None);
    server.get("/api/admin/system/events").send().await.refused(401, ErrorCode::SignedOut, None);
}

#[tokio::test]
async fn the_status_is_healthy_after_a_completed_probe() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    assert_eq!(state(&server, &admin).await.health.light, HealthStatus::Checking, "no status was computed before");
    let healthy = eventually("the status is healthy", async || {
        Some(state(&server, &admin).await).filter(|state| state.health.light == HealthStatus::Healthy)
    })
    .await;
    assert!(healthy.health.probe.is_some());
    eventually("no probe is left behind", async || {
        let jobs = server.store().jobs(store::JobSelection::default(), None, 9).await.expect("read").jobs;
        jobs.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_worker_the_status_says_so() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let state = state(&server, &admin).await;
    assert_eq!((state.health.light, state.workers), (HealthStatus::Failing, Some(vec![])));
    assert!(state.health.sentence().contains("--no-worker"), "{:?}", state.health);
    let ready = server.get("/readyz").send().await;
    assert_eq!(ready.status, 200);
    let text = ready.text();
    assert!(text.starts_with("ready\nThis process runs no jobs") && text.contains("--no-worker"), "{text}");
}

#[tokio::test]
async fn dead_jobs_do_not_hide_that_no_worker_is_left() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "hello")]).await;
    let counts = "('log_request', 'waiting', 0), ('log_request', 'dead', 1)";
    server.tamper(&format!("insert or replace into job_count (kind, state, count) values {counts}")).await;
    let health = state(&server, &admin).await.health;
    let says = |text: &str| health.causes.iter().position(|cause| cause.sentence.contains(text));
    let (worker, dead) = (says("--no-worker"), says("dead jobs"));
    assert!(worker.is_some() && dead > worker, "{health:?}");
    assert_eq!(health.causes[dead.expect("it is there")].page.as_deref(), Some("/jobs?state=dead"));
    let ready = server.get("/readyz").send().await.text();
    assert_eq!(ready.lines().count(), 1 + health.causes.len(), "{ready}");
}

#[tokio::test]
async fn the_state_describes_all_parts_of_the_system() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for number in 0..3 {
        server.search(&[("phrase", &format!("number {number}"))]).await;
    }
    server.log_with_rows(3).await;
    let state = state(&server, &admin).await;
    let [worker] = &state.workers.expect("the database answers")[..] else { panic!("one worker") };
    assert_eq!((worker.slots, worker.pid, worker.is_silent), (8, std::process::id(), false));
    assert_eq!(worker.version, env!("CARGO_PKG_VERSION"));
    assert!(worker.heard_at <= state.at && state.at.since(worker.heard_at) < 60_000, "{worker:?} at {:?}", state.at);
    assert!(!worker.host.is_empty());
    let ledger = state.ledger.expect("the database answers");
    assert_eq!((ledger.accepted, ledger.recorded, ledger.drift()), (3, 3, 0));
    assert!(state.process.database.starts_with("SQLite 3.") && state.process.schema >= 5, "{:?}", state.process);
    assert!(state.process.memory_bytes > 1 << 20 && state.process.pid == std::process::id());
    assert!(state.disk.expect("there is a disk").database_bytes > 0);
    assert!(state.pool.max >= 1 && state.pool.in_use <= state.pool.max, "{:?}", state.pool);
    assert_eq!((state.fault, state.missing, state.spool.records), (None, vec![], 0));
}

#[tokio::test]
async fn a_broken_ledger_names_the_searches_concerned() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let lost = server.search(&[("phrase", "lost")]).await;
    server.search(&[("phrase", "kept")]).await;
    server.log_with_rows(2).await;
    server.tamper("delete from log where phrase = 'lost'").await;
    let broken = state(&server, &admin).await;
    assert_eq!(broken.ledger.expect("read").drift(), 1);
    assert_eq!(broken.health.light, HealthStatus::Failing);
    assert_eq!(broken.missing.iter().map(|missing| missing.search).collect::<Vec<_>>(), [lost.id]);

    // The search's job still exists: an administrator retries it, and the ledger adds up again.
    let job = broken.missing[0].job.expect("it is known");
    server.post_json("/api/admin/jobs/retry", &json!({ "id": job })).cookie(&admin).send().await.ok::<()>();
    server.log_with_rows(2).await;
    let mended = eventually("the job is done", async || {
        Some(state(&server, &admin).await).filter(|state| state.ledger.is_some_and(|ledger| ledger.recorded == 2))
    })
    .await;
    assert_eq!((mended.ledger.expect("read").drift(), mended.missing), (0, vec![]));
}

#[tokio::test]
async fn a_deleted_waiting_job_is_reported_as_missing() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let answer = server.search(&[("phrase", "hello")]).await;
    server.tamper("delete from job").await;
    let broken = state(&server, &admin).await;
    assert_eq!(broken.ledger.expect("read").drift(), 1);
    assert_eq!(broken.missing[0].search, answer.id);
}

#[tokio::test]
async fn a_failing_database_is_a_state_and_not_an_error() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let broken = server.break_table("ledger").await;
    let failing = state(&server, &admin).await;
    assert_eq!((failing.ledger, failing.queue, failing.workers), (None, None, None));
    assert_eq!(failing.fault.expect("it is told").kind, FaultKind::SqlError);
    let figures = server.get("/metrics").send().await.text();
    assert!(figures.contains(r#"search4letters_store_fault{error="SqlError"} 1"#), "{figures}");
    broken.mend().await;
    eventually("it is well again", async || state(&server, &admin).await.fault.is_none().then_some(())).await;
}

#[tokio::test]
async fn the_events_carry_the_state() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut events = server.get("/api/admin/system/events").cookie(&admin).listen().await;
    let first: SystemState = events.expect("state").await.json();
    server.search(&[("phrase", "hello")]).await;
    let next: SystemState = events.expect("state").await.json();
    let accepted = |state: &SystemState| state.ledger.expect("read").accepted;
    assert_eq!((accepted(&first), accepted(&next)), (0, 1));
}

#[tokio::test]
async fn the_metrics_agree_with_the_state() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    for _ in 0..3 {
        server.search(&[("phrase", "hello")]).await;
    }
    let job = server.store().jobs(store::JobSelection::default(), None, 1).await.expect("read").jobs[0].id;
    server
        .store()
        .cancel_job(job, server.state.clock.wall(), Some(&tests::builders::signed()))
        .await
        .expect("cancelled");
    assert!(server.store().pause_kind("log_request", &tests::builders::signed()).await.expect("paused"));
    assert!(server.store().limit_kind("log_request", Some(7), &tests::builders::signed()).await.expect("limited"));
    let ledger = state(&server, &admin).await.ledger.expect("read");
    assert_eq!((ledger.waiting, ledger.cancelled, ledger.drift()), (2, 1, 0));
    let text = server.get("/metrics").send().await.text();
    for line in [
        "search4letters_ledger_accepted 3",
        r#"search4letters_ledger{place="waiting"} 2"#,
        r#"search4letters_ledger{place="cancelled"} 1"#,
        "search4letters_ledger_drift 0",
        "search4letters_spool_records 0",
        r#"search4letters_store_fault{error="ConnectionError"} 0"#,
        r#"search4letters_health{light="failing"} 1"#,
        r#"search4letters_pool{what="max"} 4"#,
        r#"search4letters_kind_waiting{kind="log_request"} 2"#,
        r#"search4letters_kind_paused{kind="log_request"} 1"#,
        r#"search4letters_kind_limit{kind="log_request"} 7"#,
        r#"search4letters_workers{state="heard"} 0"#,
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
    }
    assert_eq!(JobState::ALL.len(), text.matches("search4letters_jobs{state=").count());
}

#[tokio::test]
async fn a_running_server_is_alive_and_ready() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).send().await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_stopping_server_is_alive_but_not_ready() {
    let server = TestServer::start().await;
    server.state.stop.cancel();
    assert_eq!(server.get("/healthz").send().await.status, 200);
    assert_eq!(server.get("/readyz").send().await.status, 503);
}

#[tokio::test]
async fn without_its_database_a_server_is_not_ready_but_keeps_searches() {
    let server = TestServer::builder().without_worker().start().await;
    server.store().close().await;
    let ready = server.get("/readyz").send().await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().starts_with("ConnectionError: Is your database switched on?"), "{}", ready.text());
    let figures = server.get("/metrics").send().await.text();
    assert!(figures.contains(r#"search4letters_store_fault{error="ConnectionError"} 1"#), "{figures}");
    let answer = server.search(&[("phrase", "hello")]).await;
    assert_eq!((answer.text.as_str(), answer.recorded), ("{'e', 'o'}", api::Recorded::Spooled));
    let session = server.post_json("/api/session", &json!({})).send().await;
    let message = session.refused(503, api::ErrorCode::Unavailable, None);
    assert!(!message.to_lowercase().contains("sql") && !message.contains("pool"), "{message}");
}

#[tokio::test]
async fn the_metrics_are_correct() {
    let server = TestServer::builder().without_worker().start().await;
    for _ in 0..3 {
        server.search(&[("phrase", "hello")]).await;
    }
    let text = server.get("/metrics").send().await.text();
    let figure = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    assert_eq!(figure(r#"search4letters_searches_total{recorded="accepted"}"#), Some(3.0), "{text}");
    assert_eq!(figure(r#"search4letters_jobs{state="waiting"}"#), Some(3.0));
    assert_eq!(figure(r#"search4letters_jobs{state="dead"}"#), Some(0.0));
    assert_eq!(figure("search4letters_event_streams"), Some(0.0));
    assert_eq!(figure("search4letters_log_lines_lost_total"), Some(0.0));
}

/// The rules of `promtool check metrics`: each metric has one help and one type before its first sample, its name says
/// its unit in full, and `_total` stands at counters alone.
#[tokio::test]
async fn the_metrics_keep_the_rules_of_prometheus() {
    const SHORT_UNITS: [&str; 13] = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "m", "h", "d"];
    const SCALED_UNITS: [&str; 7] =
        ["milliseconds", "microseconds", "minutes", "hours", "days", "kilobytes", "percent"];
    let server = TestServer::start().await;
    let answer = eventually("there are figures of a probe", async || {
        let answer = server.get("/metrics").send().await;
        answer.text().contains("search4letters_probe_duration_seconds").then_some(answer)
    })
    .await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    let (mut helped, mut types, mut seen) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", name, help] => {
                assert!(!help.is_empty() && helped.insert(name) && !seen.contains(name), "{line}");
            }
            ["#", "TYPE", name, kind] => {
                assert!(["counter", "gauge"].contains(&kind), "{line}");
                assert!(types.insert(name, kind).is_none() && !seen.contains(name), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            }
            _ => {
                assert!(!line.starts_with('#'), "{line}");
                let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("a name and a value: {line}"));
                value.parse::<f64>().unwrap_or_else(|_| panic!("a number: {line}"));
                let name = sample.split('{').next().expect("a first part");
                assert!(helped.contains(name) && types.contains_key(name), "no help or type: {line}");
                seen.insert(name);
            }
        }
    }
    assert!(seen.len() > 30, "{seen:?}");
    for name in seen {
        assert!(name.starts_with("search4letters_"), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
        let ends_alone = ["_count", "_sum", "_bucket"].iter().all(|end| !name.ends_with(end));
        let units = name.split('_').all(|part| !SHORT_UNITS.contains(&part) && !SCALED_UNITS.contains(&part));
        let names_its_type = name.split('_').any(|part| ["gauge", "counter", "histogram"].contains(&part));
        assert!(ends_alone && units && !names_its_type, "{name}");
    }
}

#[tokio::test]
async fn open_event_streams_are_counted_until_they_are_closed() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    let mut events = server.get("/api/admin/jobs/events").cookie(&admin).listen().await;
    events.expect("counts").await;
    let is_counted = async |count: usize| {
        let text = server.get("/metrics").send().await.text();
        text.contains(&format!("search4letters_event_streams {count}\n"))
    };
    assert!(is_counted(1).await);
    drop(events);
    assert!(is_counted(0).await);
}

fn shipped(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The names of all metrics in `text`.
fn figures(text: &str) -> BTreeSet<&str> {
    let names = text.match_indices("search4letters_").map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    });
    names.collect()
}

#[tokio::test]
async fn each_metric_of_the_dashboard_and_the_alerts_is_served() {
    let server = TestServer::start().await;
    // The first request starts a probe. Its metrics exist once it has completed.
    let served = tests::eventually("there are figures of a probe", async || {
        let text = server.get("/metrics").send().await.text();
        text.contains("search4letters_probe_duration_seconds").then_some(text)
    })
    .await;
    let served = figures(&served);
    for name in ["grafana.json", "alerts.yml"] {
        let text = shipped(name);
        let wanted = figures(&text);
        assert!(wanted.len() > 8, "{name}: {wanted:?}");
        let unknown: Vec<_> = wanted.difference(&served).collect();
        assert!(unknown.is_empty(), "{name} uses {unknown:?}; only these exist: {served:?}");
    }
}

#[test]
fn each_panel_of_the_dashboard_has_a_query() {
    let dashboard: serde_json::Value = serde_json::from_str(&shipped("grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.iter().all(|panel| panel["targets"][0]["expr"].is_string()));
}

#[tokio::test]
async fn old_jobs_that_cannot_be_deleted_are_a_cause_until_they_can() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let broken = server.break_table("setup_link").await;
    let (pruning, store) = (server.state.system.counters.pruning.clone(), server.state.store.clone());
    let _pruning = AbortOnDropHandle::new(tokio::spawn(pruning.clone().keep_pruning(store, clock.clone())));
    let failed = async |times: u64| {
        eventually("an attempt fails", async || (pruning.failures.get() == times).then_some(())).await;
        let retry_at = clock.steady().after(Duration::from_secs(5 * 60));
        clock.task_sleeps_until(retry_at).await;
    };
    failed(1).await;
    let ready = async || server.get("/readyz").send().await.text();
    assert!(!ready().await.contains("could not be deleted"), "once may be an accident");
    clock.advance(Duration::from_secs(5 * 60));
    failed(2).await;
    let lines = ready().await;
    assert!(lines.contains("could not be deleted 2 times in a row (SqlError)"), "{lines}");
    let figures = server.get("/metrics").send().await.text();
    assert!(figures.contains("search4letters_pruning_failures_total 2"), "{figures}");
    broken.mend().await;
    clock.advance(Duration::from_secs(5 * 60));
    eventually("it works again", async || pruning.failure().is_none().then_some(())).await;
    assert!(!ready().await.contains("could not be deleted"));
}

#[tokio::test]
async fn a_worker_in_another_process_that_deletes_nothing_is_a_cause() {
    let server = TestServer::builder().without_worker().start().await;
    let beat = |pruning| Beat {
        worker: WorkerName("other".to_owned()),
        host: "elsewhere".to_owned(),
        pid: 7,
        version: String::new(),
        slots: 8,
        started_at: server.state.clock.wall(),
        at: server.state.clock.steady(),
        pruning,
    };
    let ready = async |pruning| {
        server.store().beat(beat(pruning), TimeMs(0)).await.expect("the store takes a heartbeat");
        server.get("/readyz").send().await.text()
    };
    let lines = ready(Some(PruningFailure { in_a_row: 3, kind: FaultKind::SqlError })).await;
    assert!(lines.contains("deleted by the worker other on elsewhere 3 times in a row (SqlError)"), "{lines}");
    assert!(!ready(None).await.contains("could not be deleted"));
}
