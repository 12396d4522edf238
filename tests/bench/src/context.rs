//! The shared context of all measurements: command line, folders, and duration of a round.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

/// `bench ROOT FOLDER [--against PROGRAM] [--only NAME,NAME] [--rounds N] [--seconds N] [--long] [--write-docs]`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The workspace.
    pub root: PathBuf,
    /// The folder of the tools and of the report.
    pub folder: PathBuf,
    /// Another build of our server, to be compared with in place of the scenarios.
    pub against: Option<PathBuf>,
    /// The selected scenarios; empty for all.
    pub only: Vec<String>,
    /// How often each scenario is measured.
    pub rounds: u32,
    /// How long each measurement takes, if it has no fixed duration.
    pub seconds: u32,
    /// Whether the log's page receives rows for ten minutes instead of `seconds`.
    pub is_long: bool,
    /// Whether to write docs/performance.md from the report.
    pub writes_docs: bool,
}

impl Arguments {
    pub(crate) fn read(words: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        let mut words = words.into_iter();
        let mut next = |what: &str| words.next().with_context(|| format!("{what} is missing"));
        let (root, folder) = (next("the workspace")?.into(), next("the folder")?.into());
        let mut arguments = Self {
            root,
            folder,
            against: None,
            only: Vec::new(),
            rounds: 5,
            seconds: 10,
            is_long: false,
            writes_docs: false,
        };
        while let Some(flag) = words.next() {
            let mut value = || words.next().with_context(|| format!("{flag} wants a value"));
            match flag.as_str() {
                "--against" => arguments.against = Some(value()?.into()),
                "--only" => arguments.only = value()?.split(',').map(ToOwned::to_owned).collect(),
                "--rounds" => arguments.rounds = number(&value()?)?,
                "--seconds" => arguments.seconds = number(&value()?)?,
                "--long" => arguments.is_long = true,
                "--write-docs" => arguments.writes_docs = true,
                _ => bail!(
                    "there is no {flag}; there are --against, --only, --rounds, --seconds, --long and --write-docs"
                ),
            }
        }
        Ok(arguments)
    }
}

fn number(text: &str) -> anyhow::Result<u32> {
    text.parse().ok().filter(|number| *number > 0).with_context(|| format!("{text} is no number above 0"))
}

/// Enough for full batches, and few enough for a small machine.
pub(crate) const CONNECTIONS: u32 = 64;
/// By then caches, connections and batches have reached their steady state.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

pub(crate) struct BenchContext {
    pub root: PathBuf,
    pub folder: PathBuf,
    pub rounds: u32,
    pub measured: Duration,
    /// Whether the long variants of scenarios run.
    pub is_long: bool,
    pub writes_docs: bool,
    /// The measured commit, or `unknown`.
    pub revision: String,
}

impl BenchContext {
    pub(crate) fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&arguments.folder)?;
        Ok(Self {
            root: arguments.root.clone(),
            folder: arguments.folder.clone(),
            rounds: arguments.rounds,
            measured: Duration::from_secs(arguments.seconds.into()),
            is_long: arguments.is_long,
            writes_docs: arguments.writes_docs,
            revision: revision(&arguments.root).unwrap_or_else(|| "unknown".to_owned()),
        })
    }

    /// Prints the measurement that is about to start.
    pub(crate) fn progress(&self, round: u32, what: &str) {
        eprint!("  [{}/{}] {what} ... ", round + 1, self.rounds);
    }
}

fn revision(root: &Path) -> Option<String> {
    let git = Command::new("git").arg("-C").arg(root).args(["describe", "--always", "--dirty"]).output().ok()?;
    let revision = String::from_utf8(git.stdout).ok()?.trim().to_owned();
    (git.status.success() && !revision.is_empty()).then_some(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> anyhow::Result<Arguments> {
        Arguments::read(line.split_whitespace().map(ToOwned::to_owned))
    }

    #[test]
    fn reads_the_arguments() {
        let plain = read("here there").expect("read");
        assert_eq!((plain.root, plain.folder), (PathBuf::from("here"), PathBuf::from("there")));
        assert!(plain.only.is_empty() && !plain.writes_docs && !plain.is_long && plain.against.is_none());
        let against = read("here there --against there/program --seconds 5").expect("read");
        assert_eq!((against.against, against.seconds), (Some(PathBuf::from("there/program")), 5));
        let all = read("here there --only searches,drain --rounds 3 --seconds 5 --long --write-docs").expect("read");
        assert_eq!(all.only, ["searches", "drain"]);
        assert_eq!((all.rounds, all.seconds, all.is_long, all.writes_docs), (3, 5, true, true));
    }

    #[test]
    fn refuses_unknown_arguments() {
        for line in
            ["", "here", "here there --rounds", "here there --rounds 0", "here there --seconds x", "here there x"]
        {
            read(line).expect_err(line);
        }
    }
}
