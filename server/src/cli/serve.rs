//! `serve`: the web server and, unless told otherwise, the worker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::TimeMs;
use axum::Router;
use store::{Clock, Store, SystemClock};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::admin::link;
use super::heartbeat::Heartbeat;
use super::prune::keep_pruning;
use super::service_manager;
use super::stop_signal::StopSignal;
use crate::accounts::new_setup_link;
use crate::app_state::JobsSection as JobsInside;
use crate::app_state::{Environment, IntakeSection, WorkerSection};
use crate::cli::config::{HttpSection, JobsSection};
use crate::lab::{Lab, LabResources};
use crate::platform::assets::has_client;
use crate::platform::random::Random;
use crate::platform::token::Token;
use crate::platform::transport::{self, connections_that_fit};
use crate::router::router;
use crate::search::browser_family;
use crate::worker::{JobEnvironment, LONGEST_BACKOFF, run_worker, worker_settings};

/// How long answers that are being sent may take after the process was asked to stop.
const ANSWERS: Duration = Duration::from_secs(10);
/// How long the store is left alone when it could not take a link that makes an administrator.
const OFFER_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A server that is about to serve.
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

/// Serves until SIGTERM or SIGINT, then drains and returns.
pub async fn serve(serving: Serving) -> Result<(), CommandError> {
    serve_routes(serving, router, || {
        tokio::task::spawn_blocking(browser_family::prepare);
    })
    .await
}

/// The same with other routes. What can wait until requests are answered is done in `afterwards`.
pub(super) async fn serve_routes(
    serving: Serving,
    routes: impl FnOnce(Arc<Environment>) -> Router,
    afterwards: impl FnOnce(),
) -> Result<(), CommandError> {
    let Serving { store, intake, clock, random, listener, http, jobs, lab } = serving;
    // Before anybody is told that we are there, or any job is begun: from then on a stop is a drain.
    let stop = StopSignal::listen()?;
    let address = listener.local_addr().map_err(|error| CommandError(format!("the socket has no address: {error}")))?;
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
    let (stop_heart, worker) = (CancellationToken::new(), env.jobs.worker.clone());
    let heartbeat = Heartbeat { store: store.clone(), clock: clock.clone(), worker, started_at: env.started_at };
    let heart = tokio::spawn(heartbeat.beat_until(stop_heart.clone()));
    let stop_worker = CancellationToken::new();
    let mut worker = if jobs.no_worker {
        tokio::spawn(stop_worker.clone().cancelled_owned())
    } else {
        let env = JobEnvironment { log: store.clone(), clock: clock.clone(), log_delay: jobs.log_delay, lab };
        tokio::spawn(run_worker(env, settings, stop_worker.clone()))
    };
    let replay = tokio::spawn(env.intake.clone().keep_replaying(random.clone()));
    let prober = tokio::spawn(probe(env.clone()));
    let pruner = tokio::spawn(keep_pruning(store.clone(), clock.clone()));
    let routes = routes(env.clone());
    let answers = tokio::spawn(transport::serve(listener, routes, env.clone(), connections));
    greet(address);
    // A link is written to the database, which those who ask already need not wait for.
    let setup = tokio::spawn(offer_setup(env.clone(), address));
    afterwards();
    service_manager::ready(&format!("serving http://{address}"));
    let watchdog = tokio::spawn(service_manager::keep_watchdog_calm());
    tokio::select! {
        () = stop.given() => {}
        _ = &mut worker => return Err(CommandError("the worker broke down; the log above says why".to_owned())),
    }
    let status = format!("stopping: no new requests; running jobs have {} s", jobs.grace.as_secs());
    tracing::info!("{status}");
    service_manager::stopping(&status);
    env.stop.cancel();
    stop_worker.cancel();
    pruner.abort();
    // What is in the spool by then is replayed at the next start.
    replay.abort();
    prober.abort();
    setup.abort();
    if tokio::time::timeout(ANSWERS, answers).await.is_err() {
        tracing::warn!("some answers took too long to send and were cut off");
    }
    worker.await.map_err(|error| CommandError(format!("the worker broke down: {error}")))?;
    stop_heart.cancel();
    heart.await.map_err(|error| CommandError(format!("the heartbeat broke down: {error}")))?;
    store.close().await;
    watchdog.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Nobody else runs jobs: whatever is running, an earlier process has left.
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

/// The others are for those who ask: pages that only follow must not shut everybody else out.
fn event_streams_beside(connections: u32) -> u32 {
    (connections - connections / 4).max(1)
}

fn greet(address: SocketAddr) {
    if !has_client() {
        tracing::warn!("this binary carries no client; `cargo xtask run` builds one with it");
    }
    eprintln!("listening on http://{address}");
}

/// Prints a link that makes the first account, where there is none. A store that does not answer now is asked again:
/// it ends nothing else either.
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
        env.clock.sleep_until(env.clock.steady().after(OFFER_AGAIN_AFTER)).await;
    }
}

async fn setup_link(env: &Environment) -> store::Result<Option<Token>> {
    if env.store.has_accounts().await? {
        return Ok(None);
    }
    new_setup_link(&*env.store, &*env.clock, &env.random).await.map(Some)
}
