//! Logging in, and being kept from guessing.

use std::time::Duration;

use api::{Account, ErrorCode, Role};
use http::header::SET_COOKIE;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::time::timeout;

use super::{PASSWORD, cookie, lets_in, log_in, site_of_ada};
use crate::request::Answer;
use crate::site::Site;

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
