//! The cost of an open page that waits for events.

use std::time::Duration;

use ::tests::http_client::EventStream;
use ::tests::http_client::HttpClient;
use anyhow::{Context, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::time::sleep;

use super::Scenario;
use crate::contestant::Contestant;
use crate::context::BenchContext;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::rounds_of;

const NAME: &str = "streams";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Idle event streams",
    method: "10,000 connections, each with the event stream of a receipt whose job waits, opened in groups of 100. The \
             memory is what the server holds more than before the first of them; processor time is that of its threads \
             while nothing happens.",
    promises: &[],
    plots: &[],
    lasts: |context| rounds_of(context, context.measured.as_secs() + 20),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const MEMORY: Kind = ("memory of each", "KiB");
const CPU: Kind = ("CPU of all", "ms a second");

const STREAMS: u64 = 10_000;
const AT_A_TIME: u64 = 100;
/// Files besides the streams, here or in the server.
const OTHER_FILES: u64 = 1_000;
/// The time until the last stream has sent its first event and the server is idle.
const REST: Duration = Duration::from_secs(5);

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: limit, maximum: limit })?;
    // The server has the same limit, and keeps a quarter of its connections for requests.
    let room = limit.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES) / 4 * 3;
    ensure!(room >= STREAMS, "{STREAMS} streams need more open files than the hard limit of {limit:?} allows");
    let contestant = Contestant::OursSqlite;
    for round in 0..context.rounds {
        context.progress(round, contestant.name());
        let running = contestant.start(context, &["--no-worker"]).await?;
        let client = running.server().context("ours")?.client();
        let path = receipt(&client).await?;
        let before_kib = running.processes.resident_kib();
        let mut streams: Vec<EventStream> = Vec::new();
        for _ in 0..STREAMS / AT_A_TIME {
            let group: Vec<_> = (0..AT_A_TIME).map(|_| tokio::spawn(open(client.clone(), path.clone()))).collect();
            for stream in group {
                streams.push(stream.await??);
            }
        }
        sleep(REST).await;
        let each_kib = running.processes.resident_kib().saturating_sub(before_kib) as f64 / STREAMS as f64;
        let cpu_before = running.processes.threads_cpu();
        sleep(context.measured).await;
        let cpu = running.processes.threads_cpu().saturating_sub(cpu_before);
        let cpu_ms = cpu.as_secs_f64() * 1000.0 / context.measured.as_secs_f64();
        drop(streams);
        running.stop().await?;
        measurements.add(NAME, contestant.name(), MEMORY, each_kib);
        measurements.add(NAME, contestant.name(), CPU, cpu_ms);
        eprintln!("{each_kib:.1} KiB each");
    }
    Ok(())
}

/// The path of a stream that sends nothing more while no worker runs.
async fn receipt(client: &HttpClient) -> anyhow::Result<String> {
    let answer = client.post_form("/api/search", &[("phrase", "followed")]).await;
    let answer: Value = answer.map_err(|error| anyhow::anyhow!("{error}"))?.json();
    let receipt = answer["receipt"].as_str().context("an answer has a receipt")?;
    Ok(format!("/api/receipts/{receipt}/events"))
}

/// Opens a stream and reads its first event.
async fn open(client: HttpClient, path: String) -> anyhow::Result<EventStream> {
    let mut stream = client.listen(&path, None).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    stream.next().await.context("a stream begins with where its job stands")?;
    Ok(stream)
}
