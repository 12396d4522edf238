//! The time from a search's response to its row on the administrator's screen.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ::tests::http_client::EventStream;
use ::tests::http_client::HttpClient;
use anyhow::Context;
use bench::load::Latency;
use bench::new_search_id;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{PlotOf, Scenario, in_turn};
use crate::contestant::Contestant;
use crate::context::BenchContext;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::rounds_of;

const NAME: &str = "screen";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "From the answer to the administrator's screen",
    method: "An administrator's log page is open; on an otherwise idle system a search is made every 20 ms. The time \
             counts from the moment at which the search was answered to the arrival of the event with its row.",
    promises: &[],
    plots: &[PlotOf { what: "p99", file: "screen.svg", title: "99 of 100 rows were on the screen within" }],
    lasts: |context| rounds_of(context, 2 * (context.measured.as_secs() + 3)),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const P50: Kind = ("p50", "ms");
const P99: Kind = ("p99", "ms");

const CONTESTANTS: &[Contestant] = &[Contestant::OursSqlite, Contestant::OursPostgres];
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(30);

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    for round in 0..context.rounds {
        for contestant in in_turn(CONTESTANTS, round) {
            context.progress(round, contestant.name());
            let running = contestant.start(context, &[]).await?;
            let server = running.server().context("ours")?;
            let mut administrator = server.client();
            administrator.set_up(&server.setup_token().await, "bench", "a long enough password").await;
            let stream = administrator.listen("/api/admin/log/events", None).await;
            let stream = stream.map_err(|error| anyhow::anyhow!("{error}"))?;
            let latency = watch(&server.client(), stream, context.measured).await?;
            running.stop().await?;
            let (p50, p99) = (f64::from(latency.p50_us) / 1000.0, f64::from(latency.p99_us) / 1000.0);
            measurements.add(NAME, contestant.name(), P50, p50);
            measurements.add(NAME, contestant.name(), P99, p99);
            eprintln!("p50 {p50:.2} ms, p99 {p99:.2} ms");
        }
    }
    Ok(())
}

async fn watch(client: &HttpClient, mut stream: EventStream, measured: Duration) -> anyhow::Result<Latency> {
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let reader = tokio::spawn(async move {
        while let Some(event) = stream.next().await {
            let now = Instant::now();
            if event.name == "row" && sender.send((event.json::<Value>(), now)).is_err() {
                return;
            }
        }
    });
    let mut answered = HashMap::new();
    let end = Instant::now() + measured;
    while Instant::now() < end {
        let id = new_search_id(fastrand::u128(..)).to_string();
        let fields = [("phrase", "life, the universe, and everything!"), ("letters", "aeiou"), ("id", &id)];
        client.post_form("/api/search", &fields).await.map_err(|error| anyhow::anyhow!("{error}"))?;
        answered.insert(id, Instant::now());
        sleep(PAUSE).await;
    }
    let mut each_us = Vec::new();
    while each_us.len() < answered.len() {
        let arrival = timeout(LONGEST, arrivals.recv()).await.context("a row did not arrive")?;
        let (row, arrived) = arrival.context("the stream has ended")?;
        let id = row["search_id"].as_str().context("a row names its search")?;
        let answered = answered.get(id).context("nobody else searches")?;
        // A row may arrive before the response has been read.
        let time = arrived.saturating_duration_since(*answered);
        each_us.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }
    reader.abort();
    Ok(Latency::of(each_us))
}
