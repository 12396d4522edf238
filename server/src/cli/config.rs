//! The only reader of flags and environment.

mod database_url;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use api::LogFilter;
use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use spool::Options as SpoolOptions;

use self::database_url::{UrlParser, database_url, postgres_url, without_secrets};

pub use self::database_url::{DatabaseUrl, PostgresUrl};
use crate::lab::command_line::{LabCommand, LabSandbox};

/// Says which letters occur in a phrase, and logs every search: answer now, write later.
#[derive(Clone, Debug, Parser)]
#[command(name = "search4letters", version, args_conflicts_with_subcommands = false)]
pub struct Config {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub http: HttpSection,
    #[command(flatten)]
    pub store: StoreSection,
    #[command(flatten)]
    pub spool: SpoolSection,
    #[command(flatten)]
    pub jobs: JobsSection,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Serve the pages and run the jobs (the default)
    Serve,
    /// Run jobs and serve nothing, beside other processes on the same PostgreSQL database
    Work,
    /// Make administrators
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Deal with the spools of processes that are lost
    #[command(subcommand)]
    Spool(SpoolCommand),
    /// Bring the database to this version's schema
    Migrate,
    /// Copy a whole database into an empty one, for instance from SQLite to PostgreSQL
    ///
    /// Copied are the accounts, the log with its numbers, the jobs that are not done, and what receipts and the ledger
    /// need. Sessions are not: people log in again. Stop the servers first. The database that is copied is not
    /// changed. A copy that was interrupted goes on when the same command is started again; until it is finished, no
    /// server starts on it. At the end both databases are read and compared, and the checksums of all tables printed.
    Copy {
        /// The database to copy: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE
        #[arg(long, value_name = "URL", value_parser = UrlParser(database_url))]
        from: DatabaseUrl,
        /// The empty database to copy into: postgres://USER:PASSWORD@HOST/DATABASE or sqlite:FILE
        #[arg(long, value_name = "URL", value_parser = UrlParser(database_url))]
        to: DatabaseUrl,
    },
    /// Write the whole log out, beside a running server or without one
    ///
    /// All rows that there are at the start, from the oldest on. What people typed acts on nothing in there: docs/export.md
    /// says how to read it back.
    Export {
        /// NDJSON, CSV, or an SQLite file with the table log
        #[arg(long, default_value = "ndjson")]
        format: ExportFormat,
        /// The file to make, which is there once it is whole; standard output, unless given
        #[arg(long, value_name = "FILE", required_if_eq("format", "sqlite"))]
        output: Option<PathBuf>,
        /// Only the rows that this filter matches, written as on the page of the log; docs/log.md has its grammar
        // A filter may begin with a minus.
        #[arg(long, value_name = "FILTER", default_value = "", allow_hyphen_values = true)]
        filter: LogFilter,
    },
    /// See what it costs to wait, and what need not be waited for
    #[command(subcommand)]
    Lab(LabCommand),
    /// Say what is wrong with the setup and how to mend it
    Check,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Ndjson,
    Csv,
    Sqlite,
}

#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an administrator's account
    Create {
        /// The name to log in with
        name: String,
        /// Read the password from the first line of standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Print a one-use link with which an administrator makes an account
    Link,
}

#[derive(Clone, Debug, Subcommand)]
pub enum SpoolCommand {
    /// Bring the records in a lost process's spool into the database; safe to do twice
    Replay {
        /// The folder `spool` in the data folder of the process that is lost
        folder: PathBuf,
    },
}

#[derive(Clone, Debug, Args)]
pub struct HttpSection {
    /// Address and port to listen on
    #[arg(
        long,
        global = true,
        env = "SEARCH4LETTERS_LISTEN",
        default_value = "127.0.0.1:3000",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    /// Network of proxies whose X-Forwarded-For and X-Forwarded-Proto count (may be given more than once)
    #[arg(long = "trusted-proxy", global = true, env = "SEARCH4LETTERS_TRUSTED_PROXY", value_delimiter = ',')]
    #[arg(value_name = "CIDR", value_parser = network)]
    pub trusted_proxies: Vec<Network>,
    /// How many connections may be open at once; more wait until one ends
    #[arg(long, global = true, env = "SEARCH4LETTERS_CONNECTIONS", default_value = "16384", value_name = "N")]
    pub connections: NonZeroU32,
    /// How many event streams may be open at once; never more than three quarters of the connections
    #[arg(long, global = true, env = "SEARCH4LETTERS_EVENT_STREAMS", default_value = "12288", value_name = "N")]
    pub event_streams: NonZeroU32,
    /// Whether the waiting lab is open to everybody; auto: where only this machine can reach the server
    ///
    /// That is where it listens on a loopback address and trusts no proxy.
    #[arg(long, global = true, env = "SEARCH4LETTERS_LAB", default_value = "auto", value_name = "WHEN")]
    pub lab: LabSwitch,
}

/// When the waiting lab is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LabSwitch {
    On,
    Off,
    /// Where only this machine can reach the server, as far as its own flags tell.
    Auto,
}

impl HttpSection {
    /// Why the lab is closed, and how to open it; none where it is open.
    #[must_use]
    pub fn lab_closed(&self) -> Option<&'static str> {
        match self.lab {
            LabSwitch::On => None,
            // A proxy that stands on this machine brings others here.
            LabSwitch::Auto if self.listen.ip().is_loopback() && self.trusts_no_proxy() => None,
            LabSwitch::Auto => Some(
                "The lab is closed, because this server can be reached from other machines. Whoever runs it may open \
                 it with --lab on (SEARCH4LETTERS_LAB=on).",
            ),
            LabSwitch::Off => {
                Some("The lab is closed. Whoever runs this server may open it with --lab on (SEARCH4LETTERS_LAB=on).")
            }
        }
    }

    fn trusts_no_proxy(&self) -> bool {
        self.trusted_proxies.iter().all(|network| network.0.is_none())
    }
}

/// One entry of a list of networks; a list from the environment may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(pub Option<IpNet>);

#[derive(Clone, Debug, Args)]
pub struct StoreSection {
    /// Folder for the database and everything else that is kept
    #[arg(long, global = true, env = "SEARCH4LETTERS_DATA", default_value = "./data", value_name = "FOLDER")]
    pub data: PathBuf,
    /// Another database than the one in the data folder: postgres://USER:PASSWORD@HOST/DATABASE or sqlite:FILE
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = UrlParser(database_url))]
    pub database_url: Option<DatabaseUrl>,
    /// PostgreSQL only: a direct connection, where the other one leads through a pooler of transactions
    ///
    /// Migrations and LISTEN need a connection that stays the same: that of --database-url, unless this says another.
    #[arg(long, global = true, env = "DATABASE_LISTEN_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = UrlParser(postgres_url))]
    pub database_listen_url: Option<PostgresUrl>,
    /// PostgreSQL only: how many connections this process opens at most
    #[arg(long, global = true, env = "SEARCH4LETTERS_DATABASE_CONNECTIONS", default_value = "10", value_name = "N")]
    pub database_connections: NonZeroU32,
}

#[derive(Clone, Debug, Args)]
pub struct SpoolSection {
    /// How long a search waits for the database before its record goes to the spool
    #[arg(long, global = true, env = "SEARCH4LETTERS_ACCEPT_DEADLINE", default_value = "250ms", value_name = "TIME")]
    #[arg(value_parser = duration)]
    pub accept_deadline: Duration,
    /// Size of the spool in MiB; the disk space is taken at once
    #[arg(long, global = true, env = "SEARCH4LETTERS_SPOOL_MIB", default_value = "8", value_name = "N")]
    pub spool_mib: NonZeroU32,
}

#[derive(Clone, Debug, Args)]
pub struct JobsSection {
    /// How long each log write sleeps first, for instance 15s
    #[arg(long, global = true, env = "SEARCH4LETTERS_LOG_DELAY", default_value = "0s", value_name = "TIME")]
    #[arg(value_parser = duration)]
    pub log_delay: Duration,
    /// Accept searches without running their jobs
    #[arg(long, global = true, env = "SEARCH4LETTERS_NO_WORKER", value_parser = FalseyValueParser::new())]
    pub no_worker: bool,
    /// How many jobs run side by side at most
    #[arg(long, global = true, env = "SEARCH4LETTERS_WORKERS", default_value = "1024", value_name = "N")]
    pub workers: NonZeroUsize,
    /// How long running jobs may go on after the process was asked to stop
    #[arg(long, global = true, env = "SEARCH4LETTERS_GRACE", default_value = "10s", value_name = "TIME")]
    #[arg(value_parser = duration)]
    pub grace: Duration,
}

/// Why there is no [`Config`].
pub enum NoConfig {
    /// Help or version was asked for; this is it.
    Shown(String),
    /// A flag or variable is wrong: one line that says which and why.
    Wrong(String),
}

impl Config {
    /// From this process's arguments and environment.
    pub fn read() -> Result<Self, NoConfig> {
        Self::of(std::env::args_os())
    }

    fn of(line: impl IntoIterator<Item: Into<OsString> + Clone>) -> Result<Self, NoConfig> {
        let config = Self::parsed(line).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => NoConfig::Shown(error.to_string()),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => NoConfig::Wrong(error.to_string()),
            _ => NoConfig::Wrong(one_line(&error.to_string())),
        })?;
        config.contradiction().map_or(Ok(config), |line| Err(NoConfig::Wrong(format!("error: {line}"))))
    }

    fn parsed(line: impl IntoIterator<Item: Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(line)?;
        let mut config = Self::from_arg_matches(&matches)?;
        if let (Some(Command::Lab(lab)), Some(matches)) = (&mut config.command, matches.subcommand_matches("lab")) {
            lab.forget_environment(matches);
        }
        Ok(config)
    }

    /// What cannot be seen in one flag alone.
    fn contradiction(&self) -> Option<&'static str> {
        let is_postgres = matches!(self.database(), DatabaseUrl::Postgres(_));
        match &self.command {
            _ if !is_postgres && self.store.database_listen_url.is_some() => Some(
                "--database-listen-url (DATABASE_LISTEN_URL) is for PostgreSQL: \
                 give --database-url postgres://... too, or leave it out",
            ),
            Some(Command::Work) if !is_postgres => Some(
                "one process owns an SQLite file and runs its jobs: run `search4letters` without `work`, \
                 or give --database-url postgres://...",
            ),
            Some(Command::Work) if self.jobs.no_worker => {
                Some("`work` only runs jobs: leave out --no-worker (SEARCH4LETTERS_NO_WORKER)")
            }
            _ => None,
        }
    }

    /// The database, which is a file in the data folder unless a flag says otherwise.
    #[must_use]
    pub fn database(&self) -> DatabaseUrl {
        let usual = || DatabaseUrl::Sqlite(self.store.data.join("search4letters.db"));
        self.store.database_url.clone().unwrap_or_else(usual)
    }

    /// Where the spool is: always in the data folder, whatever database there is.
    #[must_use]
    pub fn spool(&self) -> SpoolOptions {
        let capacity_bytes = u64::from(self.spool.spool_mib.get()) << 20;
        SpoolOptions { folder: self.store.data.join("spool"), capacity_bytes }
    }
}

impl Config {
    /// The configuration of a sandbox's server: nothing in it is what was set for a real one.
    #[must_use]
    pub fn for_sandbox(mut self, sandbox: &LabSandbox) -> Self {
        self.http.listen = (Ipv4Addr::LOCALHOST, 0).into();
        self.http.trusted_proxies.clear();
        self.store.data.clone_from(&sandbox.folder);
        self.store.database_url = None;
        self.store.database_listen_url = None;
        self.spool.spool_mib = NonZeroU32::MIN;
        self.jobs.log_delay = sandbox.delay;
        self.jobs.no_worker = false;
        self
    }
}

/// clap explains at length; the first paragraph says what is wrong.
fn one_line(message: &str) -> String {
    let paragraph = message.lines().take_while(|line| !line.trim().is_empty());
    without_secrets(&paragraph.map(str::trim).collect::<Vec<_>>().join(" "))
}

fn network(text: &str) -> Result<Network, String> {
    if text.is_empty() {
        return Ok(Network(None));
    }
    let net = text.parse().map_err(|_| "write a network as ADDRESS/BITS, for instance 10.0.0.0/8".to_owned())?;
    Ok(Network(Some(net)))
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write a number and its unit, for instance 15s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Config::command().debug_assert();
    }

    #[test]
    fn flags_stand_before_or_after_the_subcommand() {
        for line in ["x --data d serve --listen 127.0.0.1:1", "x --listen 127.0.0.1:1 --data d"] {
            let config = Config::try_parse_from(line.split(' ')).expect("parsed");
            assert_eq!(config.http.listen.port(), 1);
            assert_eq!(config.store.data, PathBuf::from("d"));
        }
    }

    #[test]
    fn the_lab_is_open_where_only_this_machine_can_come_unless_it_is_said_otherwise() {
        let is_open = |line: &str| Config::try_parse_from(line.split(' ')).expect(line).http.lab_closed().is_none();
        assert!(
            is_open("x --listen 127.0.0.1:1")
                && is_open("x --listen [::1]:1")
                && is_open("x --lab on --listen 0.0.0.0:1")
        );
        assert!(is_open("x --trusted-proxy=") && !is_open("x --trusted-proxy 127.0.0.1/32"));
        assert!(!is_open("x --listen 0.0.0.0:1") && !is_open("x --lab off") && !is_open("x --listen [::]:1"));
    }

    #[test]
    fn a_wrong_value_gets_one_clear_line() {
        for (line, expected) in [
            ("x --listen here", "--listen"),
            ("x --log-delay 15", "for instance 15s"),
            ("x --workers 0", "--workers"),
            ("x --connections 0", "--connections"),
            ("x --lab perhaps", "--lab"),
            ("x --event-streams many", "--event-streams"),
            ("x --database-url mysql://x", "or sqlite:FILE"),
            ("x --database-url postgres://a:hunter2@x", "/DATABASE"),
            ("x --database-url postgres://a:hunter2/@x/d", "%2F for /"),
            ("x --database-url=postgresql://a:hunter2@x:y/d", "--database-url <URL>"),
            ("x --database-listen-url sqlite:hunter2", "'--database-listen-url <URL>'"),
            ("x --database-listen-url postgres://a:hunter2@x/d", "give --database-url postgres://..."),
            ("x --database-urls=postgres://a:hunter2@x/d", "--database-urls"),
            ("x postgres://a:hunter2@x/d", "postgres://..."),
            ("x --database-connections 0", "--database-connections"),
            ("x --trusted-proxy 10.0.0.0/99", "--trusted-proxy"),
            ("x admin create ada", "--password-stdin"),
            ("x work", "run `search4letters` without `work`"),
            ("x work --database-url sqlite:d", "one process owns an SQLite file"),
            ("x work --no-worker --database-url postgres://a:hunter2@x/d", "leave out --no-worker"),
            ("x spool replay", "<FOLDER>"),
            ("x export --format xml", "--format"),
            ("x export --format sqlite", "--output <FILE>"),
            ("x copy --from sqlite:d", "--to"),
            ("x copy --from sqlite:d --to postgres://a:hunter2/@x/d", "%2F for /"),
            ("x --nonsense", "--nonsense"),
        ] {
            let Err(NoConfig::Wrong(message)) = Config::of(line.split(' ')) else { panic!("{line} is right") };
            assert!(message.contains(expected) && !message.contains('\n'), "{line}: {message}");
            assert!(!message.contains("hunter2"), "{line}: {message}");
        }
    }

    #[test]
    fn the_database_is_in_the_data_folder_unless_it_is_elsewhere() {
        let database = |line: &str| Config::try_parse_from(line.split(' ')).expect(line).database();
        assert_eq!(database("x --data d"), DatabaseUrl::Sqlite(PathBuf::from("d/search4letters.db")));
        assert_eq!(database("x --database-url sqlite:e"), DatabaseUrl::Sqlite(PathBuf::from("e")));
        let postgres = database("x --database-url postgres://a:hunter2@x/d");
        assert!(matches!(&postgres, DatabaseUrl::Postgres(url) if url.reveal() == "postgres://a:hunter2@x/d"));
    }

    #[test]
    fn passwords_are_shown_nowhere() {
        let line = ["x", "--database-url", "postgres://a:hunter2@x/d?password=hunter2"];
        let config = Config::try_parse_from(line).expect("parsed");
        assert!(!format!("{config:?}").contains("hunter2"));
        for id in ["database_url", "database_listen_url"] {
            let command = Config::command();
            let flag = command.get_arguments().find(|flag| flag.get_id() == id).expect("there");
            assert!(flag.is_hide_env_values_set(), "{id}: the help shows what the environment says");
        }
    }
}
