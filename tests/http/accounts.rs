//! Accounts: setup, login, and the limit on guesses.

use std::sync::Arc;
use std::time::Duration;

use api::{Account, ErrorCode, Role, SessionInfo, TimeMs};
use http::header::SET_COOKIE;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tests::HeldClock;
use tokio::time::timeout;

use crate::request::TestResponse;
use crate::test_server::TestServer;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A server with the administrator `ada`, and her session cookie.
pub(crate) async fn server_with_ada() -> (TestServer, String) {
    let server = TestServer::start().await;
    let cookie = cookie(&set_up(&server, &server.setup_token().await, "ada", PASSWORD).await);
    (server, cookie)
}

pub(crate) async fn set_up(server: &TestServer, token: &str, name: &str, password: &str) -> TestResponse {
    let body = json!({"token": token, "name": name, "password": password});
    server.post_json("/api/setup", &body).send().await
}

pub(crate) async fn log_in(server: &TestServer, name: &str, password: &str) -> TestResponse {
    server.post_json("/api/login", &json!({"name": name, "password": password})).send().await
}

/// The session cookie that an answer sets, as a browser would send it back.
pub(crate) fn cookie(answer: &TestResponse) -> String {
    let set = answer.headers.get(SET_COOKIE).unwrap_or_else(|| panic!("no cookie: {}", answer.text()));
    set.to_str().expect("cookies are ASCII").split(';').next().expect("a first part").to_owned()
}

/// Whether the cookie belongs to an administrator's session.
pub(crate) async fn lets_in(server: &TestServer, cookie: &str) -> bool {
    server.get("/api/admin/log/rows").cookie(cookie).send().await.status.is_success()
}

#[tokio::test]
async fn a_link_creates_a_logged_in_administrator() {
    let server = TestServer::start().await;
    let nobody: SessionInfo = server.post_json("/api/session", &json!({})).send().await.ok();
    assert_eq!((nobody.account, nobody.has_accounts), (None, false));
    let answer = set_up(&server, &server.setup_token().await, "ada", PASSWORD).await;
    let ada = Account { name: "ada".to_owned(), role: Role::Admin };
    assert_eq!(answer.ok::<Account>(), ada);
    let cookie = cookie(&answer);
    assert!(lets_in(&server, &cookie).await);
    let session: SessionInfo = server.post_json("/api/session", &json!({})).cookie(&cookie).send().await.ok();
    assert_eq!((session.account, session.has_accounts), (Some(ada), true));
}

#[tokio::test]
async fn a_link_works_once() {
    let server = TestServer::start().await;
    let token = server.setup_token().await;
    let _: Account = set_up(&server, &token, "ada", PASSWORD).await.ok();
    let refused = set_up(&server, &token, "eve", PASSWORD).await;
    refused.refused(410, ErrorCode::Expired, None);
    assert!(refused.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn a_link_can_be_checked_without_using_it() {
    let server = TestServer::start().await;
    let token = server.setup_token().await;
    let check = async || server.post_json("/api/setup/check", &json!({"token": token})).send().await;
    check().await.ok::<()>();
    let _: Account = set_up(&server, &token, "ada", PASSWORD).await.ok();
    check().await.refused(410, ErrorCode::Expired, None);
}

#[tokio::test]
async fn all_spellings_of_a_name_and_of_a_password_log_in() {
    let server = TestServer::start().await;
    let (composed, decomposed) = ("Zaubertr\u{e4}nke f\u{fc}r drei", "Zaubertra\u{308}nke fu\u{308}r drei");
    let elodie = set_up(&server, &server.setup_token().await, " e\u{301}lodie ", decomposed).await;
    assert_eq!(elodie.ok::<Account>().name, "\u{e9}lodie");
    for name in ["\u{e9}lodie", "E\u{301}lodie ", "\u{a0}\u{e9}lodie"] {
        for password in [composed, decomposed, &format!("{composed} ")] {
            log_in(&server, name, password).await.ok::<Account>();
        }
    }
    let token = server.setup_token().await;
    for twin in ["\u{e9}lodie", "e\u{301}lodie", "\u{c9}LODIE", "\u{ff45}\u{301}lodie"] {
        set_up(&server, &token, twin, PASSWORD).await.refused(409, ErrorCode::Conflict, Some("name"));
    }
    log_in(&server, "elodie", composed).await.refused(401, ErrorCode::WrongCredentials, None);
}

#[tokio::test]
async fn of_many_concurrent_uses_one_succeeds() {
    let server = TestServer::start().await;
    let token = server.setup_token().await;
    let uses = (0..4).map(|number| {
        let (server, token) = (&server, &token);
        async move { set_up(server, token, &format!("ada{number}"), PASSWORD).await.status.as_u16() }
    });
    let mut statuses = futures::future::join_all(uses).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410, 410]);
}

#[tokio::test]
async fn a_link_can_be_used_for_thirty_minutes() {
    for (minutes, status) in [(29, 200), (31, 410)] {
        let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
        let server = TestServer::builder().clock(clock.clone()).without_worker().start().await;
        let token = server.setup_token().await;
        clock.advance(Duration::from_secs(60 * minutes));
        assert_eq!(set_up(&server, &token, "ada", PASSWORD).await.status.as_u16(), status, "after {minutes} min");
    }
}

#[tokio::test]
async fn a_newer_link_replaces_the_older() {
    let server = TestServer::start().await;
    let older = server.setup_token().await;
    let newer = server.setup_token().await;
    set_up(&server, &older, "ada", PASSWORD).await.refused(410, ErrorCode::Expired, None);
    let _: Account = set_up(&server, &newer, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn an_unknown_token_is_refused_like_a_used_one() {
    let server = TestServer::start().await;
    let token = server.setup_token().await;
    for wrong in ["", "0", &token[1..], &token.to_uppercase(), &format!("{token} "), &"x".repeat(60_000)] {
        set_up(&server, wrong, "ada", PASSWORD).await.refused(410, ErrorCode::Expired, None);
    }
    let _: Account = set_up(&server, &token, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn invalid_names_and_passwords_are_refused_and_do_not_use_up_the_link() {
    use ErrorCode::{Invalid, TooLong};
    let server = TestServer::start().await;
    let token = server.setup_token().await;
    let long = "x".repeat(201);
    let cases = [
        ("", PASSWORD, Invalid, "name"),
        ("ada lovelace", PASSWORD, Invalid, "name"),
        ("ada\u{7}", PASSWORD, Invalid, "name"),
        ("a\u{202e}da", PASSWORD, Invalid, "name"),
        (&long[..65], PASSWORD, Invalid, "name"),
        ("ada", "", Invalid, "password"),
        ("ada", "eleven char", Invalid, "password"),
        ("ada", &long, TooLong, "password"),
    ];
    for (name, password, code, field) in cases {
        let status = if code == TooLong { 422 } else { 400 };
        set_up(&server, &token, name, password).await.refused(status, code, Some(field));
    }
    let longest = "ä".repeat(200);
    let _: Account = set_up(&server, &token, &long[..64], &longest).await.ok();
}

#[tokio::test]
async fn a_taken_name_is_refused_and_does_not_use_up_the_link() {
    let server = TestServer::start().await;
    let _: Account = set_up(&server, &server.setup_token().await, "ada", PASSWORD).await.ok();
    let token = server.setup_token().await;
    set_up(&server, &token, "ADA", PASSWORD).await.refused(409, ErrorCode::Conflict, Some("name"));
    let _: Account = set_up(&server, &token, "grace", PASSWORD).await.ok();
}

/// The server's time limit for responses, from `server/src/platform/layers.rs`.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

async fn log_in_from(server: &TestServer, ip: &str, name: &str, password: &str) -> TestResponse {
    server.post_json("/api/login", &json!({"name": name, "password": password})).peer(ip).send().await
}

#[tokio::test]
async fn the_right_password_opens_a_session() {
    let (server, _) = server_with_ada().await;
    let answer = log_in(&server, "ada", PASSWORD).await;
    assert_eq!(answer.ok::<Account>(), Account { name: "ada".to_owned(), role: Role::Admin });
    assert!(lets_in(&server, &cookie(&answer)).await);
}

#[tokio::test]
async fn a_login_while_the_database_is_locked_is_answered_with_an_error() {
    let (server, _) = server_with_ada().await;
    let file = format!("sqlite:{}/search4letters.db", server.folder.path().display());
    let mut other = SqliteConnection::connect(&file).await.expect("the file opens");
    let lock = other.begin_with("begin immediate").await.expect("no other writer");
    let answer = timeout(ANSWER_LIMIT, log_in(&server, "ada", PASSWORD)).await.expect("answered in time");
    answer.refused(503, ErrorCode::Unavailable, None);
    lock.rollback().await.expect("the lock is released");
    log_in(&server, "ada", PASSWORD).await.ok::<Account>();
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let (server, _) = server_with_ada().await;
    let wrong = log_in(&server, "ada", "wrong horse battery staple").await;
    wrong.refused(401, ErrorCode::WrongCredentials, None);
    assert!(wrong.headers.get(SET_COOKIE).is_none());
    let unknown = log_in(&server, "eve", PASSWORD).await;
    assert_eq!((unknown.status, unknown.headers, unknown.body), (wrong.status, wrong.headers, wrong.body));
    for password in ["", &PASSWORD[1..], &PASSWORD.to_uppercase(), &format!("{PASSWORD}\0")] {
        log_in_from(&server, "192.0.2.9", "ada", password).await.refused(401, ErrorCode::WrongCredentials, None);
    }
}

#[tokio::test]
async fn guesses_are_limited_and_the_owner_can_still_log_in() {
    let (server, _) = server_with_ada().await;
    let (guesser, owner) = ("198.51.100.1", "192.0.2.1");
    for _ in 0..5 {
        log_in_from(&server, guesser, "ada", "guess").await.refused(401, ErrorCode::WrongCredentials, None);
    }
    log_in_from(&server, guesser, "ada", "guess").await.refused(429, ErrorCode::TooMany, None);
    log_in_from(&server, guesser, "ADA", PASSWORD).await.refused(429, ErrorCode::TooMany, None);
    let _: Account = log_in_from(&server, owner, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn a_store_failure_does_not_count_as_a_failed_login() {
    let (server, _) = server_with_ada().await;
    let broken = server.break_table("account").await;
    for _ in 0..6 {
        log_in(&server, "ada", PASSWORD).await.refused(503, ErrorCode::Unavailable, None);
    }
    broken.mend().await;
    let _: Account = log_in(&server, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn concurrent_guesses_do_not_bypass_the_limit() {
    let (server, _) = server_with_ada().await;
    let guesses = futures::future::join_all((0..12).map(|_| log_in(&server, "ada", "guess"))).await;
    let tried = guesses.iter().filter(|answer| answer.status == 401).count();
    assert_eq!((tried, guesses.len() - tried), (5, 7));
}

#[tokio::test]
async fn a_malformed_login_is_refused_with_a_reason() {
    let server = TestServer::start().await;
    for body in
        [json!({}), json!({"name": "ada"}), json!({"name": 1, "password": "x"}), json!([]), json!("x"), json!(null)]
    {
        server.post_json("/api/login", &body).send().await.refused(400, ErrorCode::Malformed, None);
    }
    let no_json = server.ask(http::Method::POST, "/api/login").header("content-type", "application/json");
    no_json.body(&b"{\"name\": \"\xff\"}"[..]).send().await.refused(400, ErrorCode::Malformed, None);
    // The whole body is one string instead of an object. The error must not repeat all of it.
    let huge = json!("\u{e000}".repeat(21_000));
    server.post_json("/api/login", &huge).send().await.refused(400, ErrorCode::Malformed, None);
    let form = server.post_form("/api/login", "name=ada&password=x").send().await;
    form.refused(415, ErrorCode::ContentType, None);
}
