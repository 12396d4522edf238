//! Sessions: their cookie, their end, and what each role may do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::{ErrorCode, JobCounts, JobKind, JobsApi, JobsPage, Role, SessionInfo, SystemApi, TimeMs};
use http::Method;
use http::header::SET_COOKIE;
use serde_json::{Value, json};
use server::platform::random::Token;
use server::system::Pruning;
use store::Clock;
use tests::{HeldClock, eventually};
use tokio_util::task::AbortOnDropHandle;

use crate::accounts::{PASSWORD, cookie, lets_in, log_in, server_with_ada, set_up};
use crate::request::TestResponse;
use crate::test_server::TestServer;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The cookie's attributes without its value, in order.
fn attributes(answer: &TestResponse) -> Vec<String> {
    let set = answer.headers[SET_COOKIE].to_str().expect("cookies are ASCII");
    let (name, rest) = set.split_once('=').expect("a name and a value");
    let mut attributes: Vec<String> = rest.split("; ").skip(1).map(ToOwned::to_owned).collect();
    attributes.sort_unstable();
    attributes.insert(0, name.to_owned());
    attributes
}

#[tokio::test]
async fn the_cookie_is_http_only_and_for_this_host() {
    let (server, _) = server_with_ada().await;
    let answer = log_in(&server, "ada", PASSWORD).await;
    assert_eq!(attributes(&answer), [server.cookie_name(), "HttpOnly", "Path=/", "SameSite=Strict"]);
}

#[tokio::test]
async fn behind_a_trusted_https_proxy_it_is_bound_to_host_and_https() {
    let server = TestServer::builder().trusting("10.0.0.0/8").start().await;
    let token = server.setup_token().await;
    let body = json!({"token": token, "name": "ada", "password": PASSWORD});
    let request = server.post_json("/api/setup", &body).peer("10.1.2.3").header("x-forwarded-proto", "https");
    let answer = request.send().await;
    let name = format!("__Host-{}", server.cookie_name());
    let expected = [&name, "HttpOnly", "Path=/", "SameSite=Strict", "Secure"];
    assert_eq!(attributes(&answer), expected);
    let rows = server.get("/api/admin/log/rows").cookie(&cookie(&answer)).peer("10.1.2.3");
    assert_eq!(rows.header("x-forwarded-proto", "https").send().await.status, 200);
    let login = json!({"name": "ada", "password": PASSWORD});
    let untrusted = server.post_json("/api/login", &login).peer("192.0.2.1").header("x-forwarded-proto", "https");
    assert_eq!(attributes(&untrusted.send().await)[0], server.cookie_name(), "anybody can write that header");
}

#[tokio::test]
async fn two_installations_on_one_host_do_not_log_each_other_out() {
    let (one, of_one) = server_with_ada().await;
    let (other, of_other) = server_with_ada().await;
    // A browser sends both: cookies know no ports.
    let both = format!("{of_one}; {of_other}");
    assert!(lets_in(&one, &both).await && lets_in(&other, &both).await);
    let logout = other.post_json("/api/logout", &json!({})).cookie(&both).send().await;
    assert_eq!(attributes(&logout)[0], other.cookie_name());
    assert!(lets_in(&one, &both).await && !lets_in(&other, &both).await);
}

#[tokio::test]
async fn logout_ends_the_session_on_the_server_too() {
    let (server, cookie) = server_with_ada().await;
    assert!(lets_in(&server, &cookie).await);
    let answer = server.post_json("/api/logout", &json!({})).cookie(&cookie).send().await;
    answer.ok::<()>();
    assert!(attributes(&answer).contains(&"Max-Age=0".to_owned()), "the browser forgets it");
    assert!(!lets_in(&server, &cookie).await, "a copy of the cookie is invalid");
    server.post_json("/api/logout", &json!({})).cookie(&cookie).send().await.ok::<()>();
}

#[tokio::test]
async fn a_login_creates_a_new_session_and_ends_the_previous_one() {
    let (server, before) = server_with_ada().await;
    let login = server.post_json("/api/login", &json!({"name": "ada", "password": PASSWORD})).cookie(&before);
    let after = cookie(&login.send().await);
    assert_ne!(before, after);
    assert!(lets_in(&server, &after).await);
    assert!(!lets_in(&server, &before).await);
}

#[tokio::test]
async fn a_planted_cookie_does_not_become_a_session() {
    let (server, _) = server_with_ada().await;
    let planted = format!("{}={}", server.cookie_name(), "0".repeat(32));
    let login = server.post_json("/api/login", &json!({"name": "ada", "password": PASSWORD})).cookie(&planted);
    assert_ne!(cookie(&login.send().await), planted);
    assert!(!lets_in(&server, &planted).await);
    let name = server.cookie_name();
    let many = format!("{name}=x;").repeat(2_000);
    for nonsense in [&format!("{name}="), name, &format!("{name}=;;;="), "=", "\"", &many] {
        assert!(!lets_in(&server, nonsense).await);
    }
}

#[tokio::test]
async fn an_unused_session_ends_after_twelve_hours() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let cookie = server.session_of(Role::Viewer).await;
    clock.advance(12 * HOUR - Duration::from_secs(1));
    assert!(lets_in(&server, &cookie).await);
    idle_time_has_moved(&server, &cookie).await;
    clock.advance(11 * HOUR);
    assert!(lets_in(&server, &cookie).await, "using it has moved the end");
    idle_time_has_moved(&server, &cookie).await;
    clock.advance(12 * HOUR + Duration::from_secs(1));
    assert!(!lets_in(&server, &cookie).await);
    let session: SessionInfo = server.post_json("/api/session", &json!({})).cookie(&cookie).send().await.ok();
    assert_eq!(session.account, None);
}

#[tokio::test]
async fn a_machine_whose_clock_is_ahead_ends_no_session_and_deletes_no_job() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).start().await;
    let cookie = server.session_of(Role::Viewer).await;
    server.search(&[("phrase", "hello")]).await;
    server.log_with_rows(1).await;
    let done = async || server.store().job_counts().await.expect("read").done;
    assert_eq!(done().await, 1);
    clock.set_wall(clock.steady().after(1_000 * HOUR));
    let pruning = Pruning::default().keep_pruning(server.state.store.clone(), clock.clone());
    let _pruning = AbortOnDropHandle::new(tokio::spawn(pruning));
    clock.task_sleeps_until(clock.steady().after(HOUR)).await;
    assert!(lets_in(&server, &cookie).await);
    assert_eq!(done().await, 1);
}

#[tokio::test]
async fn a_session_ends_after_fourteen_days_despite_use() {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
    let cookie = server.session_of(Role::Viewer).await;
    for _ in 0..14 * 24 / 6 - 1 {
        clock.advance(6 * HOUR);
        assert!(lets_in(&server, &cookie).await);
        idle_time_has_moved(&server, &cookie).await;
    }
    clock.advance(6 * HOUR);
    assert!(!lets_in(&server, &cookie).await);
}

#[tokio::test]
async fn two_sessions_of_one_account_end_one_by_one() {
    let (server, one) = server_with_ada().await;
    let other = cookie(&log_in(&server, "ada", PASSWORD).await);
    server.post_json("/api/logout", &json!({})).cookie(&one).send().await.ok::<()>();
    assert!(!lets_in(&server, &one).await);
    assert!(lets_in(&server, &other).await);
    let third = set_up(&server, &server.setup_token().await, "grace", PASSWORD).await;
    assert!(lets_in(&server, &cookie(&third)).await);
}

/// The server does not wait for the write that extends the idle time, so the test has to.
async fn idle_time_has_moved(server: &TestServer, cookie: &str) {
    let (_, token) = cookie.split_once('=').expect("a name and a value");
    let now = server.state.clock.wall();
    eventually("the session's idle time is moved", async || {
        let session = server.store().session(Token::received(token).hash(), now).await.expect("the store answers");
        let (session, _) = session.expect("it has not ended");
        (session.idle_until == now.after(12 * HOUR).min(session.ends_at)).then_some(())
    })
    .await;
}

/// Every route under /api/admin, with a valid body.
fn admin_routes() -> Vec<(Method, &'static str, Value)> {
    let id = json!({"id": 1});
    let kind = json!({"kind": "log_request"});
    vec![
        (Method::GET, "/api/admin/log/rows", Value::Null),
        (Method::GET, "/api/admin/log/export", Value::Null),
        (Method::GET, "/api/admin/log/events", Value::Null),
        (Method::GET, "/api/admin/jobs/events", Value::Null),
        (Method::POST, "/api/admin/jobs/counts", json!({})),
        (Method::POST, "/api/admin/jobs/list", json!({"q": "", "before": null})),
        (Method::POST, "/api/admin/jobs/find", json!({"search": "0123456789abcdef0123456789abcdef"})),
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
async fn admin_routes_need_a_session() {
    let server = TestServer::builder().without_worker().start().await;
    server.search(&[("phrase", "secret")]).await;
    for (method, path, body) in admin_routes() {
        let name = server.cookie_name();
        let wrong = ["", "=", "=0123456789abcdef0123456789abcdef"].map(|value| format!("{name}{value}"));
        for cookie in [wrong.as_slice(), &[String::new(), format!("__Host-{name}=x")]].concat() {
            let request = server.post_json(path, &body).cookie(&cookie);
            let request = if method == Method::GET { server.get(path).cookie(&cookie) } else { request };
            request.send().await.refused(401, ErrorCode::SignedOut, None);
        }
    }
}

#[tokio::test]
async fn without_a_session_admin_paths_are_indistinguishable() {
    let server = TestServer::start().await;
    for path in ["/api/admin", "/api/admin/nothing", "/api/admin/log", "/api/admin/jobs/list/more"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let refused = server.ask(method, path).send().await;
            assert_eq!(refused.status, 401, "{path}");
            refused.refused(401, ErrorCode::SignedOut, None);
        }
    }
    server.get("/api/admin/jobs/list").send().await.refused(401, ErrorCode::SignedOut, None);
    let admin = server.admin().await;
    server.get("/api/admin/nothing").cookie(&admin).send().await.refused(404, ErrorCode::NotFound, None);
    server.get("/api/admin/jobs/list").cookie(&admin).send().await.refused(405, ErrorCode::WrongMethod, None);
}

#[tokio::test]
async fn every_admin_route_of_the_router_is_tested_here() {
    let router = include_str!("../../server/src/router.rs");
    let (_, admin) = router.split_once("let mut admin = ").expect("the admin routes have a router of their own");
    let (admin, _) = admin.split_once(';').expect("the statement has an end");
    let streams = admin.split(".route(\"").skip(1).map(|route| route.split('"').next().expect("a path is quoted"));
    let functions = [<dyn JobsApi>::FUNCTIONS, <dyn SystemApi>::FUNCTIONS].into_iter().flatten();
    let functions = functions.map(|function| function.path.trim_start_matches("/api/admin"));
    let routes: BTreeSet<String> = streams.chain(functions).map(|route| format!("/api/admin{route}")).collect();
    let tested: BTreeSet<String> = admin_routes().into_iter().map(|(_, path, _)| path.to_owned()).collect();
    assert_eq!(routes, tested, "a new route needs a line in admin_routes");
}

#[tokio::test]
async fn viewers_can_read_but_not_act() {
    let server = TestServer::builder().without_worker().start().await;
    server.search(&[("phrase", "hello")]).await;
    let viewer = server.session_of(Role::Viewer).await;
    let counts: JobCounts = server.post_json("/api/admin/jobs/counts", &json!({})).cookie(&viewer).send().await.ok();
    assert_eq!(counts.waiting, 1);
    let list = json!({"q": "", "before": null});
    let page: JobsPage = server.post_json("/api/admin/jobs/list", &list).cookie(&viewer).send().await.ok();
    let id = json!({"id": page.jobs[0].id});
    for path in ["/api/admin/jobs/retry", "/api/admin/jobs/cancel"] {
        let message = server.post_json(path, &id).cookie(&viewer).send().await.refused(403, ErrorCode::Forbidden, None);
        assert!(message.contains("operator"), "it says what is missing: {message}");
    }
    let kinds: Vec<JobKind> = server.post_json("/api/admin/jobs/kinds", &json!({})).cookie(&viewer).send().await.ok();
    let order = json!({"kind": kinds[0].kind, "limit": 1});
    for path in ["/api/admin/jobs/pause", "/api/admin/jobs/resume", "/api/admin/jobs/limit"] {
        let message =
            server.post_json(path, &order).cookie(&viewer).send().await.refused(403, ErrorCode::Forbidden, None);
        assert!(message.contains("operator"), "it says what is missing: {message}");
    }
    assert_eq!(server.store().kinds().await.expect("read")[0].limit, None);
    let operator = server.session_of(Role::Operator).await;
    server.post_json("/api/admin/jobs/limit", &order).cookie(&operator).send().await.ok::<()>();
    assert_eq!(server.store().kinds().await.expect("read")[0].limit, Some(1));
    server.post_json("/api/admin/jobs/cancel", &id).cookie(&operator).send().await.ok::<()>();
}
