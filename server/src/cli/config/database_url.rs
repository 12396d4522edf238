//! Database URLs in flags. They may hold passwords, which no message may show.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use percent_encoding::percent_decode_str;
use url::Url;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(PostgresUrl),
}

/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`. Displayed as the parts that are no secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

impl PostgresUrl {
    /// The URL with its password, for connecting only.
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.0.scheme())?;
        if !self.0.username().is_empty() {
            write!(f, "{}@", self.0.username())?;
        }
        f.write_str(self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// The parameters that a connection knows. sqlx would ignore others, and log them with their values.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Parses a flag or variable. Unlike clap's own parsers, it does not repeat a refused value.
#[derive(Clone)]
pub(super) struct UrlParser<T>(pub(super) fn(&str) -> Result<T, &'static str>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for UrlParser<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, flag: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let read = value.to_str().ok_or("write it in UTF-8").and_then(self.0);
        read.map_err(|advice| {
            let flag = flag.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value for '{flag}': {advice}");
            Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// Parses a path. A database's URL is easily given in its place; as a path, later messages would show its password.
#[derive(Clone)]
pub(super) struct PathParser;

impl TypedValueParser for PathParser {
    type Value = PathBuf;

    fn parse_ref(&self, command: &Command, flag: Option<&Arg>, value: &OsStr) -> Result<PathBuf, Error> {
        if value.to_string_lossy().contains("://") {
            let flag = flag.map(ToString::to_string).unwrap_or_default();
            let message = format!(
                "invalid value for '{flag}': this is a URL, and a path belongs here. Give a database with \
                 --database-url (DATABASE_URL)"
            );
            return Err(Error::raw(ErrorKind::ValueValidation, message).with_cmd(command));
        }
        PathBufValueParser::new().parse_ref(command, flag, value)
    }
}

pub(super) fn database_url(text: &str) -> Result<DatabaseUrl, &'static str> {
    if let Some(rest) = text.strip_prefix("sqlite:") {
        let file = rest.strip_prefix("//").unwrap_or(rest);
        // With a user and a password it is the URL of a server.
        let is_server = file.len() < rest.len() && file.contains('@') || file.contains("://");
        if file.is_empty() || file.contains('?') || is_server {
            return Err("write sqlite:FILE with a file's path and no parameters");
        }
        return Ok(DatabaseUrl::Sqlite(PathBuf::from(file)));
    }
    if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return postgres_url(text).map(DatabaseUrl::Postgres);
    }
    Err("write postgres://USER:PASSWORD@HOST/DATABASE or sqlite:FILE, or leave it out")
}

/// Reads only what has one meaning. A password with an unescaped character would otherwise be read as another part, and
/// be shown.
pub(super) fn postgres_url(text: &str) -> Result<PostgresUrl, &'static str> {
    let advice = "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for what is special in a password \
                  (%40 for @, %2F for /, %23 for #, %25 for %)";
    let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or(advice)?;
    let (server, database) = rest.split_once('/').ok_or(advice)?;
    let has_one_meaning = server.matches('@').count() <= 1
        && !server.contains('?')
        && !database.contains('@')
        && !rest.contains(|c: char| c == '#' || c.is_whitespace() || c.is_control());
    let url = Url::parse(text).ok().filter(|_| has_one_meaning).ok_or(advice)?;
    // An escaped separator in the user's name means that the password was escaped together with it.
    let is_user_alone = !percent_decode_str(url.username()).any(|byte| b":/?#".contains(&byte));
    if !is_user_alone || !is_name(url.path().trim_start_matches('/')) {
        return Err(advice);
    }
    let is_known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[");
    if !url.query_pairs().all(|(name, _)| is_known(&name)) {
        return Err("after the ? it has a parameter that is not known: docs/operating.md names those that are");
    }
    Ok(PostgresUrl(url))
}

/// Whether this is one path segment.
fn is_name(database: &str) -> bool {
    !database.is_empty() && !percent_decode_str(database).any(|byte| b"/@:?#".contains(&byte))
}

/// The error's text without what may be a secret. clap repeats what was typed.
pub(super) fn without_secrets(error: &Error) -> String {
    if let (ErrorKind::TooManyValues, Some(ContextValue::String(value))) =
        (error.kind(), error.get(ContextKind::InvalidValue))
        && !value.is_empty()
    {
        // Behind a flag that takes none, such as --password-stdin, a password looks like any word.
        return error.to_string().replace(value.as_str(), "...");
    }
    let typed = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
    typed.into_iter().fold(error.to_string(), |text, kind| match error.get(kind) {
        Some(ContextValue::String(typed)) if !is_harmless(kind, typed) => text.replace(typed.as_str(), "..."),
        _ => text,
    })
}

/// Only what looks like a flag, a command or a simple value.
fn is_harmless(kind: ContextKind, typed: &str) -> bool {
    let consists_of =
        |others: &str| typed.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c)) && !typed.contains("//");
    match kind {
        ContextKind::InvalidArg => typed.starts_with(['-', '<', '[']) && consists_of("-_<>[]. "),
        ContextKind::InvalidSubcommand => typed.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
        _ => consists_of("-_.,:/[] "),
    }
}

#[cfg(test)]
mod tests {
    use clap::ArgAction;

    use super::*;

    const SECRET: &str = "hunter2";

    #[test]
    fn reads_both_spellings_of_a_file() {
        assert_eq!(database_url("sqlite:a/b.db"), Ok(DatabaseUrl::Sqlite(PathBuf::from("a/b.db"))));
        assert_eq!(database_url("sqlite:///a/b.db"), Ok(DatabaseUrl::Sqlite(PathBuf::from("/a/b.db"))));
    }

    #[test]
    fn reads_both_spellings_of_a_server_and_keeps_them_whole() {
        for text in [
            "postgres://ada:hunter2@db.example:5433/searches",
            "postgresql://ada:hunter2@db.example/searches?sslmode=verify-full",
            "postgres://ada:p%40ss%2Fword@[::1]:5432/searches",
            "postgres:///searches?host=/run/postgresql",
            "postgres://ada@db.example/searches?options=-c%20search_path%3Dletters&options[work_mem]=1MB",
        ] {
            let Ok(DatabaseUrl::Postgres(url)) = database_url(text) else { panic!("{text} was not read") };
            assert_eq!(url.reveal(), text);
        }
    }

    #[test]
    fn urls_that_would_connect_elsewhere_are_refused() {
        for text in [
            "postgres://ada:hunter2@db.example",
            "postgres://ada:hunter2@db.example/",
            "postgres://ada:hunter/2@db.example/searches",
            "postgres://ada:hunter#2@db.example/searches",
            "postgres://ada:hunter2@db.example:port/searches",
            "postgres://ada:12/hunter2@db.example/searches",
            "postgres://ada@hunter2@db.example/searches",
            "postgres://ada:12?hunter2@db.example/searches",
            "postgres://ada:12/x?hunter2@db.example/searches",
            "postgres://ada%3Ahunter2@db.example/searches",
            "postgres://ada:hun\tter2@db.example/searches",
            "postgres://db.example/searches/hunter2",
            "postgres://db.example/searches?pasword=hunter2",
            "sqlite://ada:hunter2@db.example/searches",
            "sqlite:postgres://ada:hunter2@db.example/searches",
            "POSTGRES://ada:hunter2@db.example/searches",
            "postgres:ada",
            "mysql://db.example/searches",
            "",
        ] {
            assert!(database_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_is_displayed_without_its_password() {
        for (text, shown) in [
            ("postgres://ada:hunter2@db.example:5433/searches", "postgres://ada@db.example:5433/searches"),
            ("postgres://ada@db.example/searches?password=hunter2", "postgres://ada@db.example/searches"),
            ("postgres:///searches?host=/run/postgresql&user=ada", "postgres:///searches"),
            ("postgresql://ada%40server:hunter2@[::1]/searches", "postgresql://ada%40server@[::1]/searches"),
        ] {
            let url = postgres_url(text).expect("a URL");
            assert_eq!(url.to_string(), shown);
            let debug = format!("{:?}", DatabaseUrl::Postgres(url));
            assert!(debug.contains(shown) && !debug.contains(SECRET), "{debug}");
        }
    }

    #[test]
    fn messages_repeat_only_what_is_no_secret() {
        let command = || {
            let listen = Arg::new("listen").long("listen").value_parser(clap::value_parser!(u16));
            let quiet = Arg::new("quiet").long("quiet").action(ArgAction::SetTrue);
            Command::new("x").args([listen, quiet]).subcommand(Command::new("serve"))
        };
        for (line, is_shown) in [
            ("x postgres://a:hunter2@h/d", false),
            ("x serve hunter2", false),
            ("x hunter2", false),
            ("x --listen hunter2@h", false),
            ("x --listen=postgres://hunter2", false),
            ("x --password=hunter2", false),
            ("x host=h'password=hunter2'", false),
            ("x --quiet=hunter2", false),
            ("x --hunter2", true),
            ("x --listen hunter2", true),
        ] {
            let error = command().try_get_matches_from(line.split(' ')).expect_err(line);
            let text = without_secrets(&error);
            assert_eq!(text.contains(SECRET), is_shown, "{line}: {text}");
        }
    }
}
