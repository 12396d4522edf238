//! Database URLs in flags. They may hold passwords, which no message may show.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use url::Url;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(PostgresUrl),
}

/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`. Displayed without its secrets.
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
        let mut shown = self.0.clone();
        // Fails on a URL without a host, which has no password. Parameters may hold passwords too.
        let _ = shown.set_password(None);
        shown.set_query(None);
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

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

pub(super) fn database_url(text: &str) -> Result<DatabaseUrl, &'static str> {
    if let Some(rest) = text.strip_prefix("sqlite:") {
        let file = rest.strip_prefix("//").unwrap_or(rest);
        if file.is_empty() || file.contains('?') {
            return Err("write sqlite:FILE with a file's path and no parameters");
        }
        return Ok(DatabaseUrl::Sqlite(PathBuf::from(file)));
    }
    if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return postgres_url(text).map(DatabaseUrl::Postgres);
    }
    Err("write postgres://USER:PASSWORD@HOST/DATABASE or sqlite:FILE, or leave it out")
}

pub(super) fn postgres_url(text: &str) -> Result<PostgresUrl, &'static str> {
    let advice = "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for what is special in a password \
                  (%40 for @, %2F for /, %23 for #, %25 for %)";
    if !SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return Err(advice);
    }
    let url = Url::parse(text).map_err(|_| advice)?;
    // A fragment would be ignored silently, and is most likely part of a password.
    if url.fragment().is_some() || url.path().trim_start_matches('/').is_empty() {
        return Err(advice);
    }
    Ok(PostgresUrl(url))
}

/// Removes what may be passwords: clap repeats unknown arguments in quotes.
pub(super) fn without_secrets(text: &str) -> String {
    let is_quoted = |at: &usize| text[..*at].matches('\'').count() % 2 == 1;
    let quoted = |scheme: &&str| {
        let found = text.match_indices(scheme).map(|(at, _)| at).find(is_quoted);
        found.map(|at| at + scheme.len())
    };
    match SCHEMES.iter().filter_map(quoted).min() {
        // Up to the last quote: a password may contain quotes.
        Some(secret) => {
            format!("{}...{}", &text[..secret], text[secret..].rfind('\'').map_or("", |end| &text[secret + end..]))
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
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
        ] {
            let url = postgres_url(text).expect("a URL");
            assert_eq!(url.to_string(), shown);
            let debug = format!("{:?}", DatabaseUrl::Postgres(url));
            assert!(debug.contains(shown) && !debug.contains(SECRET), "{debug}");
        }
    }

    #[test]
    fn messages_lose_only_their_secrets() {
        for (text, shown) in [
            ("unrecognized subcommand 'postgres://a:hunter2@h/d'", "unrecognized subcommand 'postgres://...'"),
            ("what is 'postgresql://a:hunter'2@h'? and so on", "what is 'postgresql://...'? and so on"),
            ("for '--database-url': write postgres://USER@HOST", "for '--database-url': write postgres://USER@HOST"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }
}
