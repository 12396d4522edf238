//! The load generator: many connections, each with one search at a time.

mod connection;
mod latency;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until};

use self::connection::Tally;

pub use self::latency::Latency;

/// Said on standard output when the measured time begins.
pub const BEGIN: &str = "begin";

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Load {
    pub address: SocketAddr,
    /// Where searches are posted to.
    pub path: String,
    pub connections: u32,
    /// How many searches a second; none for as many as are answered.
    pub rate: Option<f64>,
    /// Before anything is measured.
    pub warm_up: Duration,
    pub measured: Duration,
    /// Where the ids of all searches that were answered are written to, one a line.
    pub ids: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Answered within the measured time.
    pub answered: u64,
    /// Answered since the measured time began, those included that were on their way when it ended.
    pub answered_since: u64,
    /// Those of the warm-up included.
    pub answered_in_all: u64,
    /// Of all, those whose record went to the spool.
    pub spooled: u64,
    /// Searches that got no answer, or one of another status than 200.
    pub failed: u64,
    /// Of those answered within the measured time. At a given rate it counts from the moment at which the search was due.
    pub latency: Latency,
}

/// When what is done.
#[derive(Clone, Copy)]
struct Schedule {
    start: Instant,
    begin: Instant,
    end: Instant,
}

/// Does it, on this thread alone. `begun` is called when the measured time begins.
pub async fn run(load: Load, begun: impl FnOnce() + 'static) -> anyhow::Result<Report> {
    let start = Instant::now();
    let begin = start + load.warm_up;
    let schedule = Schedule { start, begin, end: begin + load.measured };
    let local = LocalSet::new();
    let mut connections = JoinSet::new();
    for number in 0..load.connections {
        connections.spawn_local_on(connection::keep_searching(load.clone(), number, schedule), &local);
    }
    local.spawn_local(async move {
        sleep_until(begin).await;
        begun();
    });
    let tallies = local.run_until(connections.join_all()).await;
    let mut all = Tally::default();
    for tally in tallies {
        all.add(tally);
    }
    let ids: String = all.ids.iter().map(|id| format!("{id}\n")).collect();
    std::fs::write(&load.ids, ids).with_context(|| format!("{} cannot be written", load.ids.display()))?;
    Ok(Report {
        answered: all.latencies_us.len() as u64,
        answered_since: all.since,
        answered_in_all: all.ids.len() as u64,
        spooled: all.spooled,
        failed: all.failed,
        latency: Latency::of(all.latencies_us),
    })
}
