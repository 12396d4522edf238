//! The link with which the first administrator makes an account.

use std::sync::Arc;
use std::time::Duration;

use api::{Account, ErrorCode, Role, SessionInfo, TimeMs};
use serde_json::json;
use tests::HeldClock;

use super::{PASSWORD, cookie, lets_in, set_up};
use crate::site::Site;

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
