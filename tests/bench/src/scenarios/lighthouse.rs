//! Lighthouse's figures of the search page on a slow phone.

use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::process::Command;

use super::Scenario;
use crate::contestant::Contestant;
use crate::context::BenchContext;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::rounds_of;

const NAME: &str = "lighthouse";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Lighthouse",
    method: "Lighthouse with its own settings: a telephone of a middle class, whose processor and network it computes from \
             what it measures here. `/` is visited for the first time in each round.",
    promises: &[],
    plots: &[],
    lasts: |context| rounds_of(context, 30),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const CATEGORIES: &[(&str, Kind)] = &[
    ("performance", ("performance", "of 100")),
    ("accessibility", ("accessibility", "of 100")),
    ("best-practices", ("best practices", "of 100")),
    ("seo", ("search engines", "of 100")),
];
/// The audits, with the factor from Lighthouse's unit to ours.
const AUDITS: &[(&str, Kind, f64)] = &[
    ("first-contentful-paint", ("first contentful paint", "ms"), 1.0),
    ("largest-contentful-paint", ("largest contentful paint", "ms"), 1.0),
    ("total-blocking-time", ("total blocking time", "ms"), 1.0),
    ("cumulative-layout-shift", ("layout shift", ""), 1.0),
    ("total-byte-weight", ("transferred", "KB"), 1000.0),
];
/// Relative to the folder of the tools.
const PROGRAM: &str = "lighthouse/node_modules/lighthouse/cli/index.js";
/// As in the browser tests: containers have no GPU, little shared memory, and no rights for the sandbox.
const CHROMIUM: &str = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage";

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let contestant = Contestant::OursSqlite;
    for round in 0..context.rounds {
        context.progress(round, contestant.name());
        let running = contestant.start(context, &[]).await?;
        let report = visit(context, &format!("http://{}/", running.address)).await?;
        running.stop().await?;
        let figures = figures(&report)?;
        let said: Vec<_> = figures.iter().take(4).map(|(_, value)| format!("{value:.0}")).collect();
        for (kind, value) in figures {
            measurements.add(NAME, contestant.name(), kind, value);
        }
        eprintln!("{}", said.join(" / "));
    }
    Ok(())
}

async fn visit(context: &BenchContext, url: &str) -> anyhow::Result<Value> {
    let written = NamedTempFile::new()?;
    let categories: Vec<_> = CATEGORIES.iter().map(|(name, _)| *name).collect();
    let mut command = Command::new("node");
    command
        .arg(context.folder.join(PROGRAM))
        .args([url, "--output=json", "--quiet", "--no-enable-error-reporting"])
        .arg(format!("--output-path={}", written.path().display()))
        .arg(format!("--only-categories={}", categories.join(",")))
        .arg(format!("--chrome-flags={CHROMIUM}"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = command.output().await.context("node cannot be started")?;
    ensure!(ended.status.success(), "Lighthouse has failed: {}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&std::fs::read(written.path())?).context("Lighthouse's report is no JSON")
}

/// The scores first, in the order of [`CATEGORIES`].
fn figures(report: &Value) -> anyhow::Result<Vec<(Kind, f64)>> {
    let score = |(name, kind): &(&str, Kind)| {
        let score = report["categories"][name]["score"].as_f64();
        Ok((*kind, 100.0 * score.with_context(|| format!("Lighthouse gives no score for {name}"))?))
    };
    let audit = |(name, kind, unit): &(&str, Kind, f64)| {
        let value = report["audits"][name]["numericValue"].as_f64();
        Ok((*kind, value.with_context(|| format!("Lighthouse has not measured {name}"))? / unit))
    };
    CATEGORIES.iter().map(score).chain(AUDITS.iter().map(audit)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_scores_and_times_and_misses_none() {
        let score = |score: f64| json!({ "score": score });
        let audit = |value: f64| json!({ "numericValue": value });
        let mut report = json!({
            "categories": {
                "performance": score(0.97), "accessibility": score(1.0), "best-practices": score(1.0), "seo": score(0.5),
            },
            "audits": {
                "first-contentful-paint": audit(900.0), "largest-contentful-paint": audit(1000.0),
                "total-blocking-time": audit(12.5), "cumulative-layout-shift": audit(0.0),
                "total-byte-weight": audit(98_765.0),
            },
        });
        let values: Vec<f64> = figures(&report).expect("all is there").into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [97.0, 100.0, 100.0, 50.0, 900.0, 1000.0, 12.5, 0.0, 98.765]);
        report["categories"]["seo"]["score"] = Value::Null;
        figures(&report).expect_err("a page that could not be judged has no score");
    }
}
