//! The binary: reads the configuration, opens the store, hands over to a command.
//!
//! The only file that names a concrete database.

use std::process::ExitCode;
use std::sync::Arc;

use server::commands::{self, CommandError, Finding, Serving};
use server::config::{AdminCommand, Command, Config, NoConfig};
use server::{IntakeSection, Random};
use spool::Spool;
use store::SystemClock;
use store_sqlite::{Access, Options, SqliteStore};
use tokio::net::TcpListener;

/// So many reads go on side by side; more would only wait for the same disk.
const READERS: u32 = 8;

/// A flag or variable is wrong, as with other programs.
const WRONG_USAGE: u8 = 2;

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
    server::log_to_stderr();
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
        Command::Serve => {
            // Before the store is opened: who cannot listen should not touch the data.
            let listener = listen(&config).await?;
            let store = Arc::new(open(&config, Access::Owner).await?);
            let (intake, http, jobs) = (intake(&config)?, config.http, config.jobs);
            commands::serve(Serving { store, intake, clock, random, listener, http, jobs }).await?;
        }
        Command::Admin(AdminCommand::Create { name, password_stdin: _ }) => {
            let store = open(&config, Access::Guest).await?;
            commands::create_admin(&store, &*clock, random, &name).await?;
        }
        Command::Admin(AdminCommand::Link) => {
            let store = open(&config, Access::Guest).await?;
            commands::print_link(&store, &*clock, &random, &config.http).await?;
        }
        Command::Migrate => {
            open(&config, Access::Owner).await?;
            println!("The database has this version's schema.");
        }
        Command::Check => return Ok(check(&config).await),
    }
    Ok(ExitCode::SUCCESS)
}

async fn listen(config: &Config) -> Result<TcpListener, CommandError> {
    let address = config.http.listen;
    TcpListener::bind(address).await.map_err(|error| {
        CommandError(format!("cannot listen on {address}: {error}; is it in use? choose another with --listen"))
    })
}

async fn open(config: &Config, access: Access) -> Result<SqliteStore, CommandError> {
    let options = Options { file: config.database_file(), readers: READERS, access };
    let opened = SqliteStore::open(options).await;
    opened.map_err(|error| CommandError(format!("{}: {error}", error.kind().word())))
}

/// After the store is opened: of two processes on one folder, the second is told about the database.
fn intake(config: &Config) -> Result<IntakeSection, CommandError> {
    let spool = Spool::open(config.spool()).map_err(|error| CommandError(error.to_string()))?;
    Ok(IntakeSection { spool, deadline: config.spool.accept_deadline })
}

async fn check(config: &Config) -> ExitCode {
    let file = config.database_file();
    let opened = if file.exists() { Some(open(config, Access::Guest).await) } else { None };
    let mut findings = vec![match &opened {
        Some(Ok(_)) => Finding::Good(format!("{} is a sound database of this version", file.display())),
        Some(Err(CommandError(message))) => Finding::Wrong(message.clone()),
        None => Finding::Good(format!("{} does not exist yet; the first start makes it", file.display())),
    }];
    let store = opened.as_ref().and_then(|opened| opened.as_ref().ok());
    let store = store.map(|store| store as &dyn store::Store);
    findings.extend(commands::check(store, &config.spool().folder, config.http.listen).await);
    for finding in &findings {
        match finding {
            Finding::Good(text) => println!("ok     {text}"),
            Finding::Wrong(text) => println!("WRONG  {text}"),
        }
    }
    if findings.iter().any(|finding| matches!(finding, Finding::Wrong(_))) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
