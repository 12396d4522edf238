//! The dashboard and the alert rules speak of figures that there are.

use std::collections::BTreeSet;
use std::path::Path;

use crate::site::Site;

fn shipped(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Every figure's name in `text`.
fn figures(text: &str) -> BTreeSet<&str> {
    let names = text.match_indices("search4letters_").map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    });
    names.collect()
}

#[tokio::test]
async fn each_figure_of_the_dashboard_and_the_alerts_is_served() {
    let site = Site::start().await;
    // The first look asks for a probe; its figures are there once it came through.
    let served = tests::eventually("there are figures of a probe", async || {
        let text = site.get("/metrics").send().await.text();
        text.contains("search4letters_probe_duration_ms").then_some(text)
    })
    .await;
    let served = figures(&served);
    for name in ["grafana.json", "alerts.yml"] {
        let text = shipped(name);
        let wanted = figures(&text);
        assert!(wanted.len() > 8, "{name}: {wanted:?}");
        let unknown: Vec<_> = wanted.difference(&served).collect();
        assert!(unknown.is_empty(), "{name} asks for {unknown:?}; there are {served:?}");
    }
}

#[test]
fn the_dashboard_is_one() {
    let dashboard: serde_json::Value = serde_json::from_str(&shipped("grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.iter().all(|panel| panel["targets"][0]["expr"].is_string()));
}
