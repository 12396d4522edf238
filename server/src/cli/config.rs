//! The only reader of flags and environment.

mod database_url;
mod export;
mod filter;
mod jobs;
mod sections;

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::database_url::{PathParser, UrlParser, database_url, without_secrets};

pub use self::database_url::{DatabaseUrl, PostgresUrl};
pub use self::export::{ExportArgs, ExportFormat};
pub use self::jobs::{Consent, JobsCommand};
pub use self::sections::{HttpSection, JobsSection, SpoolSection, StoreSection};
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
    Export(ExportArgs),
    /// List, retry, cancel or delete jobs
    ///
    /// A filter says which jobs. It is written as on the page of the jobs, and docs/jobs.md has its grammar. An SQLite file
    /// belongs to its server: while that runs, jobs can be listed here, and changed on the page.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// See what it costs to wait, and what need not be waited for
    #[command(subcommand)]
    Lab(LabCommand),
    /// Say what is wrong with the setup and how to mend it
    Check,
}

#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an administrator's account
    Create {
        /// The name to log in with
        name: String,
        /// Read the password from the first line of standard input, not from the terminal
        #[arg(long)]
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
        #[arg(value_parser = PathParser)]
        folder: PathBuf,
    },
}

/// How the names of the environment's variables begin that are ours alone.
const OUR_VARIABLES: &str = "SEARCH4LETTERS_";

/// Why no [`Config`] was read.
pub enum NoConfig {
    /// The requested help or version text.
    Shown(String),
    /// One line that says which flag or variable is wrong, and why.
    Wrong(String),
}

impl Config {
    /// Reads this process's arguments and environment.
    pub fn read() -> Result<Self, NoConfig> {
        let mut config = Self::of(std::env::args_os())?;
        // Messages then name the folder wherever they are read.
        if let Ok(data) = std::path::absolute(&config.store.data) {
            config.store.data = data;
        }
        Ok(config)
    }

    /// Our variables in the environment that mean nothing, each with the one that is probably meant.
    pub fn unknown_variables() -> Vec<(String, Option<String>)> {
        let command = Self::command();
        let of_flags = command.get_arguments().filter_map(|flag| flag.get_env()?.to_str());
        let known: Vec<&str> = of_flags.filter(|name| name.starts_with(OUR_VARIABLES)).collect();
        let given = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let unknown = given.filter(|name| name.starts_with(OUR_VARIABLES) && !known.contains(&name.as_str()));
        let with_nearest = |name: String| {
            let nearest = known.iter().min_by_key(|known| strsim::osa_distance(known, &name));
            let nearest = nearest.filter(|known| strsim::osa_distance(known, &name) <= 3);
            (name, nearest.map(|known| (*known).to_owned()))
        };
        unknown.map(with_nearest).collect()
    }

    fn of(line: impl IntoIterator<Item: Into<OsString> + Clone>) -> Result<Self, NoConfig> {
        let config = Self::parsed(line).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => NoConfig::Shown(error.to_string()),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => NoConfig::Wrong(error.to_string()),
            _ => NoConfig::Wrong(one_line(&without_secrets(&error))),
        })?;
        if let Some(line) = config.contradiction() {
            return Err(NoConfig::Wrong(format!("error: {line}")));
        }
        if let Some(Command::Export(args)) = &config.command {
            args.filter().map_err(|error| NoConfig::Wrong(format!("error: {error}")))?;
        }
        if let Some(Command::Jobs(command)) = &config.command {
            command.filter().map_err(|error| NoConfig::Wrong(format!("error: {error}")))?;
        }
        Ok(config)
    }

    fn parsed(line: impl IntoIterator<Item: Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(line)?;
        let mut config = Self::from_arg_matches(&matches)?;
        if let (Some(Command::Lab(lab)), Some(matches)) = (&mut config.command, matches.subcommand_matches("lab")) {
            lab.forget_environment(matches);
        }
        Ok(config)
    }

    /// Checks flags against each other.
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

    /// The database: a file in the data folder unless a flag says otherwise.
    pub fn database(&self) -> DatabaseUrl {
        let default = || DatabaseUrl::Sqlite(self.store.data.join("search4letters.db"));
        self.store.database_url.clone().unwrap_or_else(default)
    }

    /// The spool is always in the data folder, whatever the database is.
    pub fn spool(&self) -> spool::Options {
        let capacity_bytes = u64::from(self.spool.spool_mib.get()) << 20;
        spool::Options { folder: self.store.data.join("spool"), capacity_bytes }
    }
}

impl Config {
    /// The configuration of a sandbox: without any of a real server's data or addresses.
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

/// The first paragraph of clap's message says what is wrong, and a tip what is probably meant.
fn one_line(message: &str) -> String {
    let paragraph = message.lines().take_while(|line| !line.trim().is_empty());
    let tips = message.lines().filter(|line| line.trim_start().starts_with("tip: a similar"));
    paragraph.chain(tips).map(str::trim).collect::<Vec<_>>().join(" ")
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
    fn by_default_the_lab_is_open_if_only_this_machine_can_reach_it() {
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
            ("x --listen here", "127.0.0.1:3000"),
            ("x --listen :3000", "0.0.0.0:3000"),
            ("x --listen 0.0.0.0", "127.0.0.1:3000"),
            ("x --listen example.org:3000", "127.0.0.1:3000"),
            ("x --lisen 127.0.0.1:1", "tip: a similar argument exists: '--listen'"),
            ("x serv", "tip: a similar subcommand exists: 'serve'"),
            ("x export --time-zone Europe/Nowhere", "Europe/Berlin"),
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
            ("x postgres://a:hunter2@x/d", "'...'"),
            ("x admin create ada hunter2", "'...'"),
            ("x --database-url postgres://a:12/hunter2@x/d", "%2F for /"),
            ("x --database-url postgres://x/d?pasword=hunter2", "a parameter that is not known"),
            ("x --database-connections 0", "--database-connections"),
            ("x --trusted-proxy 10.0.0.0/99", "--trusted-proxy"),
            ("x work", "run `search4letters` without `work`"),
            ("x work --database-url sqlite:d", "one process owns an SQLite file"),
            ("x work --no-worker --database-url postgres://a:hunter2@x/d", "leave out --no-worker"),
            ("x spool replay", "<FOLDER>"),
            ("x spool replay postgres://a:hunter2@x/d", "--database-url (DATABASE_URL)"),
            ("x --data postgres://a:hunter2@x/d", "'--data <FOLDER>': this is a URL"),
            ("x export --output postgres://a:hunter2@x/d", "'--output <FILE>': this is a URL"),
            ("x --database-url sqlite:postgres://a:hunter2@x/d", "sqlite:FILE"),
            ("x export --format xml", "--format"),
            ("x export --format sqlite", "--output <FILE>"),
            ("x jobs retry --yes", "--filter <FILTER>"),
            ("x jobs retry --filter= --yes --dry-run", "--dry-run"),
            ("x jobs drop", "subcommand 'drop'"),
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
    fn an_address_may_be_written_in_short() {
        for (text, expected) in
            [("localhost:3000", "127.0.0.1:3000"), ("3000", "127.0.0.1:3000"), ("[::1]:80", "[::1]:80")]
        {
            let config = Config::try_parse_from(["x", "--listen", text]).expect(text);
            assert_eq!(config.http.listen.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_wrong_filter_is_marked_at_its_character() {
        let Err(NoConfig::Wrong(message)) = Config::of(["x", "export", "--filter", "a (b"]) else {
            panic!("it is right")
        };
        assert!(message.contains("(at character 3)") && message.ends_with("\n  a (b\n    ^"), "{message}");
        let Err(NoConfig::Wrong(message)) = Config::of(["x", "jobs", "retry", "--filter", "state:ded"]) else {
            panic!("it is right")
        };
        assert!(message.contains("Did you mean “dead”?") && message.ends_with("\n        ^^^"), "{message}");
    }

    #[test]
    fn local_times_of_a_filter_are_in_the_given_zone() {
        let filter = |text: &str| {
            let line = ["x", "export", "--time-zone", "Europe/Berlin", "--filter", text];
            let config = Config::try_parse_from(line).expect(text);
            let Some(Command::Export(args)) = config.command else { panic!("it is an export") };
            args.filter().expect(text)
        };
        let (local, zone) = filter("since:2026-11-22 08:05 before:2026-07-01");
        assert_eq!(local, "since:2026-11-22T07:05Z before:2026-06-30T22:00Z".parse().expect("a filter"));
        assert_eq!(zone.map(|zone| zone.name.to_string()).as_deref(), Some("Europe/Berlin"));
        assert!(filter("since:1h searched:2026-11-22T08:05Z").1.is_none(), "no zone is needed");
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
    fn passwords_are_never_shown() {
        let line = ["x", "--database-url", "postgres://a:hunter2@x/d?password=hunter2"];
        let config = Config::try_parse_from(line).expect("parsed");
        assert!(!format!("{config:?}").contains("hunter2"));
        for id in ["database_url", "database_listen_url"] {
            let command = Config::command();
            let flag = command.get_arguments().find(|flag| flag.get_id() == id).expect("there");
            assert!(flag.is_hide_env_values_set(), "{id}: the help would show the variable's value");
        }
    }
}
