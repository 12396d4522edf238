//! Requests from other sites' pages.

use api::{ErrorCode, SearchAnswer};
use http::Method;
use serde_json::json;

use crate::request::Ask;
use crate::site::Site;

const FOREIGN: [(&str, &str); 9] = [
    ("origin", "https://evil.example"),
    ("origin", "http://search.example.evil.example"),
    ("origin", "http://search.example:3000"),
    ("origin", "null"),
    ("origin", ""),
    ("origin", "search.example"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-site", ""),
];

#[tokio::test]
async fn what_would_change_something_is_refused_when_it_comes_from_elsewhere() {
    let site = Site::start().await;
    let admin = site.admin().await;
    for (name, value) in FOREIGN {
        let asks: Vec<Ask> = vec![
            site.searching(&[("phrase", "a")]),
            site.post_json("/api/login", &json!({"name": "ada", "password": "x"})),
            site.post_json("/api/logout", &json!({})).cookie(&admin),
            site.post_json("/api/setup", &json!({"token": "x", "name": "ada", "password": "x"})),
            site.post_json("/api/admin/jobs/cancel", &json!({"id": 1})).cookie(&admin),
            site.ask(Method::OPTIONS, "/api/search"),
            site.ask(Method::DELETE, "/api/nothing"),
        ];
        for ask in asks {
            ask.header(name, value).send().await.refused(403, ErrorCode::Forbidden, None);
        }
    }
    assert_eq!(site.log().await, []);
    assert_eq!(site.get("/api/admin/log/rows").cookie(&admin).send().await.status, 200, "still logged in");
}

#[tokio::test]
async fn an_own_page_and_a_program_may_search() {
    let site = Site::start().await;
    let search = || site.searching(&[("phrase", "a")]);
    let own = search().header("origin", "http://search.example").header("sec-fetch-site", "same-origin");
    let _: SearchAnswer = own.send().await.ok();
    let _: SearchAnswer = search().header("origin", "https://SEARCH.example").send().await.ok();
    let _: SearchAnswer = search().header("sec-fetch-site", "none").send().await.ok();
    let _: SearchAnswer = search().send().await.ok();
}

#[tokio::test]
async fn one_honest_header_does_not_make_up_for_a_foreign_one() {
    let site = Site::start().await;
    let mixed = site.searching(&[("phrase", "a")]).header("sec-fetch-site", "same-origin");
    mixed.header("origin", "https://evil.example").send().await.refused(403, ErrorCode::Forbidden, None);
    let mixed = site.searching(&[("phrase", "a")]).header("origin", "http://search.example");
    mixed.header("sec-fetch-site", "cross-site").send().await.refused(403, ErrorCode::Forbidden, None);
}

#[tokio::test]
async fn no_other_site_may_read_an_answer() {
    let site = Site::start().await;
    let admin = site.admin().await;
    let answer = site.get("/api/admin/log/rows").cookie(&admin).header("origin", "https://evil.example").send().await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{:?}", answer.headers);
    assert_eq!(answer.headers["cross-origin-resource-policy"], "same-origin");
}
