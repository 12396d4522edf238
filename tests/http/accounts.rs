//! Accounts: setup, login, and the limit on guesses.

use std::sync::Arc;
use std::time::Duration;

use api::{Account, ErrorCode, Role, SessionInfo, TimeMs};
use http::header::SET_COOKIE;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tests::HeldClock;
use tokio::time::timeout;

use crate::request::Answer;
use crate::test_server::Site;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A site with the administrator `ada`, and her session cookie.
pub(crate) async fn site_of_ada() -> (Site, String) {
    let site = Site::start().await;
    let cookie = cookie(&set_up(&site, &site.setup_token().await, "ada", PASSWORD).await);
    (site, cookie)
}

pub(crate) async fn set_up(site: &Site, token: &str, name: &str, password: &str) -> Answer {
    let body = json!({"token": token, "name": name, "password": password});
    site.post_json("/api/setup", &body).send().await
}

pub(crate) async fn log_in(site: &Site, name: &str, password: &str) -> Answer {
    site.post_json("/api/login", &json!({"name": name, "password": password})).send().await
}

/// The session cookie that an answer sets, as a browser would send it back.
pub(crate) fn cookie(answer: &Answer) -> String {
    let set = answer.headers.get(SET_COOKIE).unwrap_or_else(|| panic!("no cookie: {}", answer.text()));
    set.to_str().expect("cookies are ASCII").split(';').next().expect("a first part").to_owned()
}

/// Whether the cookie opens the administrators' door.
pub(crate) async fn lets_in(site: &Site, cookie: &str) -> bool {
    site.get("/api/admin/log/rows").cookie(cookie).send().await.status.is_success()
}

#[tokio::test]
async fn a_link_makes_an_administrator_who_is_logged_in() {
    let site = Site::start().await;
    let nobody: SessionInfo = site.post_json("/api/session", &json!({})).send().await.ok();
    assert_eq!(nobody, SessionInfo { account: None, has_accounts: false });
    let answer = set_up(&site, &site.setup_token().await, "ada", PASSWORD).await;
    let ada = Account { name: "ada".to_owned(), role: Role::Admin };
    assert_eq!(answer.ok::<Account>(), ada);
    let cookie = cookie(&answer);
    assert!(lets_in(&site, &cookie).await);
    let session: SessionInfo = site.post_json("/api/session", &json!({})).cookie(&cookie).send().await.ok();
    assert_eq!(session, SessionInfo { account: Some(ada), has_accounts: true });
}

#[tokio::test]
async fn a_link_works_once() {
    let site = Site::start().await;
    let token = site.setup_token().await;
    let _: Account = set_up(&site, &token, "ada", PASSWORD).await.ok();
    let refused = set_up(&site, &token, "eve", PASSWORD).await;
    refused.refused(410, ErrorCode::Expired, None);
    assert!(refused.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn of_many_uses_at_the_same_moment_one_succeeds() {
    let site = Site::start().await;
    let token = site.setup_token().await;
    let uses = (0..4).map(|number| {
        let (site, token) = (&site, &token);
        async move { set_up(site, token, &format!("ada{number}"), PASSWORD).await.status.as_u16() }
    });
    let mut statuses = futures::future::join_all(uses).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410, 410]);
}

#[tokio::test]
async fn a_link_can_be_used_for_thirty_minutes() {
    for (minutes, status) in [(29, 200), (31, 410)] {
        let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
        let site = Site::plan().clock(clock.clone()).without_worker().start().await;
        let token = site.setup_token().await;
        clock.advance(Duration::from_secs(60 * minutes));
        assert_eq!(set_up(&site, &token, "ada", PASSWORD).await.status.as_u16(), status, "after {minutes} min");
    }
}

#[tokio::test]
async fn a_newer_link_replaces_the_older() {
    let site = Site::start().await;
    let older = site.setup_token().await;
    let newer = site.setup_token().await;
    set_up(&site, &older, "ada", PASSWORD).await.refused(410, ErrorCode::Expired, None);
    let _: Account = set_up(&site, &newer, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn a_token_that_was_never_made_is_refused_like_a_used_one() {
    let site = Site::start().await;
    let token = site.setup_token().await;
    for wrong in ["", "0", &token[1..], &token.to_uppercase(), &format!("{token} "), &"x".repeat(60_000)] {
        set_up(&site, wrong, "ada", PASSWORD).await.refused(410, ErrorCode::Expired, None);
    }
    let _: Account = set_up(&site, &token, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn names_and_passwords_have_rules_and_a_mistake_does_not_use_up_the_link() {
    use ErrorCode::{Invalid, TooLong};
    let site = Site::start().await;
    let token = site.setup_token().await;
    let long = "x".repeat(201);
    let cases = [
        ("", PASSWORD, Invalid, "name"),
        ("ada lovelace", PASSWORD, Invalid, "name"),
        ("ada\u{7}", PASSWORD, Invalid, "name"),
        ("\u{202e}ada", PASSWORD, Invalid, "name"),
        (&long[..65], PASSWORD, Invalid, "name"),
        ("ada", "", Invalid, "password"),
        ("ada", "eleven char", Invalid, "password"),
        ("ada", &long, TooLong, "password"),
    ];
    for (name, password, code, field) in cases {
        let status = if code == TooLong { 422 } else { 400 };
        set_up(&site, &token, name, password).await.refused(status, code, Some(field));
    }
    let longest = "ä".repeat(200);
    let _: Account = set_up(&site, &token, &long[..64], &longest).await.ok();
}

#[tokio::test]
async fn a_taken_name_is_said_to_be_taken_and_leaves_the_link() {
    let site = Site::start().await;
    let _: Account = set_up(&site, &site.setup_token().await, "ada", PASSWORD).await.ok();
    let token = site.setup_token().await;
    set_up(&site, &token, "ADA", PASSWORD).await.refused(409, ErrorCode::Conflict, Some("name"));
    let _: Account = set_up(&site, &token, "grace", PASSWORD).await.ok();
}

/// The server's own; see `server/src/platform/time_limit.rs`.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

async fn log_in_from(site: &Site, ip: &str, name: &str, password: &str) -> Answer {
    site.post_json("/api/login", &json!({"name": name, "password": password})).peer(ip).send().await
}

#[tokio::test]
async fn the_right_password_opens_a_session() {
    let (site, _) = site_of_ada().await;
    let answer = log_in(&site, "ada", PASSWORD).await;
    assert_eq!(answer.ok::<Account>(), Account { name: "ada".to_owned(), role: Role::Admin });
    assert!(lets_in(&site, &cookie(&answer)).await);
}

#[tokio::test]
async fn while_another_program_locks_the_database_a_login_is_answered_that_it_cannot_be() {
    let (site, _) = site_of_ada().await;
    let file = format!("sqlite:{}/search4letters.db", site.folder.path().display());
    let mut other = SqliteConnection::connect(&file).await.expect("the file opens");
    let lock = other.begin_with("begin immediate").await.expect("nobody else writes");
    let answer = timeout(ANSWER_LIMIT, log_in(&site, "ada", PASSWORD)).await.expect("answered in time");
    answer.refused(503, ErrorCode::Unavailable, None);
    lock.rollback().await.expect("the lock is given back");
    log_in(&site, "ada", PASSWORD).await.ok::<Account>();
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_answered_alike() {
    let (site, _) = site_of_ada().await;
    let wrong = log_in(&site, "ada", "wrong horse battery staple").await;
    wrong.refused(401, ErrorCode::WrongCredentials, None);
    assert!(wrong.headers.get(SET_COOKIE).is_none());
    let unknown = log_in(&site, "eve", PASSWORD).await;
    assert_eq!((unknown.status, unknown.headers, unknown.body), (wrong.status, wrong.headers, wrong.body));
    for password in ["", &PASSWORD[1..], &PASSWORD.to_uppercase(), &format!("{PASSWORD}\0")] {
        log_in_from(&site, "192.0.2.9", "ada", password).await.refused(401, ErrorCode::WrongCredentials, None);
    }
}

#[tokio::test]
async fn who_guesses_has_to_wait_and_the_owner_has_not() {
    let (site, _) = site_of_ada().await;
    let (guesser, owner) = ("198.51.100.1", "192.0.2.1");
    for _ in 0..5 {
        log_in_from(&site, guesser, "ada", "guess").await.refused(401, ErrorCode::WrongCredentials, None);
    }
    log_in_from(&site, guesser, "ada", "guess").await.refused(429, ErrorCode::TooMany, None);
    log_in_from(&site, guesser, "ADA", PASSWORD).await.refused(429, ErrorCode::TooMany, None);
    let _: Account = log_in_from(&site, owner, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn what_the_store_fails_at_is_no_failed_login() {
    let (site, _) = site_of_ada().await;
    let broken = site.break_table("account").await;
    for _ in 0..6 {
        log_in(&site, "ada", PASSWORD).await.refused(503, ErrorCode::Unavailable, None);
    }
    broken.mend().await;
    let _: Account = log_in(&site, "ada", PASSWORD).await.ok();
}

#[tokio::test]
async fn guesses_at_the_same_moment_do_not_slip_through_together() {
    let (site, _) = site_of_ada().await;
    let guesses = futures::future::join_all((0..12).map(|_| log_in(&site, "ada", "guess"))).await;
    let tried = guesses.iter().filter(|answer| answer.status == 401).count();
    assert_eq!((tried, guesses.len() - tried), (5, 7));
}

#[tokio::test]
async fn a_login_that_is_not_read_is_refused_with_a_reason() {
    let site = Site::start().await;
    for body in
        [json!({}), json!({"name": "ada"}), json!({"name": 1, "password": "x"}), json!([]), json!("x"), json!(null)]
    {
        site.post_json("/api/login", &body).send().await.refused(400, ErrorCode::Malformed, None);
    }
    let no_json = site.ask(http::Method::POST, "/api/login").header("content-type", "application/json");
    no_json.body(&b"{\"name\": \"\xff\"}"[..]).send().await.refused(400, ErrorCode::Malformed, None);
    // The whole body is one text where an object should be, and is not said back whole.
    let huge = json!("\u{e000}".repeat(21_000));
    site.post_json("/api/login", &huge).send().await.refused(400, ErrorCode::Malformed, None);
    let form = site.post_form("/api/login", "name=ada&password=x").send().await;
    form.refused(415, ErrorCode::ContentType, None);
}
