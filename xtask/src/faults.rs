//! `cargo xtask faults`: tests with kills, locks, failing disks and wrong clocks, once or for hours.

use std::hash::{BuildHasher, RandomState};

use anyhow::{Context, bail};
use xshell::cmd;

use crate::steps::Steps;
use crate::tools;
use crate::workspace::Workspace;

/// The default length of a long run.
const LONG_SECONDS: u64 = 4 * 60 * 60;

#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// How long the randomised tests repeat. With `None`, each runs once.
    long_seconds: Option<u64>,
    filter: Vec<String>,
}

/// Runs the tests in `tests/faults`: `[--long [TIME]] [FILTER]`.
pub(crate) fn faults(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let Options { long_seconds, filter } = parse(arguments)?;
    let steps = Steps::new(4);
    steps.step("looking for strace, faketime and namespaces", || tools::fault_tools(workspace))?;
    steps.step("looking for PostgreSQL and PgBouncer", || tools::databases(workspace))?;

    let shell = workspace.shell()?;
    let seed = seed()?;
    shell.set_var("SEARCH4LETTERS_SEED", seed.to_string());
    // A long run makes as many rounds as possible, with the shipped build of the server.
    let profile: &[&str] = if long_seconds.is_some() { &["--release"] } else { &[] };
    steps.build("building the server", [cmd!(shell, "cargo build {profile...} --package server")])?;
    if let Some(seconds) = long_seconds {
        shell.set_var("SEARCH4LETTERS_FAULTS", "long");
        shell.set_var("SEARCH4LETTERS_FAULTS_SECONDS", seconds.to_string());
    }
    // In a long run the repeating tests occupy their threads until the end; the remaining threads run the others.
    let threads: &[&str] = if long_seconds.is_some() { &["--test-threads=8"] } else { &[] };
    let takes = long_seconds.map_or("about 3 minutes".to_owned(), |seconds| format!("{} min and more", seconds / 60));
    let what = format!("trying faults ({takes}); SEARCH4LETTERS_SEED={seed} makes the same choices again");
    let tests =
        cmd!(shell, "cargo test --quiet {profile...} --package tests --test faults -- {threads...} {filter...}");
    steps.run(&what, tests)?;
    steps.finish("nothing was lost and nothing doubled");
    Ok(())
}

fn seed() -> anyhow::Result<u64> {
    match std::env::var("SEARCH4LETTERS_SEED") {
        Ok(text) => text.parse().with_context(|| format!("SEARCH4LETTERS_SEED is not a number: {text}")),
        // Each hasher gets a new random seed.
        Err(_) => Ok(RandomState::new().hash_one(())),
    }
}

fn parse(arguments: &[String]) -> anyhow::Result<Options> {
    let mut options = Options { long_seconds: None, filter: Vec::new() };
    let mut arguments = arguments.iter().peekable();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--long" => {
                let time = arguments.next_if(|next| next.starts_with(|digit: char| digit.is_ascii_digit()));
                options.long_seconds = Some(time.map_or(Ok(LONG_SECONDS), |time| seconds(time))?);
            }
            flag if flag.starts_with('-') => bail!("there is no {flag}; there is --long [TIME]"),
            filter => options.filter.push(filter.to_owned()),
        }
    }
    Ok(options)
}

/// `90s`, `20m` or `2h`.
fn seconds(time: &str) -> anyhow::Result<u64> {
    let units = [('s', 1), ('m', 60), ('h', 60 * 60)];
    let number =
        units.iter().find_map(|&(unit, seconds)| Some(time.strip_suffix(unit)?.parse::<u64>().ok()? * seconds));
    number.with_context(|| format!("{time} is not a time: write 90s, 20m or 2h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_options_and_refuses_wrong_ones() {
        let read = |line: &str| parse(&line.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>());
        for (line, long_seconds, filter) in [
            ("", None, &[][..]),
            ("kill", None, &["kill"]),
            ("--long", Some(4 * 60 * 60), &[]),
            ("--long kill locked", Some(4 * 60 * 60), &["kill", "locked"]),
            ("--long 2h", Some(2 * 60 * 60), &[]),
            ("kill --long 90s", Some(90), &["kill"]),
            ("--long 20m kill", Some(20 * 60), &["kill"]),
        ] {
            let filter = filter.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(read(line).expect(line), Options { long_seconds, filter });
        }
        for line in ["--short", "--long 20", "--long 2x", "--long 2.5h", "--long 2\u{b5}"] {
            read(line).expect_err(line);
        }
    }
}
