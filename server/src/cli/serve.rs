//! `serve`: the web server and, by default, the worker.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use api::TimeMs;
use spool::Spool;
use store::{Clock, Store, SystemClock};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

use super::admin::link;
use super::config::{Config, HttpSection, JobsSection};
use super::until_stopped::{Process, Status, run_until_stopped, stop_signal};
use crate::accounts::new_setup_link;
use crate::app_state::JobsSection as JobsInside;
use crate::app_state::{Environment, IntakeSection, WorkerSection};
use crate::lab::{Lab, LabResources, sandbox};
use crate::platform::assets::has_client;
use crate::platform::random::Random;
use crate::platform::token::Token;
use crate::platform::transport::{self, connections_that_fit};
use crate::router::router;
use crate::search::browser_family;
use crate::worker::{JobEnvironment, LONGEST_BACKOFF, worker_settings};

/// How long answers that are being sent may take after the process was asked to stop.
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait after the store could not take a link that makes an administrator.
const SETUP_RETRY_AFTER: Duration = Duration::from_secs(5);

/// What a server needs.
pub struct Serving {
    pub store: Arc<dyn Store>,
    pub intake: IntakeSection,
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
    /// With the routes of the lab's sandboxes, whose writes take `delay`.
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

pub fn open_spool(config: &Config) -> anyhow::Result<IntakeSection> {
    Ok(IntakeSection { spool: Spool::open(config.spool())?, deadline: config.spool.accept_deadline })
}

/// Serves until SIGTERM or SIGINT, then drains and returns.
pub async fn serve(serving: Serving) -> anyhow::Result<()> {
    serve_kind(serving, ServerKind::Product).await
}

/// Serves as a sandbox of the lab. First prints its address: one line on standard output.
pub async fn serve_sandbox(serving: Serving, delay: Duration) -> anyhow::Result<()> {
    let printed = serving.listener.local_addr().and_then(|address| {
        writeln!(stdout(), "{address}")?;
        stdout().flush()
    });
    printed.context("the address cannot be printed for the process that has started this one")?;
    serve_kind(serving, ServerKind::Sandbox { delay }).await
}

async fn serve_kind(serving: Serving, kind: ServerKind) -> anyhow::Result<()> {
    let Serving { store, intake, clock, random, listener, http, jobs, lab } = serving;
    // Before the address is announced or any job begins: from then on a signal causes a drain.
    let stop = stop_signal()?;
    let address = listener.local_addr().context("the socket has no address")?;
    let settings = worker_settings(&jobs, &*store, &random);
    let inside = JobsInside { worker: (!jobs.no_worker).then(|| WorkerSection::of(&settings)) };
    let trusted_proxies = http.trusted_proxies.iter().filter_map(|network| network.0).collect();
    let mut env =
        Environment::new(store.clone(), intake, clock.clone(), random.clone(), inside, trusted_proxies).await?;
    let connections = connections_that_fit(http.connections.get());
    env.event_streams.limit = http.event_streams.get().min(event_streams_beside(connections));
    env.lab = Lab::new(http.lab_closed(), clock.clone(), random.clone());
    let env = Arc::new(env);
    if !store.is_shared() {
        rescue_orphans(&*store, clock.steady()).await?;
    }
    // What is left in the spool when the replay is aborted is replayed at the next start.
    let replay = AbortOnDropHandle::new(tokio::spawn(env.intake.clone().keep_replaying(random.clone())));
    let prober = AbortOnDropHandle::new(tokio::spawn(probe(env.clone())));
    let routes = match kind {
        ServerKind::Product => router(env.clone()),
        ServerKind::Sandbox { delay } => router(env.clone()).merge(sandbox::routes(env.clone(), delay)),
    };
    let answers = tokio::spawn(transport::serve(listener, routes, env.clone(), connections));
    announce(address);
    // A link is written to the database, for which requests need not wait.
    let setup = AbortOnDropHandle::new(tokio::spawn(offer_setup(env.clone(), address)));
    if let ServerKind::Product = kind {
        spawn_blocking(browser_family::prepare);
    }
    let context = JobEnvironment { log: store.clone(), clock: clock.clone(), log_delay: jobs.log_delay, lab };
    let worker = (!jobs.no_worker).then_some((context, settings));
    let process = Process { store, clock, started_at: env.started_at, worker };
    let status = Status {
        ready: format!("serving http://{address}"),
        stopping: format!("stopping: no new requests; running jobs have {} s", jobs.grace.as_secs()),
    };
    run_until_stopped(process, status, stop, async || {
        env.stop.cancel();
        drop((replay, prober, setup));
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

async fn probe(env: Arc<Environment>) {
    let (store, intake, clock) = (env.store.clone(), env.intake.clone(), env.clock.clone());
    env.prober.keep_probing(store, intake, clock, env.random.clone()).await;
}

/// Keeps a quarter of the connections for requests: pages that only follow must not shut all others out.
fn event_streams_beside(connections: u32) -> u32 {
    (connections - connections / 4).max(1)
}

fn announce(address: SocketAddr) {
    if !has_client() {
        tracing::warn!("this binary carries no client; `cargo xtask run` builds one with it");
    }
    eprintln!("listening on http://{address}");
}

/// Prints a link that makes the first account, where there is none. Retries while the store does not answer: a missing
/// database does not end a server.
async fn offer_setup(env: Arc<Environment>, address: SocketAddr) {
    loop {
        match setup_link(&env).await {
            Ok(None) => return,
            Ok(Some(token)) => {
                eprintln!("There is no administrator yet. This link makes one, once, within 30 minutes:");
                eprintln!("  {}", link(address, token.reveal()));
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "no link that makes an administrator could be made; it is tried again")
            }
        }
        env.clock.sleep_until(env.clock.steady().after(SETUP_RETRY_AFTER)).await;
    }
}

async fn setup_link(env: &Environment) -> store::Result<Option<Token>> {
    if env.store.has_accounts().await? {
        return Ok(None);
    }
    new_setup_link(&*env.store, &*env.clock, &env.random).await.map(Some)
}
