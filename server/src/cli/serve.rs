//! `serve`: the web server and, by default, the worker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use api::TimeMs;
use spool::Spool;
use store::{Clock, Store, SystemClock};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::admin::link;
use super::config::{Config, HttpSection, JobsSection};
use super::until_stopped::{Process, Status, run_until_stopped};
use crate::accounts::new_setup_link;
use crate::app_state::{AppSettings, AppState};
use crate::lab::LabResources;
use crate::lab::sandbox::{self, SandboxState};
use crate::platform::assets::has_client;
use crate::platform::job::LocalWorker;
use crate::platform::output::{print, say};
use crate::platform::random::{Random, Token};
use crate::platform::transport::connections_that_fit;
use crate::router::router;
use crate::search::browser_family;
use crate::search::ingest::IngestSettings;
use crate::search::log_request::record_of;
use crate::worker::{JobContext, LONGEST_BACKOFF, worker_settings};

/// How long responses may take to send after the process was asked to stop.
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before the setup link is retried.
const SETUP_RETRY_AFTER: Duration = Duration::from_secs(5);

/// What a server needs.
pub struct Serving {
    pub store: Arc<dyn Store>,
    pub ingest: IngestSettings,
    pub clock: Arc<SystemClock>,
    pub random: Random,
    pub listener: TcpListener,
    pub http: HttpSection,
    pub jobs: JobsSection,
    pub lab: LabResources,
}

#[derive(Clone, Copy)]
enum ServerKind {
    Product,
    /// Adds the routes of the lab's sandboxes, whose writes take `delay`.
    Sandbox {
        delay: Duration,
    },
}

pub async fn listen(http: &HttpSection) -> anyhow::Result<TcpListener> {
    let address = http.listen;
    TcpListener::bind(address)
        .await
        .map_err(|error| anyhow!("cannot listen on {address}: {error}; is it in use? choose another with --listen"))
}

pub fn open_spool(config: &Config) -> anyhow::Result<IngestSettings> {
    Ok(IngestSettings { spool: Spool::open(config.spool())?, deadline: config.spool.accept_deadline })
}

/// Serves until `stop` is cancelled, then drains and returns.
pub async fn serve(serving: Serving, stop: CancellationToken) -> anyhow::Result<()> {
    serve_kind(serving, ServerKind::Product, stop).await
}

/// Serves as one of the lab's sandboxes. First prints its address as one line on standard output.
pub async fn serve_sandbox(serving: Serving, delay: Duration, stop: CancellationToken) -> anyhow::Result<()> {
    let address = serving.listener.local_addr().context("the socket has no address")?;
    print(&format!("{address}\n"))?;
    serve_kind(serving, ServerKind::Sandbox { delay }, stop).await
}

async fn serve_kind(serving: Serving, kind: ServerKind, stop: CancellationToken) -> anyhow::Result<()> {
    let Serving { store, ingest, clock, random, listener, http, jobs, lab } = serving;
    let address = listener.local_addr().context("the socket has no address")?;
    let settings = worker_settings(jobs.worker_options(), &*store, &random);
    let connections = connections_that_fit(http.connections.get());
    let state = AppState::new(AppSettings {
        store: store.clone(),
        ingest,
        clock: clock.clone(),
        random,
        worker: (!jobs.no_worker).then(|| LocalWorker::of(&settings)),
        trusted_proxies: http.trusted_proxies.iter().filter_map(|network| network.0).collect(),
        event_streams: http.event_streams.get().min(event_streams_beside(connections)),
        lab_closed: http.lab_closed(),
    })
    .await?;
    if !store.is_shared() {
        rescue_orphans(&*store, clock.steady()).await?;
    }
    // If the replay is aborted, the next start replays the rest of the spool.
    let background = state.start_background();
    let routes = match kind {
        ServerKind::Product => router(state.clone()),
        ServerKind::Sandbox { delay } => router(state.clone()).merge(sandbox::routes(sandbox_state(&state, delay))),
    };
    let answers = tokio::spawn(state.transport(connections).serve(listener, routes));
    announce(address);
    // The link is written to the database. Requests need not wait for it.
    let setup = AbortOnDropHandle::new(tokio::spawn(offer_setup(state.clone(), address)));
    if let ServerKind::Product = kind {
        spawn_blocking(browser_family::prepare);
    }
    let context = JobContext { store: store.clone(), clock: clock.clone(), log_delay: jobs.log_delay, lab };
    let worker = (!jobs.no_worker).then_some((context, settings));
    let (started_at, pruning) = (state.system.started_at, state.system.counters.pruning.clone());
    let process = Process { store, clock, started_at, worker, pruning };
    let status = Status {
        ready: format!("serving http://{address}"),
        stopping: format!("stopping: no new requests; running jobs have {} s", jobs.grace.as_secs()),
    };
    run_until_stopped(process, status, stop, async || {
        state.stop.cancel();
        drop((background, setup));
        if tokio::time::timeout(ANSWERS_TIMEOUT, answers).await.is_err() {
            tracing::warn!("some answers took too long to send and were cut off");
        }
    })
    .await
}

/// On a database of one process, every running job was left by an earlier process.
async fn rescue_orphans(store: &dyn Store, now: TimeMs) -> store::Result<()> {
    let orphans = store.rescue_orphans(now, now.after(LONGEST_BACKOFF)).await?;
    if orphans > 0 {
        tracing::info!(orphans, "jobs that an earlier process left running wait again");
    }
    Ok(())
}

fn sandbox_state(state: &AppState, delay: Duration) -> SandboxState {
    SandboxState {
        store: state.store.clone(),
        clock: state.clock.clone(),
        caller_settings: state.caller_settings.clone(),
        record_of: |caller, id, phrase, letters, searched_at| {
            let found = api::search4letters(&phrase, &letters);
            record_of(caller, id, phrase, letters, &found, searched_at)
        },
        delay,
    }
}

/// Reserves a quarter of the connections for requests: event streams must not lock out everyone else.
fn event_streams_beside(connections: u32) -> u32 {
    (connections - connections / 4).max(1)
}

fn announce(address: SocketAddr) {
    if !has_client() {
        tracing::warn!("this binary carries no client; `cargo xtask run` builds one with it");
    }
    say(&format!("listening on http://{address}"));
}

/// Prints a link that creates the first account, unless there is one. Retries while the store does not answer: a
/// missing database does not end a server.
async fn offer_setup(state: AppState, address: SocketAddr) {
    loop {
        match setup_link(&state).await {
            Ok(None) => return,
            Ok(Some(token)) => {
                say("There is no administrator yet. This link makes one, once, within 30 minutes:");
                say(&format!("  {}", link(address, token.reveal())));
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "the setup link could not be created; trying again")
            }
        }
        state.clock.sleep_until(state.clock.steady().after(SETUP_RETRY_AFTER)).await;
    }
}

async fn setup_link(state: &AppState) -> store::Result<Option<Token>> {
    if state.store.has_accounts().await? {
        return Ok(None);
    }
    new_setup_link(&*state.store, &*state.clock, &state.random, None).await.map(Some)
}
