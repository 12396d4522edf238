//! The only reader of flags and environment.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use spool::Options as SpoolOptions;

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
    /// Make administrators
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Bring the database to this version's schema
    Migrate,
    /// Say what is wrong with the setup and how to mend it
    Check,
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
}

/// One entry of a list of networks; a list from the environment may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(pub Option<IpNet>);

#[derive(Clone, Debug, Args)]
pub struct StoreSection {
    /// Folder for the database and everything else that is kept
    #[arg(long, global = true, env = "SEARCH4LETTERS_DATA", default_value = "./data", value_name = "FOLDER")]
    pub data: PathBuf,
    /// Another database than the one in the data folder: sqlite:FILE
    #[arg(long, global = true, env = "DATABASE_URL", value_name = "URL", value_parser = database_url)]
    pub database_url: Option<SqliteFile>,
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

/// The file that DATABASE_URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteFile(pub PathBuf);

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
        Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => NoConfig::Shown(error.to_string()),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => NoConfig::Wrong(error.to_string()),
            _ => NoConfig::Wrong(one_line(&error.to_string())),
        })
    }

    /// Where the SQLite database is.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        match &self.store.database_url {
            Some(SqliteFile(file)) => file.clone(),
            None => self.store.data.join("search4letters.db"),
        }
    }

    /// Where the spool is: always in the data folder, whatever database there is.
    #[must_use]
    pub fn spool(&self) -> SpoolOptions {
        let capacity_bytes = u64::from(self.spool.spool_mib.get()) << 20;
        SpoolOptions { folder: self.store.data.join("spool"), capacity_bytes }
    }
}

/// clap explains at length; the first paragraph says what is wrong.
fn one_line(message: &str) -> String {
    let paragraph = message.lines().take_while(|line| !line.trim().is_empty());
    paragraph.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn network(text: &str) -> Result<Network, String> {
    if text.is_empty() {
        return Ok(Network(None));
    }
    let net = text.parse().map_err(|_| "write a network as ADDRESS/BITS, for instance 10.0.0.0/8".to_owned())?;
    Ok(Network(Some(net)))
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write a number and its unit, for instance 15s"))
}

fn database_url(text: &str) -> Result<SqliteFile, String> {
    let Some(rest) = text.strip_prefix("sqlite:") else {
        return Err("this version keeps its data in SQLite: write sqlite:FILE, or leave it out".to_owned());
    };
    let file = rest.strip_prefix("//").unwrap_or(rest);
    if file.is_empty() || file.contains('?') {
        return Err("write sqlite:FILE with a file's path and no parameters".to_owned());
    }
    Ok(SqliteFile(PathBuf::from(file)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

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
    fn a_wrong_value_gets_one_clear_line() {
        for (line, expected) in [
            ("x --listen here", "--listen"),
            ("x --log-delay 15", "for instance 15s"),
            ("x --workers 0", "--workers"),
            ("x --connections 0", "--connections"),
            ("x --event-streams many", "--event-streams"),
            ("x --database-url postgres://x", "sqlite:FILE"),
            ("x --trusted-proxy 10.0.0.0/99", "--trusted-proxy"),
            ("x admin create ada", "--password-stdin"),
            ("x --nonsense", "--nonsense"),
        ] {
            let error = Config::try_parse_from(line.split(' ')).expect_err(line).to_string();
            let message = one_line(&error);
            assert!(message.contains(expected) && !message.contains('\n'), "{line}: {message}");
        }
    }

    #[test]
    fn reads_both_spellings_of_a_database_url() {
        assert_eq!(database_url("sqlite:a/b.db"), Ok(SqliteFile(PathBuf::from("a/b.db"))));
        assert_eq!(database_url("sqlite:///a/b.db"), Ok(SqliteFile(PathBuf::from("/a/b.db"))));
    }
}
