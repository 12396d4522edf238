//! What was asked for on the command line.

use std::path::PathBuf;

use anyhow::{Context, bail};

/// `bench ROOT FOLDER [--only NAME,NAME] [--rounds N] [--seconds N] [--long] [--write-docs]`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The workspace.
    pub root: PathBuf,
    /// Where the tools are, and where the report is written to.
    pub folder: PathBuf,
    /// Which scenarios; all, where none is named.
    pub only: Vec<String>,
    /// How often each is measured.
    pub rounds: u32,
    /// How long each measurement takes, where that can be chosen.
    pub seconds: u32,
    /// Whether new rows come to the log's page for ten minutes, instead of `seconds`.
    pub is_long: bool,
    /// Whether docs/performance.md is to be written from the report.
    pub writes_docs: bool,
}

impl Arguments {
    pub(crate) fn read(words: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        let mut words = words.into_iter();
        let mut next = |what: &str| words.next().with_context(|| format!("{what} is missing"));
        let (root, folder) = (next("the workspace")?.into(), next("the folder")?.into());
        let mut arguments =
            Self { root, folder, only: Vec::new(), rounds: 5, seconds: 10, is_long: false, writes_docs: false };
        while let Some(flag) = words.next() {
            let mut value = || words.next().with_context(|| format!("{flag} wants a value"));
            match flag.as_str() {
                "--only" => arguments.only = value()?.split(',').map(ToOwned::to_owned).collect(),
                "--rounds" => arguments.rounds = number(&value()?)?,
                "--seconds" => arguments.seconds = number(&value()?)?,
                "--long" => arguments.is_long = true,
                "--write-docs" => arguments.writes_docs = true,
                _ => bail!("there is no {flag}; there are --only, --rounds, --seconds, --long and --write-docs"),
            }
        }
        Ok(arguments)
    }
}

fn number(text: &str) -> anyhow::Result<u32> {
    text.parse().ok().filter(|number| *number > 0).with_context(|| format!("{text} is no number above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> anyhow::Result<Arguments> {
        Arguments::read(line.split_whitespace().map(ToOwned::to_owned))
    }

    #[test]
    fn reads_what_is_wanted() {
        let plain = read("here there").expect("read");
        assert_eq!((plain.root, plain.folder), (PathBuf::from("here"), PathBuf::from("there")));
        assert!(plain.only.is_empty() && !plain.writes_docs && !plain.is_long);
        let all = read("here there --only searches,drain --rounds 3 --seconds 5 --long --write-docs").expect("read");
        assert_eq!(all.only, ["searches", "drain"]);
        assert_eq!((all.rounds, all.seconds, all.is_long, all.writes_docs), (3, 5, true, true));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for line in
            ["", "here", "here there --rounds", "here there --rounds 0", "here there --seconds x", "here there x"]
        {
            read(line).expect_err(line);
        }
    }
}
