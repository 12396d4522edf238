//! Accounts: making one, logging in, and staying so.

mod login;
mod rights;
mod session;
mod setup;

use http::header::SET_COOKIE;
use serde_json::json;

use crate::request::Answer;
use crate::site::Site;

const PASSWORD: &str = "correct horse battery staple";

/// A site with the administrator `ada`, and her session cookie.
async fn site_of_ada() -> (Site, String) {
    let site = Site::start().await;
    let cookie = cookie(&set_up(&site, &site.setup_token().await, "ada", PASSWORD).await);
    (site, cookie)
}

async fn set_up(site: &Site, token: &str, name: &str, password: &str) -> Answer {
    let body = json!({"token": token, "name": name, "password": password});
    site.post_json("/api/setup", &body).send().await
}

async fn log_in(site: &Site, name: &str, password: &str) -> Answer {
    site.post_json("/api/login", &json!({"name": name, "password": password})).send().await
}

/// The session cookie that an answer sets, as a browser would send it back.
fn cookie(answer: &Answer) -> String {
    let set = answer.headers.get(SET_COOKIE).unwrap_or_else(|| panic!("no cookie: {}", answer.text()));
    set.to_str().expect("cookies are ASCII").split(';').next().expect("a first part").to_owned()
}

/// Whether the cookie opens the administrators' door.
async fn lets_in(site: &Site, cookie: &str) -> bool {
    site.get("/api/admin/log/rows").cookie(cookie).send().await.status.is_success()
}
