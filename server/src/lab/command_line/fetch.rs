//! `lab flags`, `lab second` and `lab compare`: many requests, and how long all of them take.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};

use anyhow::{Context, anyhow, ensure};
use api::{FetchSpec, LabFact, LabStyle, LabSummary, LabTrace};
use lab::{Body, FetchPlan, Target};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::arrivals::{Arrivals, Words};
use super::fetch_args::{LabCompare, LabFlags, LabRequests, LabSecond};
use super::{follow, print_json, report};
use crate::lab::LoopbackServer;
use crate::lab::job::fetch_on_thread;
use crate::platform::output::print;
use crate::platform::random::Random;
use crate::platform::transport::raise_open_files;

/// The usual exit code after Ctrl-C.
const INTERRUPTED: u8 = 130;
/// Open files besides connections: standard streams, runtimes, and saved flags.
const OTHER_FILES: u64 = 64;

/// A run that has ended.
pub(super) struct Run {
    pub(super) spec: FetchSpec,
    pub(super) summary: LabSummary,
    pub(super) trace: LabTrace,
}

/// Downloads flags, and saves them if requested. Requests that have not begun are cancelled with `stop`.
pub async fn lab_flags(args: &LabFlags, stop: &CancellationToken) -> anyhow::Result<ExitCode> {
    let spec = args.spec()?;
    let server = Server::new(&args.requests, &spec).await?;
    let plan = FetchPlan::of_countries(server.target.clone(), spec.clone(), &args.countries());
    let Some(folder) = args.save.clone() else { return run_one(plan, spec, &args.requests, stop).await };
    let (bodies, received) = mpsc::channel();
    let saving = spawn_blocking(move || save(&folder, received));
    let code = run_one(plan.with_bodies(bodies), spec, &args.requests, stop).await;
    saving.await??;
    code
}

/// Requests numbers.
pub async fn lab_second(args: &LabSecond, stop: &CancellationToken) -> anyhow::Result<ExitCode> {
    let spec = args.spec()?;
    let server = Server::new(&args.requests, &spec).await?;
    run_one(FetchPlan::new(server.target.clone(), spec.clone()), spec, &args.requests, stop).await
}

/// Sends the same requests in each style, one style after the other. Prints a line of the table after each, and a picture
/// of each at the end.
pub async fn lab_compare(args: &LabCompare, stop: &CancellationToken) -> anyhow::Result<ExitCode> {
    let is_json = args.requests.json;
    let mut runs: Vec<Run> = Vec::new();
    for spec in args.specs()? {
        if stop.is_cancelled() {
            break;
        }
        let server = Server::new(&args.requests, &spec).await?;
        if runs.is_empty() && !is_json {
            print(&report::table_head(&spec))?;
        }
        // Only the bar: the pictures show what has arrived.
        let mut bar = Arrivals::on_standard_streams(spec.work, spec.count, Words::Hidden);
        let plan = FetchPlan::new(server.target.clone(), spec.clone());
        let run = run(plan, spec, stop, |trace, fact| bar.see(trace, fact)).await?;
        bar.end();
        if !is_json {
            print(&report::table_row(&run, report::speed_up(&run, runs.first().unwrap_or(&run))))?;
        }
        runs.push(run);
    }
    if is_json {
        print_json(&report::comparison(&runs))?;
    } else {
        print(&report::pictures(&runs, args.columns))?;
    }
    Ok(exit_code(stop, runs.iter().map(|run| run.summary.done).sum()))
}

/// Runs one plan, and prints its results.
async fn run_one(
    plan: FetchPlan,
    spec: FetchSpec,
    args: &LabRequests,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let words = if args.json { Words::Hidden } else { Words::Shown };
    let mut arrivals = Arrivals::on_standard_streams(spec.work, spec.count, words);
    let run = run(plan, spec, stop, |trace, fact| arrivals.see(trace, fact)).await?;
    arrivals.end();
    if args.json {
        print_json(&report::Document::of(&run))?;
    } else {
        print(&report::summary(&run))?;
    }
    Ok(exit_code(stop, run.summary.done))
}

/// Runs the plan. `see` gets each fact, and the trace that it belongs to.
async fn run(
    plan: FetchPlan,
    spec: FetchSpec,
    stop: &CancellationToken,
    mut see: impl FnMut(&LabTrace, &LabFact),
) -> anyhow::Result<Run> {
    let run = async |sink| fetch_on_thread(plan, sink, stop.clone())?.await;
    let (summary, trace) = follow(run, |trace, event| see(trace, &event.what)).await;
    Ok(Run { spec, summary: summary?, trace })
}

fn exit_code(stop: &CancellationToken, done: u32) -> ExitCode {
    match (stop.is_cancelled(), done) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, 0) => ExitCode::FAILURE,
        (false, _) => ExitCode::SUCCESS,
    }
}

/// The server that gets the requests: the named one, or one of the command's own.
struct Server {
    target: Target,
    /// Serves until it is dropped.
    own: Option<LoopbackServer>,
}

impl Server {
    async fn new(args: &LabRequests, spec: &FetchSpec) -> anyhow::Result<Self> {
        let server = match &args.base_url {
            Some(url) => Self { target: named_target(url, args.allow_remote).await?, own: None },
            None => {
                let own = LoopbackServer::start(Random::system()).context("the lab's own server did not start")?;
                Self { target: Target::at(own.address()), own: Some(own) }
            }
        };
        server.check_open_files(spec)?;
        Ok(server)
    }

    /// Each connection is an open file; two, if both ends are ours.
    fn check_open_files(&self, spec: &FetchSpec) -> anyhow::Result<()> {
        let concurrent = match spec.style {
            LabStyle::Sequential => 1,
            LabStyle::Threads | LabStyle::Futures => spec.workers.min(spec.count),
            LabStyle::Async => spec.count,
        };
        let ends = if self.own.is_some() { 2 } else { 1 };
        let needed = u64::from(concurrent) * ends + OTHER_FILES;
        if let Some(files) = raise_open_files() {
            ensure!(
                files >= needed,
                "{concurrent} requests at a time need {needed} open files, and the system allows {files}: raise that \
                 (ulimit -n {needed}), or ask for fewer with --count"
            );
        }
        Ok(())
    }
}

async fn named_target(url: &str, allow_remote: bool) -> anyhow::Result<Target> {
    let text = url.to_owned();
    // Resolving a name blocks.
    let target = spawn_blocking(move || text.parse::<Target>()).await?.context("--base-url")?;
    ensure!(
        target.is_loopback() || allow_remote,
        "{target} is not on this machine. Many requests at a time can be a burden: if its owner consents, add \
         --allow-remote"
    );
    Ok(target)
}

/// Writes each flag that arrives as CC.svg. An error stops no download: the first one is returned at the end.
fn save(folder: &Path, bodies: Receiver<Body>) -> anyhow::Result<()> {
    let failed = |path: &Path, error: io::Error| {
        anyhow!("{} cannot be written: {error}; choose another folder with --save", path.display())
    };
    let mut saved = fs::create_dir_all(folder).map_err(|error| failed(folder, error));
    for Body { country, bytes, .. } in bodies {
        let Some(country) = country else { continue };
        if saved.is_ok() {
            let name = format!("{}.svg", country.lowercase());
            saved = replace(folder, &name, &bytes).map_err(|error| failed(&folder.join(name), error));
        }
    }
    saved
}

/// Writes a file atomically. Replaces whatever has that name, and does not follow a link.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{name}.{}", std::process::id()));
    let mut file = fs::File::create_new(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&unfinished, folder.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}
