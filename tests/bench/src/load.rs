//! The load generator: many connections, each with one search at a time.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use api::SearchId;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::new_search_id;

/// Printed when the measured time begins.
pub const BEGIN: &str = "begin";

/// The load to generate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Load {
    pub address: SocketAddr,
    /// The path that searches are posted to.
    pub path: String,
    pub connections: u32,
    /// Searches per second; `None` for as many as possible.
    pub rate: Option<f64>,
    /// The time before the measurement.
    pub warm_up: Duration,
    pub measured: Duration,
    /// The file for the ids of all answered searches, one per line.
    pub ids: PathBuf,
}

/// The result of a load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Answered within the measured time.
    pub answered: u64,
    /// Answered since the measured time began, including requests in flight at its end.
    pub answered_since: u64,
    /// All answers, including those of the warm-up.
    pub answered_in_all: u64,
    /// Of all answers, those whose record went to the spool.
    pub spooled: u64,
    /// Searches that got no answer, or one of another status than 200.
    pub failed: u64,
    /// For those answered within the measured time. At a given rate it is measured from the time at which the search
    /// was due.
    pub latency: Latency,
}

/// The times of a load.
#[derive(Clone, Copy)]
struct Schedule {
    start: Instant,
    begin: Instant,
    end: Instant,
}

/// Generates the load on the calling thread. Calls `begun` when the measured time begins.
pub async fn run(load: Load, begun: impl FnOnce() + 'static) -> anyhow::Result<Report> {
    let start = Instant::now();
    let begin = start + load.warm_up;
    let schedule = Schedule { start, begin, end: begin + load.measured };
    let local = LocalSet::new();
    let mut connections = JoinSet::new();
    for number in 0..load.connections {
        connections.spawn_local_on(keep_searching(load.clone(), number, schedule), &local);
    }
    local.spawn_local(async move {
        sleep_until(begin).await;
        begun();
    });
    let totals = local.run_until(connections.join_all()).await;
    let mut all = Totals::default();
    for totals in totals {
        all.add(totals);
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

/// The form of each search, without its id.
const QUESTION: &str = "phrase=life%2C+the+universe%2C+and+everything%21&letters=aeiou";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// Pause after a failed connection.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// The counts of one connection, or of all.
#[derive(Default)]
struct Totals {
    /// For answers within the measured time.
    pub latencies_us: Vec<u32>,
    pub since: u64,
    pub ids: Vec<SearchId>,
    pub spooled: u64,
    pub failed: u64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.latencies_us.extend(other.latencies_us);
        self.since += other.since;
        self.ids.extend(other.ids);
        self.spooled += other.spooled;
        self.failed += other.failed;
    }
}

/// Searches until the end, and reopens closed connections.
async fn keep_searching(load: Load, number: u32, schedule: Schedule) -> Totals {
    let mut totals = Totals::default();
    let mut random = fastrand::Rng::new();
    let mut sender = None;
    let mut asked = 0;
    loop {
        if let Some(rate) = load.rate {
            let place = f64::from(asked) * f64::from(load.connections) + f64::from(number);
            let due = schedule.start + Duration::from_secs_f64(place / rate);
            if due >= schedule.end {
                return totals;
            }
            sleep_until(due).await;
            search(&load, &mut sender, due, schedule, &mut random, &mut totals).await;
        } else {
            let now = Instant::now();
            if now >= schedule.end {
                return totals;
            }
            search(&load, &mut sender, now, schedule, &mut random, &mut totals).await;
        }
        asked += 1;
    }
}

async fn search(
    load: &Load,
    sender: &mut Option<SendRequest<Full<Bytes>>>,
    due: Instant,
    schedule: Schedule,
    random: &mut fastrand::Rng,
    totals: &mut Totals,
) {
    let id = new_search_id(random.u128(..));
    let Some(body) = asked(load, sender, id).await else {
        totals.failed += 1;
        *sender = None;
        return sleep(AFTER_FAILURE).await;
    };
    let now = Instant::now();
    totals.ids.push(id);
    if body.windows(9).any(|word| word == b"\"spooled\"") {
        totals.spooled += 1;
    }
    if now >= schedule.begin {
        totals.since += 1;
        if now < schedule.end {
            totals.latencies_us.push(u32::try_from((now - due).as_micros()).unwrap_or(u32::MAX));
        }
    }
}

/// The response's body; `None` without a response of status 200.
async fn asked(load: &Load, sender: &mut Option<SendRequest<Full<Bytes>>>, id: SearchId) -> Option<Bytes> {
    // Servers may close a connection after any response, and some close it after each.
    if sender.as_mut().is_none_or(|sender| sender.is_closed()) {
        *sender = Some(connect(load.address).await?);
    }
    let sender = sender.as_mut()?;
    if sender.ready().await.is_err() {
        *sender = connect(load.address).await?;
    }
    let request = Request::post(&load.path)
        .header(HOST, "127.0.0.1")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(USER_AGENT, BROWSER)
        .body(Full::new(Bytes::from(format!("{QUESTION}&id={id}"))))
        .ok()?;
    let answer = sender.send_request(request).await.ok()?;
    let is_good = answer.status() == 200;
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    is_good.then_some(body)
}

async fn connect(address: SocketAddr) -> Option<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    tokio::task::spawn_local(connection);
    Some(sender)
}

/// In microseconds. All are zero if nothing was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    pub p50_us: u32,
    pub p90_us: u32,
    pub p99_us: u32,
    pub p999_us: u32,
    pub max_us: u32,
}

impl Latency {
    /// Computed from all values, without sampling, because rare ones matter.
    pub fn of(mut each_us: Vec<u32>) -> Self {
        each_us.sort_unstable();
        let at = |per_mille: usize| {
            let rank = (each_us.len() * per_mille).div_ceil(1000).max(1);
            each_us.get(rank - 1).copied().unwrap_or_default()
        };
        Self { p50_us: at(500), p90_us: at(900), p99_us: at(990), p999_us: at(999), max_us: at(1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_least_value_that_its_share_does_not_exceed() {
        let latency = Latency::of((1..=1000).rev().collect());
        let expected = Latency { p50_us: 500, p90_us: 900, p99_us: 990, p999_us: 999, max_us: 1000 };
        assert_eq!(latency, expected);
        assert_eq!(Latency::of(vec![7]), Latency { p50_us: 7, p90_us: 7, p99_us: 7, p999_us: 7, max_us: 7 });
        assert_eq!(Latency::of(Vec::new()), Latency::default());
    }
}
