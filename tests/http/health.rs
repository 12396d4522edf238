//! What machines that watch the service ask.

use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn a_server_that_runs_says_so() {
    let site = Site::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(site.get(path).send().await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_server_that_stops_is_alive_but_not_ready() {
    let site = Site::start().await;
    site.env.stop.cancel();
    assert_eq!(site.get("/healthz").send().await.status, 200);
    assert_eq!(site.get("/readyz").send().await.status, 503);
}

#[tokio::test]
async fn without_its_database_a_server_is_not_ready_and_searches_are_kept_all_the_same() {
    let site = Site::plan().without_worker().start().await;
    site.store().close().await;
    let ready = site.get("/readyz").send().await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().starts_with("ConnectionError: Is your database switched on?"), "{}", ready.text());
    let figures = site.get("/metrics").send().await.text();
    assert!(figures.contains(r#"search4letters_store_fault{error="ConnectionError"} 1"#), "{figures}");
    let answer = site.search(&[("phrase", "hello")]).await;
    assert_eq!((answer.text.as_str(), answer.recorded), ("{'e', 'o'}", api::Recorded::Spooled));
    let session = site.post_json("/api/session", &json!({})).send().await;
    let message = session.refused(503, api::ErrorCode::Unavailable, None);
    assert!(!message.to_lowercase().contains("sql") && !message.contains("pool"), "{message}");
}

#[tokio::test]
async fn the_figures_can_be_read_and_are_true() {
    let site = Site::plan().without_worker().start().await;
    for _ in 0..3 {
        site.search(&[("phrase", "hello")]).await;
    }
    let answer = site.get("/metrics").send().await;
    assert!(answer.headers["content-type"].to_str().expect("ASCII").starts_with("application/openmetrics-text"));
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("a name and a value: {line}"));
        assert!(name.starts_with("search4letters_"), "{line}");
        value.parse::<f64>().unwrap_or_else(|_| panic!("a number: {line}"));
    }
    let figure = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    assert_eq!(figure(r#"search4letters_searches_total{recorded="accepted"}"#), Some(3.0), "{text}");
    assert_eq!(figure(r#"search4letters_jobs{state="waiting"}"#), Some(3.0));
    assert_eq!(figure(r#"search4letters_jobs{state="dead"}"#), Some(0.0));
    assert_eq!(figure("search4letters_event_streams"), Some(0.0));
}

#[tokio::test]
async fn open_event_streams_are_counted_until_they_are_closed() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    let mut events = site.get("/api/admin/jobs/events").cookie(&admin).listen().await;
    events.expect("counts").await;
    let is_counted = async |count: usize| {
        let text = site.get("/metrics").send().await.text();
        text.contains(&format!("search4letters_event_streams {count}\n"))
    };
    assert!(is_counted(1).await);
    drop(events);
    assert!(is_counted(0).await);
}
