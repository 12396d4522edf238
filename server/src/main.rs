//! The binary: reads the configuration, opens the store, hands over to a command.
//!
//! The only file that names a concrete database.

use std::fs::File;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::num::NonZeroU32;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use api::{DatabaseSpec, LogFilter};
use server::app_state::IntakeSection;
use server::cli::config::{
    AdminCommand, Command, Config, DatabaseUrl, ExportFormat, NoConfig, PostgresUrl, SpoolCommand,
};
use server::cli::{
    self, CommandError, Copied, Exported, Finding, Meter, NewFile, NotOpened, ServerFacts, Serving, Working,
};
use server::lab::LabResources;
use server::lab::command_line::{self, LabCommand};
use server::lab::database::PoolOpener;
use server::lab::sandbox::Sandbox;
use server::log::export::Lines;
use server::platform::logging::log_to_stderr;
use server::platform::random::Random;
use spool::Spool;
use store::copy::{Source, Target};
use store::{Clock, Store, SystemClock};
use store_postgres::{PostgresCopy, PostgresStore};
use store_sqlite::{LogFile, SqliteCopy, SqliteStore};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// So many reads go on side by side in a file; more would only wait for the same disk.
const READERS: u32 = 8;

const LAB_CONNECTIONS: NonZeroU32 = match NonZeroU32::new(DatabaseSpec::CONNECTIONS) {
    Some(connections) => connections,
    None => panic!("who has no connections cannot share them"),
};

/// A flag or variable is wrong, as with other programs.
const WRONG_USAGE: u8 = 2;

/// As shells name the end by SIGPIPE, which is what ends other programs then.
const READER_GONE: u8 = 128 + 13;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::read() {
        Ok(config) => config,
        Err(NoConfig::Shown(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(NoConfig::Wrong(line)) => {
            eprintln!("{line}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    log_to_stderr();
    match run(config).await {
        Ok(code) => code,
        Err(CommandError(message)) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<ExitCode, CommandError> {
    let clock = Arc::new(SystemClock::start());
    let random = Random::system();
    match config.command.clone().unwrap_or(Command::Serve) {
        Command::Serve => cli::serve(serving(config, clock, random).await?).await?,
        Command::Work => {
            let store = open_patiently(&config, Access::Owner, &clock).await?;
            let lab = lab_resources(&config);
            cli::work(Working { store, clock, random, jobs: config.jobs, lab }).await?;
        }
        Command::Admin(AdminCommand::Create { name, password_stdin: _ }) => {
            let store = open(&config, Access::Guest, &clock).await?;
            cli::create_admin(&*store, &*clock, random, &name).await?;
        }
        Command::Admin(AdminCommand::Link) => {
            let store = open(&config, Access::Guest, &clock).await?;
            cli::print_link(&*store, &*clock, &random, &config.http).await?;
        }
        Command::Spool(SpoolCommand::Replay { folder }) => {
            let spool = cli::open_left_spool(&folder)?;
            let store = open(&config, Access::Feeder, &clock).await?;
            cli::replay_spool(&*store, &spool, &*clock).await?;
            store.close().await;
        }
        Command::Migrate => {
            open_patiently(&config, Access::Owner, &clock).await?;
            println!("The database has this version's schema.");
        }
        Command::Copy { from, to } => return copy(&from, &to, &*clock).await,
        Command::Export { format, output, filter } => return export(&config, format, output, filter, &clock).await,
        Command::Lab(command) => return lab(command, config, clock, random).await,
        Command::Check => return Ok(check(&config, &clock).await),
    }
    Ok(ExitCode::SUCCESS)
}

async fn lab(
    command: LabCommand,
    config: Config,
    clock: Arc<SystemClock>,
    random: Random,
) -> Result<ExitCode, CommandError> {
    match command {
        LabCommand::Flags(asked) => return command_line::lab_flags(&asked).await,
        LabCommand::Second(asked) => return command_line::lab_second(&asked).await,
        LabCommand::Compare(asked) => return command_line::lab_compare(&asked).await,
        LabCommand::Database(asked) => {
            let place = LabPlace::of(config)?;
            command_line::lab_database(&asked, &place.name, &pool_opener(&place.config)).await?;
        }
        LabCommand::Request(asked) => command_line::lab_request(&asked).await?,
        LabCommand::Sandbox(sandbox) => {
            cli::begin_sandbox(&sandbox)?;
            let serving = serving(config.for_sandbox(&sandbox), clock, random).await?;
            cli::sandbox(serving, &sandbox).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The database that the lab's tasks use from the command line.
struct LabPlace {
    config: Config,
    /// For people.
    name: String,
    /// Where the database is, if there was none.
    _folder: Option<TempDir>,
}

impl LabPlace {
    /// The database that is there, or else an empty one, which goes away with this.
    fn of(mut config: Config) -> Result<Self, CommandError> {
        match config.database() {
            DatabaseUrl::Sqlite(file) if !file.exists() => {
                let folder = TempDir::new();
                let folder =
                    folder.map_err(|error| CommandError(format!("no temporary folder can be made: {error}")))?;
                config.store.database_url = Some(DatabaseUrl::Sqlite(folder.path().join("lab.db")));
                let name = format!("an empty one in a temporary folder: {} does not exist", file.display());
                Ok(Self { config, name, _folder: Some(folder) })
            }
            DatabaseUrl::Sqlite(file) => Ok(Self { config, name: file.display().to_string(), _folder: None }),
            DatabaseUrl::Postgres(url) => Ok(Self { config, name: url.to_string(), _folder: None }),
        }
    }
}

/// For runs that jobs do.
fn lab_resources(config: &Config) -> LabResources {
    LabResources { open_pool: pool_opener(config), sandbox: Sandbox::of_this_program() }
}

/// Opens this database beside whoever has it open, for the lab's tasks alone.
fn pool_opener(config: &Config) -> PoolOpener {
    let mut config = config.clone();
    config.store.database_connections = LAB_CONNECTIONS;
    Arc::new(move || {
        let config = config.clone();
        Box::pin(async move {
            let opened = open_whichever(&config, Access::Guest, LAB_CONNECTIONS.get()).await;
            opened.map_err(|error| CommandError::from(error).0)
        })
    })
}

async fn serving(config: Config, clock: Arc<SystemClock>, random: Random) -> Result<Serving, CommandError> {
    // Before the store is opened: who cannot listen should not touch the data.
    let listener = listen(&config).await?;
    let store = open_patiently(&config, Access::Owner, &clock).await?;
    let (intake, lab) = (intake(&config)?, lab_resources(&config));
    Ok(Serving { store, intake, clock, random, listener, http: config.http, jobs: config.jobs, lab })
}

async fn listen(config: &Config) -> Result<TcpListener, CommandError> {
    let address = config.http.listen;
    TcpListener::bind(address).await.map_err(|error| {
        CommandError(format!("cannot listen on {address}: {error}; is it in use? choose another with --listen"))
    })
}

/// What a command does with the database.
#[derive(Clone, Copy)]
enum Access {
    /// Runs jobs, or changes the schema.
    Owner,
    /// Adds jobs for others to run.
    Feeder,
    /// Touches no jobs.
    Guest,
}

/// From then on the clock is the database's, where it has one.
async fn open(config: &Config, access: Access, clock: &SystemClock) -> Result<Arc<dyn Store>, NotOpened> {
    let store = open_whichever(config, access, READERS).await?;
    let followed = clock.follow(store.time()).await;
    followed.map_err(|error| NotOpened { kind: error.kind(), message: error.detail().to_owned() })?;
    Ok(store)
}

async fn open_whichever(config: &Config, access: Access, readers: u32) -> Result<Arc<dyn Store>, NotOpened> {
    match config.database() {
        DatabaseUrl::Sqlite(file) => {
            let access = match access {
                // Nobody tells the owner of jobs that another process adds: they would lie there until its next start.
                Access::Owner | Access::Feeder => store_sqlite::Access::Owner,
                Access::Guest => store_sqlite::Access::Guest,
            };
            let opened = SqliteStore::open(store_sqlite::Options { file, readers, access }).await;
            let store = opened.map_err(not_opened_file)?;
            Ok(Arc::new(store))
        }
        DatabaseUrl::Postgres(url) => {
            let access = match access {
                Access::Owner => store_postgres::Access::Owner,
                // Its workers are told, wherever they are.
                Access::Feeder | Access::Guest => store_postgres::Access::Guest,
            };
            let opened = PostgresStore::open(postgres_options(config, &url), access).await;
            Ok(Arc::new(opened.map_err(not_opened_server)?))
        }
    }
}

fn postgres_options(config: &Config, url: &PostgresUrl) -> store_postgres::Options {
    store_postgres::Options {
        url: url.reveal().to_owned(),
        listen_url: config.store.database_listen_url.as_ref().map(|url| url.reveal().to_owned()),
        connections: config.store.database_connections.get(),
    }
}

/// For the start of what runs for long: a database server that starts at the same time as we do is waited for.
async fn open_patiently(config: &Config, access: Access, clock: &SystemClock) -> Result<Arc<dyn Store>, NotOpened> {
    match config.database() {
        // Nobody switches a file on.
        DatabaseUrl::Sqlite(_) => open(config, access, clock).await,
        DatabaseUrl::Postgres(_) => cli::wait_for_database(clock, async || open(config, access, clock).await).await,
    }
}

async fn copy(from: &DatabaseUrl, to: &DatabaseUrl, clock: &dyn Clock) -> Result<ExitCode, CommandError> {
    let (source, target) = (copied(from).await?, copied_into(to).await?);
    match cli::copy(&*source, &*target, clock, &mut Meter::on_stderr()).await? {
        Copied::Already => println!("{} holds the whole copy already.", target.name()),
        Copied::Verified(report) => {
            print!("{report}");
            if let Some(difference) = report.difference() {
                return Err(CommandError(format!(
                    "{difference}. The copy cannot be served. Begin anew in an empty database: {}",
                    target.how_to_empty()
                )));
            }
            println!("Everything was copied from {} to {}.", source.name(), target.name());
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn copied(from: &DatabaseUrl) -> Result<Box<dyn Source>, NotOpened> {
    Ok(match from {
        DatabaseUrl::Sqlite(file) => Box::new(SqliteCopy::source(file).await.map_err(not_opened_file)?),
        DatabaseUrl::Postgres(url) => {
            let opened = PostgresCopy::source(url.reveal(), url.to_string()).await;
            Box::new(opened.map_err(not_opened_server)?)
        }
    })
}

async fn copied_into(to: &DatabaseUrl) -> Result<Box<dyn Target>, NotOpened> {
    Ok(match to {
        DatabaseUrl::Sqlite(file) => Box::new(SqliteCopy::target(file).await.map_err(not_opened_file)?),
        DatabaseUrl::Postgres(url) => {
            let opened = PostgresCopy::target(url.reveal(), url.to_string()).await;
            Box::new(opened.map_err(not_opened_server)?)
        }
    })
}

fn not_opened_file(error: store_sqlite::OpenError) -> NotOpened {
    NotOpened { kind: error.kind(), message: error.to_string() }
}

fn not_opened_server(error: store_postgres::OpenError) -> NotOpened {
    NotOpened { kind: error.kind(), message: error.to_string() }
}

/// After the store is opened: of two processes on one folder, the second is told about the database.
fn intake(config: &Config) -> Result<IntakeSection, CommandError> {
    let spool = Spool::open(config.spool()).map_err(|error| CommandError(error.to_string()))?;
    Ok(IntakeSection { spool, deadline: config.spool.accept_deadline })
}

async fn export(
    config: &Config,
    format: ExportFormat,
    output: Option<PathBuf>,
    filter: LogFilter,
    clock: &SystemClock,
) -> Result<ExitCode, CommandError> {
    if let DatabaseUrl::Sqlite(file) = config.database()
        && !file.exists()
    {
        return Err(CommandError(format!("{} does not exist: there is nothing to export", file.display())));
    }
    // On one terminal the two would be mixed.
    let is_watched = stderr().is_terminal() && (output.is_some() || !stdout().is_terminal());
    let mut meter = if is_watched { Meter::on_stderr() } else { Meter::silent() };
    let file = output.map(NewFile::of).transpose()?;
    let store = open(config, Access::Guest, clock).await?;
    let lines = match format {
        ExportFormat::Ndjson => Lines::Ndjson,
        ExportFormat::Csv => Lines::Csv,
        ExportFormat::Sqlite => {
            let file = file.expect("a database is not written to standard output: --output is required");
            let mut table = LogFile::create(file.part()).await?;
            cli::export_rows(store, filter, &mut table, clock, &mut meter).await?;
            table.close().await?;
            file.finish()?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut out = match &file {
        Some(file) => file.create()?,
        // Not through the buffer that standard output has: whole blocks are written.
        None => File::from(stdout().as_fd().try_clone_to_owned().map_err(|error| CommandError(error.to_string()))?),
    };
    if cli::export_lines(store, filter, lines, &mut out, clock, &mut meter).await? == Exported::Unread {
        return Ok(ExitCode::from(READER_GONE));
    }
    file.map_or(Ok(()), NewFile::finish)?;
    Ok(ExitCode::SUCCESS)
}

async fn check(config: &Config, clock: &SystemClock) -> ExitCode {
    let (mut findings, store) = opening(config, clock).await;
    findings.extend(cli::check(store.as_deref(), &config.spool().folder, config.http.listen).await);
    for finding in &findings {
        let (word, text) = match finding {
            Finding::Good(text) => ("ok   ", text),
            Finding::Wrong(text) => ("WRONG", text),
        };
        // Whoever has read enough still gets the status.
        let _ = writeln!(stdout(), "{word}  {text}");
    }
    if findings.iter().any(|finding| matches!(finding, Finding::Wrong(_))) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What there is to say about the database before it can be asked anything.
async fn opening(config: &Config, clock: &SystemClock) -> (Vec<Finding>, Option<Arc<dyn Store>>) {
    let name = match config.database() {
        DatabaseUrl::Sqlite(file) if !file.exists() => {
            let text = format!("{} does not exist yet; the first start makes it", file.display());
            return (vec![Finding::Good(text)], None);
        }
        DatabaseUrl::Sqlite(file) => file.display().to_string(),
        DatabaseUrl::Postgres(url) => url.to_string(),
    };
    match open(config, Access::Guest, clock).await {
        Ok(store) => {
            let mut findings = vec![Finding::Good(format!("{name} is a sound database of this version"))];
            if let DatabaseUrl::Postgres(url) = config.database() {
                findings.extend(server_findings(config, &url, clock).await);
            }
            (findings, Some(store))
        }
        Err(error) => (vec![Finding::Wrong(CommandError::from(error).0)], None),
    }
}

async fn server_findings(config: &Config, url: &PostgresUrl, clock: &SystemClock) -> Vec<Finding> {
    let examined = store_postgres::examine(&postgres_options(config, url)).await;
    match examined {
        Ok(examined) => cli::check_server(ServerFacts {
            are_notifications_heard: examined.are_notifications_heard,
            connections_limit: examined.connections_limit,
            connections_in_use: examined.connections_in_use,
            // And the one that listens.
            connections_ours: config.store.database_connections.get().saturating_add(1),
            clock_ahead_ms: clock.wall().0 - clock.steady().0,
        }),
        Err(error) => vec![Finding::Wrong(error.to_string())],
    }
}
