//! The binary: reads the configuration, opens the database, and runs a command.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod database;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail, ensure};
use server::cli::config::{
    AdminCommand, Command, Config, Consent, DatabaseUrl, ExportArgs, ExportFormat, JobsCommand, NoConfig, SpoolCommand,
};
use server::cli::{self, Copied, Jobs, NewFile, PasswordSource, ProgressBar, Serving, StopSignal, Working};
use server::jobs::scan::resolved;
use server::lab::LabResources;
use server::lab::command_line::{self, LabCommand};
use server::lab::sandbox::{self, Sandbox};
use server::log::export::Lines;
use server::platform::logging::log_to_stderr;
use server::platform::output::{self, DrainAtEnd, print, say};
use server::platform::random::Random;
use server::platform::receipt_lookup::SearchOfReceipt;
use server::search::receipt::Receipts;
use store::{Clock, SystemClock};
use tokio::runtime::Runtime;

use crate::database::{Access, LabDatabase};

/// The usual exit code for a wrong flag or variable.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let _drain = DrainAtEnd;
    // Before any file is made.
    cli::make_new_files_private();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&anyhow!("no threads can be started: {error}")),
    };
    let code = runtime.block_on(begin());
    // Not by dropping it: a blocked thread, for instance one that resolves a name, would delay the end.
    runtime.shutdown_background();
    code
}

async fn begin() -> ExitCode {
    let stop = StopSignal::receive();
    let config = match Config::read() {
        Ok(config) => config,
        Err(NoConfig::Shown(text)) => {
            return print(&text).map_or_else(|error| output::fail(&error.into()), |()| ExitCode::SUCCESS);
        }
        Err(NoConfig::Wrong(line)) => {
            say(&line);
            return ExitCode::from(WRONG_USAGE);
        }
    };
    log_to_stderr();
    for (name, meant) in Config::unknown_variables() {
        let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
        tracing::warn!("the variable {name} is not heeded{meant}");
    }
    run_until_stopped(config, stop).await.unwrap_or_else(|error| output::fail(&error))
}

async fn run_until_stopped(config: Config, stop: anyhow::Result<StopSignal>) -> anyhow::Result<ExitCode> {
    let stop = stop?;
    let is_service = matches!(config.command, None | Some(Command::Serve | Command::Work));
    match stop.unless_stopped(run(config, &stop)).await {
        Ok(ended) => ended,
        // It has promised nothing yet.
        Err(_) if is_service => {
            tracing::info!("stopped before it was ready");
            Ok(ExitCode::SUCCESS)
        }
        Err(stopped) => Ok(stopped.exit_code()),
    }
}

async fn run(config: Config, stop: &StopSignal) -> anyhow::Result<ExitCode> {
    let clock = Arc::new(SystemClock::start());
    let random = Random::system();
    match config.command.clone().unwrap_or(Command::Serve) {
        Command::Serve => {
            say(&format!("data folder: {}", config.store.data.display()));
            cli::serve(serving(config, clock, random).await?, stop.drain()).await?;
        }
        Command::Work => {
            let store = database::open_patiently(&config, Access::Owner, &clock).await?;
            let lab = lab_resources(&config);
            cli::work(Working { store, clock, random, jobs: config.jobs, lab }, stop.drain()).await?;
        }
        Command::Admin(AdminCommand::Create { name, password_stdin }) => {
            let source = if password_stdin { PasswordSource::StandardInput } else { PasswordSource::Terminal };
            let store = database::open(&config, Access::Guest, &clock).await?;
            cli::create_admin(&*store, &*clock, random, &name, source).await?;
        }
        Command::Admin(AdminCommand::Link) => {
            let store = database::open(&config, Access::Guest, &clock).await?;
            cli::print_link(&*store, &*clock, &random, &config.http).await?;
        }
        Command::Spool(SpoolCommand::Replay { folder }) => {
            let spool = cli::open_left_spool(&folder)?;
            let store = database::open(&config, Access::Feeder, &clock).await?;
            cli::replay_spool(&*store, &spool, &*clock).await?;
            store.close().await;
        }
        Command::Migrate => {
            database::open_patiently(&config, Access::Owner, &clock).await?;
            print("The database has this version's schema.\n")?;
        }
        Command::Copy { from, to } => copy(&from, &to, &*clock).await?,
        Command::Export(args) => return export(&config, args, &clock).await,
        Command::Jobs(command) => jobs(&config, &command, &clock).await?,
        Command::Lab(command) => return lab(command, config, clock, random, stop).await,
        Command::Check => {
            let (mut findings, store) = database::check(&config, &clock).await;
            findings.extend(cli::check_private(&config));
            let listen = config.http.listen;
            findings.extend(cli::check(store.as_deref(), &config.spool().folder, listen, &*clock).await);
            return Ok(cli::print_findings(&findings)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn serving(config: Config, clock: Arc<SystemClock>, random: Random) -> anyhow::Result<Serving> {
    // Before the store is opened: a server that cannot listen should not touch the data.
    let listener = cli::listen(&config.http).await?;
    cli::make_data_private(&config);
    let store = database::open_patiently(&config, Access::Owner, &clock).await?;
    // After the store is opened: a second process on the same folder should fail with the database's error.
    let ingest = cli::open_spool(&config)?;
    let lab = lab_resources(&config);
    Ok(Serving { store, ingest, clock, random, listener, http: config.http, jobs: config.jobs, lab })
}

/// Resources for runs that are jobs.
fn lab_resources(config: &Config) -> LabResources {
    LabResources { open_pool: database::pool_opener(config), sandbox: Sandbox::of_this_program().ok() }
}

async fn lab(
    command: LabCommand,
    config: Config,
    clock: Arc<SystemClock>,
    random: Random,
    stop: &StopSignal,
) -> anyhow::Result<ExitCode> {
    match command {
        LabCommand::Flags(args) => return command_line::lab_flags(&args, &stop.drain()).await,
        LabCommand::Second(args) => return command_line::lab_second(&args, &stop.drain()).await,
        LabCommand::Compare(args) => return command_line::lab_compare(&args, &stop.drain()).await,
        LabCommand::Database(args) => {
            let database = LabDatabase::new(config)?;
            command_line::lab_database(&args, &database.name, &database.open_pool).await?;
        }
        LabCommand::Request(args) => command_line::lab_request(&args).await?,
        LabCommand::Sandbox(args) => {
            sandbox::end_with_stdin(&args.folder)?;
            let serving = serving(config.for_sandbox(&args), clock, random).await?;
            cli::serve_sandbox(serving, args.delay, stop.drain()).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn copy(from: &DatabaseUrl, to: &DatabaseUrl, clock: &dyn Clock) -> anyhow::Result<()> {
    let (source, target) = (database::open_source(from).await?, database::open_target(to).await?);
    match cli::copy(&*source, &*target, clock, &mut ProgressBar::on_stderr()).await? {
        Copied::Already => print(&format!("{} holds the whole copy already.\n", target.name()))?,
        Copied::Verified(report) => {
            print(&report.to_string())?;
            if let Some(difference) = report.difference() {
                let advice = format!("Begin anew in an empty database: {}", target.how_to_empty());
                bail!("{difference}. The copy cannot be served. {advice}");
            }
            print(&format!("Everything was copied from {} to {}.\n", source.name(), target.name()))?;
        }
    }
    Ok(())
}

async fn jobs(config: &Config, command: &JobsCommand, clock: &SystemClock) -> anyhow::Result<()> {
    if let DatabaseUrl::Sqlite(file) = config.database() {
        ensure!(file.exists(), "{} does not exist: there are no jobs", file.display());
    }
    let (filter, zone) = command.filter()?;
    if let Some(zone) = zone {
        say(&format!("times in the filter are in {} (--time-zone)", zone.name));
    }
    let store = match command.act() {
        None | Some((_, Consent::DryRun)) => database::open(config, Access::Guest, clock).await?,
        Some(_) => database::open(config, Access::Feeder, clock)
            .await
            .context("the jobs cannot be changed here; a server that runs has the page /jobs for that")?,
    };
    let receipts = Receipts::new(&store.secret().await?);
    let search_of_receipt: SearchOfReceipt = Arc::new(move |receipt| receipts.search(receipt));
    let filter = resolved(filter, &*store, &search_of_receipt).await?;
    let jobs = Jobs { store: &*store, clock, filter };
    let matching = match (command, command.act()) {
        (_, Some((act, consent))) => jobs.act(act, consent).await?,
        (JobsCommand::List(args), None) => jobs.list(args.limit).await?,
        _ => 0,
    };
    if let Some(meant) = command.meant_filter().filter(|_| matching == 0) {
        say(&format!("no job matched the filter; did you mean --filter '{meant}'?"));
    }
    store.close().await;
    Ok(())
}

async fn export(config: &Config, args: ExportArgs, clock: &SystemClock) -> anyhow::Result<ExitCode> {
    if let DatabaseUrl::Sqlite(file) = config.database() {
        ensure!(file.exists(), "{} does not exist: there is nothing to export", file.display());
    }
    let (filter, zone) = args.filter()?;
    if let Some(zone) = zone {
        say(&format!("times in the filter are in {} (--time-zone)", zone.name));
    }
    let meant = args.meant_filter();
    let mut bar = ProgressBar::for_export(args.output.as_deref());
    let file = args.output.map(NewFile::new).transpose()?;
    let store = database::open(config, Access::Guest, clock).await?;
    let receipts = Receipts::new(&store.secret().await?);
    let filter = filter.with_searches(|receipt| receipts.search(receipt));
    let lines = match args.format {
        ExportFormat::Ndjson => Some(Lines::Ndjson),
        ExportFormat::Csv => Some(Lines::Csv),
        ExportFormat::Sqlite => None,
    };
    let rows = match lines {
        Some(lines) => cli::export_text(store, filter, lines, file, clock, &mut bar).await?,
        None => {
            let file = file.expect("a database is not written to standard output: --output is required");
            let mut table = database::create_log_file(file.part()).await?;
            let manifest = cli::export_rows(store, filter, &mut table, clock, &mut bar).await?;
            table.close(&manifest).await?;
            file.finish()?;
            manifest.rows
        }
    };
    if let Some(meant) = meant.filter(|_| rows == 0) {
        say(&format!("no row matched the filter; did you mean --filter '{meant}'?"));
    }
    Ok(ExitCode::SUCCESS)
}
