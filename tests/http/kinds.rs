//! Kinds of jobs: read, paused, resumed and limited by administrators.

use api::{ErrorCode, HealthStatus, JobDetail, JobKind, JobState, JobsPage, SystemState};
use serde_json::{Value, json};
use tests::eventually;

use crate::request::TestResponse;
use crate::test_server::TestServer;

async fn order(server: &TestServer, admin: &str, function: &str, body: &Value) -> TestResponse {
    server.post_json(&format!("/api/admin/jobs/{function}"), body).cookie(admin).send().await
}

async fn log_kind(server: &TestServer, admin: &str) -> JobKind {
    let kinds: Vec<JobKind> = order(server, admin, "kinds", &json!({})).await.ok();
    kinds.into_iter().find(|kind| kind.kind == "log_request").expect("the kind exists after a search")
}

async fn why(server: &TestServer, admin: &str, state: JobState) -> String {
    let list = json!({"q": format!("state:{}", state.as_str()), "before": null});
    let page: JobsPage = order(server, admin, "list", &list).await.ok();
    let job: JobDetail = order(server, admin, "show", &json!({"id": page.jobs[0].id})).await.ok();
    job.why_not_running.expect("a sentence")
}

#[tokio::test]
async fn a_paused_kind_waits_until_it_is_resumed() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "written")]).await;
    server.log_with_rows(1).await;
    order(&server, &admin, "pause", &json!({"kind": "log_request"})).await.ok::<()>();
    server.search(&[("phrase", "waits")]).await;
    let kind = log_kind(&server, &admin).await;
    assert_eq!((kind.paused, kind.limit, kind.counts.waiting), (true, None, 1));
    let why = why(&server, &admin, JobState::Waiting).await;
    assert!(why.contains("log_request are paused"), "{why}");
    // Other kinds still run: a probe completes, but the health status is degraded and says why.
    let state = eventually("a probe comes through", async || {
        let state: SystemState =
            server.post_json("/api/admin/system/show", &json!({})).cookie(&admin).send().await.ok();
        Some(state).filter(|state| state.health.probe.is_some())
    })
    .await;
    assert_eq!(state.health.light, HealthStatus::Degraded);
    assert!(state.health.causes[0].sentence.contains("Paused: log_request"), "{:?}", state.health);
    assert_eq!(server.log().await.len(), 1);
    order(&server, &admin, "resume", &json!({"kind": "log_request"})).await.ok::<()>();
    assert_eq!(server.log_with_rows(2).await[1].phrase, "waits");
    assert!(!log_kind(&server, &admin).await.paused);
}

#[tokio::test]
async fn no_more_jobs_of_a_kind_run_than_its_limit() {
    let server = TestServer::builder().log_delay(std::time::Duration::from_secs(3600)).start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "0")]).await;
    order(&server, &admin, "limit", &json!({"kind": "log_request", "limit": 2})).await.ok::<()>();
    for number in 1..5 {
        server.search(&[("phrase", &number.to_string())]).await;
    }
    let running = async |count: u64| {
        eventually(&format!("{count} run"), async || {
            Some(log_kind(&server, &admin).await).filter(|kind| kind.counts.running == count)
        })
        .await
    };
    let kind = running(2).await;
    assert_eq!((kind.limit, kind.counts.waiting), (Some(2), 3));
    let why = why(&server, &admin, JobState::Waiting).await;
    assert!(why.contains("log_request runs at most 2 jobs at a time, and 2 are running"), "{why}");
    order(&server, &admin, "limit", &json!({"kind": "log_request", "limit": 3})).await.ok::<()>();
    running(3).await;
    order(&server, &admin, "limit", &json!({"kind": "log_request", "limit": null})).await.ok::<()>();
    assert_eq!(running(5).await.limit, None);
}

#[tokio::test]
async fn impossible_actions_are_refused_with_a_reason() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    server.search(&[("phrase", "hello")]).await;
    let before = log_kind(&server, &admin).await;
    for kind in ["", "log_requests", "LOG_REQUEST", "log_request\0", "\0", "' or 1=1 --", &"k".repeat(10_000)] {
        for function in ["pause", "resume", "limit"] {
            let body = json!({"kind": kind, "limit": 1});
            let message = order(&server, &admin, function, &body).await.refused(404, ErrorCode::NotFound, None);
            assert_eq!(message, "There is no such job type.");
        }
    }
    let none = json!({"kind": "log_request", "limit": 0});
    let message = order(&server, &admin, "limit", &none).await.refused(400, ErrorCode::Invalid, Some("limit"));
    assert!(message.contains("pause it"), "{message}");
    for limit in [json!(-1), json!(1.5), json!("1"), json!(4_294_967_296_u64), json!([1])] {
        let body = json!({"kind": "log_request", "limit": limit});
        order(&server, &admin, "limit", &body).await.refused(400, ErrorCode::Malformed, None);
    }
    for function in ["pause", "resume", "limit"] {
        for nonsense in [json!({}), json!({"kind": null}), json!({"kind": 1}), json!({"kind": ["log_request"]})] {
            order(&server, &admin, function, &nonsense).await.refused(400, ErrorCode::Malformed, None);
        }
    }
    assert_eq!(log_kind(&server, &admin).await, before);
}
