//! What the page /system is told, and machines with it.

use api::{ErrorCode, FaultKind, HealthStatus, JobState, SystemState};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tests::eventually;

use crate::site::Site;

async fn state(site: &Site, cookie: &str) -> SystemState {
    site.post_json("/api/admin/system/show", &json!({})).cookie(cookie).send().await.ok()
}

/// Somebody's own statement, past the product.
async fn tamper(site: &Site, statement: &str) {
    let file = format!("sqlite:{}/search4letters.db", site.folder.path().display());
    let mut database = SqliteConnection::connect(&file).await.expect("the file opens");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut database).await.expect("done");
}

#[tokio::test]
async fn only_who_is_logged_in_is_told() {
    let site = Site::start().await;
    site.post_json("/api/admin/system/show", &json!({})).send().await.refused(401, ErrorCode::SignedOut, None);
    site.get("/api/admin/system/events").send().await.refused(401, ErrorCode::SignedOut, None);
}

#[tokio::test]
async fn the_light_is_green_once_a_probe_went_the_whole_way() {
    let site = Site::start().await;
    let admin = site.admin().await;
    assert_eq!(state(&site, &admin).await.health.light, HealthStatus::Checking, "nobody has looked before");
    let healthy = eventually("the light is green", async || {
        Some(state(&site, &admin).await).filter(|state| state.health.light == HealthStatus::Healthy)
    })
    .await;
    assert!(healthy.health.probe.is_some());
    eventually("no probe is left behind", async || {
        let jobs = site.store().jobs(api::JobFilter::default(), None, 9).await.expect("read").jobs;
        jobs.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_worker_the_light_says_so() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    let state = state(&site, &admin).await;
    assert_eq!((state.health.light, state.workers), (HealthStatus::Degraded, Some(vec![])));
    assert!(state.health.sentence.contains("--no-worker"), "{}", state.health.sentence);
}

#[tokio::test]
async fn the_state_tells_what_is_there() {
    let site = Site::start().await;
    let admin = site.admin().await;
    for number in 0..3 {
        site.search(&[("phrase", &format!("number {number}"))]).await;
    }
    site.log_of(3).await;
    let state = state(&site, &admin).await;
    let [worker] = &state.workers.expect("the database answers")[..] else { panic!("one worker") };
    assert_eq!((worker.slots, worker.pid, worker.is_silent), (8, std::process::id(), false));
    assert_eq!((worker.version.as_str(), worker.heard_at), (env!("CARGO_PKG_VERSION"), state.at));
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
async fn a_ledger_that_is_broken_on_purpose_names_the_searches_concerned() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let lost = site.search(&[("phrase", "lost")]).await;
    site.search(&[("phrase", "kept")]).await;
    site.log_of(2).await;
    tamper(&site, "delete from log where phrase = 'lost'").await;
    let broken = state(&site, &admin).await;
    assert_eq!(broken.ledger.expect("read").drift(), 1);
    assert_eq!(broken.health.light, HealthStatus::Failing);
    assert_eq!(broken.missing.iter().map(|missing| missing.search).collect::<Vec<_>>(), [lost.id]);

    // Its job can still write it: an administrator has it done again, and all is well.
    let job = broken.missing[0].job.expect("it is known");
    site.post_json("/api/admin/jobs/retry", &json!({ "id": job })).cookie(&admin).send().await.ok::<()>();
    site.log_of(2).await;
    let mended = eventually("the job is done", async || {
        Some(state(&site, &admin).await).filter(|state| state.ledger.is_some_and(|ledger| ledger.recorded == 2))
    })
    .await;
    assert_eq!((mended.ledger.expect("read").drift(), mended.missing), (0, vec![]));
}

#[tokio::test]
async fn a_waiting_job_that_somebody_deletes_is_missed() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    let answer = site.search(&[("phrase", "hello")]).await;
    tamper(&site, "delete from job").await;
    let broken = state(&site, &admin).await;
    assert_eq!(broken.ledger.expect("read").drift(), 1);
    assert_eq!(broken.missing[0].search, answer.id);
}

#[tokio::test]
async fn a_database_that_fails_is_a_state_and_no_error() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let broken = site.break_table("ledger").await;
    let failing = state(&site, &admin).await;
    assert_eq!((failing.ledger, failing.queue, failing.workers), (None, None, None));
    assert_eq!(failing.fault.expect("it is told").kind, FaultKind::SqlError);
    let figures = site.get("/metrics").send().await.text();
    assert!(figures.contains(r#"search4letters_store_fault{error="SqlError"} 1"#), "{figures}");
    broken.mend().await;
    eventually("it is well again", async || state(&site, &admin).await.fault.is_none().then_some(())).await;
}

#[tokio::test]
async fn the_events_carry_the_state() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let mut events = site.get("/api/admin/system/events").cookie(&admin).listen().await;
    let first: SystemState = events.expect("state").await.json();
    site.search(&[("phrase", "hello")]).await;
    let next: SystemState = events.expect("state").await.json();
    let accepted = |state: &SystemState| state.ledger.expect("read").accepted;
    assert_eq!((accepted(&first), accepted(&next)), (0, 1));
}

#[tokio::test]
async fn the_figures_say_the_same() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    for _ in 0..3 {
        site.search(&[("phrase", "hello")]).await;
    }
    let job = site.store().jobs(api::JobFilter::default(), None, 1).await.expect("read").jobs[0].id;
    site.store().cancel_job(job, site.env.clock.wall()).await.expect("cancelled");
    assert!(site.store().pause_kind("log_request", true).await.expect("paused"));
    assert!(site.store().limit_kind("log_request", Some(7)).await.expect("limited"));
    let ledger = state(&site, &admin).await.ledger.expect("read");
    assert_eq!((ledger.waiting, ledger.cancelled, ledger.drift()), (2, 1, 0));
    let text = site.get("/metrics").send().await.text();
    for line in [
        "search4letters_ledger_accepted 3",
        r#"search4letters_ledger{place="waiting"} 2"#,
        r#"search4letters_ledger{place="cancelled"} 1"#,
        "search4letters_ledger_drift 0",
        "search4letters_spool_records 0",
        r#"search4letters_store_fault{error="ConnectionError"} 0"#,
        r#"search4letters_health{light="degraded"} 1"#,
        r#"search4letters_pool{what="waiting"} 0"#,
        r#"search4letters_kind_waiting{kind="log_request"} 2"#,
        r#"search4letters_kind_paused{kind="log_request"} 1"#,
        r#"search4letters_kind_limit{kind="log_request"} 7"#,
        r#"search4letters_workers{state="heard"} 0"#,
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
    }
    assert_eq!(JobState::ALL.len(), text.matches("search4letters_jobs{state=").count());
}
