//! Administrators' streams end with the session they were opened in.

use std::sync::Arc;
use std::time::Duration;

use api::{ErrorCode, JobCounts, LogRow, Role, TimeMs};
use serde_json::json;
use tests::HeldClock;

use super::write;
use crate::events::Events;
use crate::site::Site;

/// The session is looked up no more often than this.
const EVERY: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A site whose time stands still, somebody's session, and the log as they watch it.
async fn watched() -> (Site, Arc<HeldClock>, String, Events) {
    let clock = Arc::new(HeldClock::at(TimeMs(1_700_000_000_000)));
    let site = Site::plan().clock(clock.clone()).without_worker().start().await;
    let cookie = site.session_of(Role::Viewer).await;
    let mut events = site.get("/api/admin/log/events").cookie(&cookie).listen().await;
    events.expect("through").await;
    (site, clock, cookie, events)
}

async fn row_comes(site: &Site, events: &mut Events, phrase: &str) {
    write(site, [phrase]).await;
    assert_eq!(events.expect("row").await.json::<LogRow>().phrase, phrase);
    events.expect("through").await;
}

async fn log_out(site: &Site, cookie: &str) {
    site.post_json("/api/logout", &json!({})).cookie(cookie).send().await.ok::<()>();
}

#[tokio::test]
async fn nothing_is_told_after_the_logout() {
    let (site, clock, cookie, mut events) = watched().await;
    clock.advance(EVERY);
    row_comes(&site, &mut events, "before").await;
    log_out(&site, &cookie).await;
    clock.advance(EVERY);
    write(&site, ["after"]).await;
    assert_eq!(events.next().await, None);
    let again = site.get("/api/admin/log/events").cookie(&cookie).send().await;
    again.refused(401, ErrorCode::SignedOut, None);
}

#[tokio::test]
async fn watching_does_not_keep_a_session_from_ending() {
    let (site, clock, _, mut events) = watched().await;
    for hour in 0..11 {
        clock.advance(HOUR);
        row_comes(&site, &mut events, &format!("hour {hour}")).await;
    }
    clock.advance(HOUR);
    write(&site, ["twelve hours without a click"]).await;
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn counts_end_with_the_session_too() {
    let (site, clock, cookie, _) = watched().await;
    let mut events = site.get("/api/admin/jobs/events").cookie(&cookie).listen().await;
    assert_eq!(events.expect("counts").await.json::<JobCounts>(), JobCounts::default());
    events.expect("kinds").await;
    log_out(&site, &cookie).await;
    clock.advance(EVERY);
    site.search(&[("phrase", "hello")]).await;
    events.are_silent_until(async { _ = clock.task_sleeps().await }).await;
    clock.advance(Duration::from_millis(200));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn while_nobody_can_say_whether_the_session_lasts_nothing_is_told() {
    let (site, clock, _, mut events) = watched().await;
    clock.advance(EVERY);
    let broken = site.break_table("session").await;
    write(&site, ["hello"]).await;
    events.are_silent_until(async { _ = clock.task_sleeps().await }).await;
    broken.mend().await;
    clock.advance(Duration::from_secs(1));
    assert_eq!(events.expect("row").await.json::<LogRow>().phrase, "hello");
}
