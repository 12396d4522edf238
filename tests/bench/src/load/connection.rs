//! One connection: searches, one after the other.

use std::net::SocketAddr;
use std::time::Duration;

use api::SearchId;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Load, Schedule};
use crate::now::new_search_id;

/// What the letters are looked for in, as a form has it.
const QUESTION: &str = "phrase=life%2C+the+universe%2C+and+everything%21&letters=aeiou";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// Whoever is not let in does not knock again at once.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// What one connection, or all of them, have seen.
#[derive(Default)]
pub(super) struct Tally {
    /// Of those answered within the measured time.
    pub latencies_us: Vec<u32>,
    pub since: u64,
    pub ids: Vec<SearchId>,
    pub spooled: u64,
    pub failed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.latencies_us.extend(other.latencies_us);
        self.since += other.since;
        self.ids.extend(other.ids);
        self.spooled += other.spooled;
        self.failed += other.failed;
    }
}

/// Searches until the end; a connection that was closed is opened again.
pub(super) async fn keep_searching(load: Load, number: u32, schedule: Schedule) -> Tally {
    let mut tally = Tally::default();
    let mut random = fastrand::Rng::new();
    let mut sender = None;
    let mut asked = 0;
    loop {
        if let Some(rate) = load.rate {
            let place = f64::from(asked) * f64::from(load.connections) + f64::from(number);
            let due = schedule.start + Duration::from_secs_f64(place / rate);
            if due >= schedule.end {
                return tally;
            }
            sleep_until(due).await;
            search(&load, &mut sender, due, schedule, &mut random, &mut tally).await;
        } else {
            let now = Instant::now();
            if now >= schedule.end {
                return tally;
            }
            search(&load, &mut sender, now, schedule, &mut random, &mut tally).await;
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
    tally: &mut Tally,
) {
    let id = new_search_id(random.u128(..));
    let Some(body) = asked(load, sender, id).await else {
        tally.failed += 1;
        *sender = None;
        return sleep(AFTER_FAILURE).await;
    };
    let now = Instant::now();
    tally.ids.push(id);
    if body.windows(9).any(|word| word == b"\"spooled\"") {
        tally.spooled += 1;
    }
    if now >= schedule.begin {
        tally.since += 1;
        if now < schedule.end {
            tally.latencies_us.push(u32::try_from((now - due).as_micros()).unwrap_or(u32::MAX));
        }
    }
}

/// The answer's body; none without an answer that says 200.
async fn asked(load: &Load, sender: &mut Option<SendRequest<Full<Bytes>>>, id: SearchId) -> Option<Bytes> {
    // Servers may close a connection after any answer; some do after each.
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
