//! What nobody, viewers and operators may do.

use api::{ErrorCode, JobCounts, JobKind, JobsPage, Role};
use http::Method;
use serde_json::{Value, json};

use crate::site::Site;

/// Every route under /api/admin, with a body that it would take.
fn admin_routes() -> Vec<(Method, &'static str, Value)> {
    let id = json!({"id": 1});
    let kind = json!({"kind": "log_request"});
    vec![
        (Method::GET, "/api/admin/log/rows", Value::Null),
        (Method::GET, "/api/admin/log/export", Value::Null),
        (Method::GET, "/api/admin/log/events", Value::Null),
        (Method::GET, "/api/admin/jobs/events", Value::Null),
        (Method::POST, "/api/admin/jobs/counts", json!({})),
        (Method::POST, "/api/admin/jobs/list", json!({"filter": {"state": null}, "before": null})),
        (Method::POST, "/api/admin/jobs/show", id.clone()),
        (Method::POST, "/api/admin/jobs/retry", id.clone()),
        (Method::POST, "/api/admin/jobs/cancel", id),
        (Method::POST, "/api/admin/jobs/kinds", json!({})),
        (Method::POST, "/api/admin/jobs/pause", kind.clone()),
        (Method::POST, "/api/admin/jobs/resume", kind),
        (Method::POST, "/api/admin/jobs/limit", json!({"kind": "log_request", "limit": 1})),
        (Method::GET, "/api/admin/system/events", Value::Null),
        (Method::POST, "/api/admin/system/show", json!({})),
    ]
}

#[tokio::test]
async fn nobody_enters_without_a_session() {
    let site = Site::plan().without_worker().start().await;
    site.search(&[("phrase", "secret")]).await;
    for (method, path, body) in admin_routes() {
        for cookie in
            ["", "search4letters=", "search4letters=0123456789abcdef0123456789abcdef", "__Host-search4letters=x"]
        {
            let ask = site.post_json(path, &body).cookie(cookie);
            let ask = if method == Method::GET { site.get(path).cookie(cookie) } else { ask };
            ask.send().await.refused(401, ErrorCode::SignedOut, None);
        }
    }
}

#[tokio::test]
async fn without_a_session_not_even_the_paths_can_be_found_out() {
    let site = Site::start().await;
    for path in ["/api/admin", "/api/admin/nothing", "/api/admin/log", "/api/admin/jobs/list/more"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let refused = site.ask(method, path).send().await;
            assert_eq!(refused.status, 401, "{path}");
            refused.refused(401, ErrorCode::SignedOut, None);
        }
    }
    site.get("/api/admin/jobs/list").send().await.refused(401, ErrorCode::SignedOut, None);
    let admin = site.admin().await;
    site.get("/api/admin/nothing").cookie(&admin).send().await.refused(404, ErrorCode::NotFound, None);
    site.get("/api/admin/jobs/list").cookie(&admin).send().await.refused(405, ErrorCode::WrongMethod, None);
}

#[tokio::test]
async fn every_admin_route_that_the_router_has_is_tested_here() {
    let router = include_str!("../../../server/src/router.rs");
    let (_, admin) = router.split_once("fn admin(").expect("the admin routes have a function of their own");
    let routes = admin.matches(".route(").count();
    assert_eq!(routes, admin_routes().len(), "a new route needs a line in admin_routes");
    for (_, path, _) in admin_routes() {
        let route = path.trim_start_matches("/api/admin");
        assert!(admin.contains(&format!(".route(\"{route}\"")), "{path} is no route any more");
    }
}

#[tokio::test]
async fn viewers_read_and_do_not_steer() {
    let site = Site::plan().without_worker().start().await;
    site.search(&[("phrase", "hello")]).await;
    let viewer = site.session_of(Role::Viewer).await;
    let counts: JobCounts = site.post_json("/api/admin/jobs/counts", &json!({})).cookie(&viewer).send().await.ok();
    assert_eq!(counts.waiting, 1);
    let list = json!({"filter": {"state": null}, "before": null});
    let page: JobsPage = site.post_json("/api/admin/jobs/list", &list).cookie(&viewer).send().await.ok();
    let id = json!({"id": page.jobs[0].id});
    for path in ["/api/admin/jobs/retry", "/api/admin/jobs/cancel"] {
        let message = site.post_json(path, &id).cookie(&viewer).send().await.refused(403, ErrorCode::Forbidden, None);
        assert!(message.contains("operator"), "it says what is missing: {message}");
    }
    let kinds: Vec<JobKind> = site.post_json("/api/admin/jobs/kinds", &json!({})).cookie(&viewer).send().await.ok();
    let order = json!({"kind": kinds[0].kind, "limit": 1});
    for path in ["/api/admin/jobs/pause", "/api/admin/jobs/resume", "/api/admin/jobs/limit"] {
        let message =
            site.post_json(path, &order).cookie(&viewer).send().await.refused(403, ErrorCode::Forbidden, None);
        assert!(message.contains("operator"), "it says what is missing: {message}");
    }
    assert_eq!(site.store().kinds().await.expect("read")[0].limit, None);
    let operator = site.session_of(Role::Operator).await;
    site.post_json("/api/admin/jobs/limit", &order).cookie(&operator).send().await.ok::<()>();
    assert_eq!(site.store().kinds().await.expect("read")[0].limit, Some(1));
    site.post_json("/api/admin/jobs/cancel", &id).cookie(&operator).send().await.ok::<()>();
}
