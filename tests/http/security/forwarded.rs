//! Who asks, where a proxy stands in between.

use crate::site::Site;

async fn logged_ip(site: &Site, peer: &str, forwarded: &[&str]) -> String {
    let mut ask = site.searching(&[("phrase", "a")]).peer(peer);
    for value in forwarded {
        ask = ask.header("x-forwarded-for", value);
    }
    let answer: api::SearchAnswer = ask.send().await.ok();
    let rows = tests::eventually("the search is logged", async || {
        Some(site.log().await).filter(|rows| rows.iter().any(|row| row.search_id == answer.id))
    })
    .await;
    rows.into_iter().find(|row| row.search_id == answer.id).expect("just seen").ip
}

#[tokio::test]
async fn the_log_believes_trusted_proxies_and_nobody_else() {
    let site = Site::plan().trusting("10.0.0.0/8").start().await;
    assert_eq!(logged_ip(&site, "192.0.2.1", &["198.51.100.7"]).await, "192.0.2.1");
    assert_eq!(logged_ip(&site, "10.0.0.1", &["198.51.100.7"]).await, "198.51.100.7");
    assert_eq!(logged_ip(&site, "10.0.0.1", &["6.6.6.6, 198.51.100.7"]).await, "198.51.100.7");
    assert_eq!(logged_ip(&site, "10.0.0.1", &["6.6.6.6", "198.51.100.7, 10.0.0.2"]).await, "198.51.100.7");
    assert_eq!(logged_ip(&site, "10.0.0.1", &["'; drop table log"]).await, "10.0.0.1");
    assert_eq!(logged_ip(&site, "10.0.0.1", &["2001:db8::7"]).await, "2001:db8::7");
    assert_eq!(logged_ip(&site, "::ffff:192.0.2.1", &[]).await, "192.0.2.1");
}

#[tokio::test]
async fn without_trusted_proxies_the_header_means_nothing() {
    let site = Site::start().await;
    assert_eq!(logged_ip(&site, "127.0.0.1", &["198.51.100.7"]).await, "127.0.0.1");
}

#[tokio::test]
async fn a_made_up_address_does_not_get_around_the_login_limit() {
    let site = Site::start().await;
    let guess = |number: usize| {
        let body = serde_json::json!({"name": "ada", "password": "guess"});
        site.post_json("/api/login", &body).header("x-forwarded-for", format!("198.51.100.{number}")).send()
    };
    for number in 0..5 {
        assert_eq!(guess(number).await.status, 401);
    }
    assert_eq!(guess(5).await.status, 429);
}
