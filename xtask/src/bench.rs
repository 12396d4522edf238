//! `cargo xtask bench`: the release binary beside its peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{client, tools};

const HELP: &str = "\
Usage: cargo xtask bench [--only NAME,NAME] [--rounds N] [--seconds N] [--long] [--write-docs]

Measures the release binary from outside, beside its peers, and writes target/bench/report.md, its plots and
report.json. All of it takes some 75 minutes on two processors; the first run builds, installs peers and makes
databases for half an hour more (3 GB below target/bench). It says beforehand how long each scenario takes. Use the
machine for nothing else meanwhile.

  --only NAME,NAME  these scenarios; the figures of the others stay as an earlier run has left them:
                      searches    searches a second, each recorded, and what each costs
                      latency     until a search is answered, with and without a log
                      drain       waiting jobs run, a second
                      screen      from the answer to the administrator's screen
                      age         the same on 10 million rows and a million waiting jobs
                      export      the log of 10 million rows as NDJSON
                      page        the log's page on 10 million rows, in Chromium
                      idle        a server of which nothing is asked
                      streams     10,000 open event streams
                      visit       what a first visitor loads
                      lighthouse  what Lighthouse says of the search page
  --rounds N        how often each is measured; 5
  --seconds N       how long each measurement takes, where that can be chosen; 10
  --long            new rows come to the log's page for ten minutes, not for N seconds
  --write-docs      writes docs/performance.md, its plots and its figures too; its ratios are to the figures that
                    were there before
";

/// Builds all that is measured, installs the peers below target/bench, and measures.
///
/// `arguments` are those of `tests/bench/src/arguments.rs`, which refuses what it does not know.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder)?;
    if arguments.iter().any(|argument| matches!(argument.as_str(), "--help" | "-h" | "help")) {
        print!("{HELP}");
        return Ok(());
    }
    let mut steps = Steps::new(client::steps_needed(workspace)? + 8);
    client::ensure(workspace, &mut steps)?;
    steps.step("looking for PostgreSQL", || tools::postgres_server(workspace))?;
    let chromedriver = steps.step("looking for Chromium and chromedriver", || tools::chromedriver(workspace))?;
    let shell = workspace.shell()?;
    python_peers(workspace, &shell, &folder, &mut steps)?;
    node_packages(workspace, &shell, &folder, &mut steps, &QUEUES)?;
    if is_wanted(arguments, LIGHTHOUSE.scenario) {
        node_packages(workspace, &shell, &folder, &mut steps, &LIGHTHOUSE)?;
    } else {
        steps.skip("Lighthouse is not asked for");
    }
    // On its own: beside others it would be built with features that it is not shipped with.
    steps.step("building the server as it is shipped (about 6 minutes from nothing)", || {
        cmd!(shell, "cargo build --quiet --release --package server").quiet().run()?;
        Ok(())
    })?;
    steps.step("building its peers and the load generator (about 6 minutes from nothing)", || {
        cmd!(shell, "cargo build --quiet --release --package bench --features apalis").quiet().run()?;
        Ok(())
    })?;
    let mut bench = Command::new(workspace.target.join("release/bench"));
    bench.arg(&workspace.root).arg(&folder).args(arguments).env("TMPDIR", on_disk()).env("CHROMEDRIVER", chromedriver);
    // What Lighthouse asks for its browser by.
    bench.envs(tools::chromium().map(|chromium| ("CHROME_PATH", chromium)));
    steps.step("measuring", || {
        let ended = bench.status().with_context(|| format!("{bench:?} cannot be started"))?;
        if !ended.success() {
            bail!("something could not be measured");
        }
        Ok(())
    })
}

/// Where databases are made: the usual folder may be in memory, where an fsync costs nothing.
fn on_disk() -> PathBuf {
    std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from)
}

/// Flask, gunicorn and the queues from PyPI, in a virtualenv of their own.
fn python_peers(workspace: &Workspace, shell: &Shell, folder: &Path, steps: &mut Steps) -> anyhow::Result<()> {
    let lists = ["tests/bench/baseline/requirements.txt", "tests/bench/queues/requirements.txt"];
    let lists = lists.map(|list| workspace.root.join(list));
    let (python, stamp) = (folder.join("python"), folder.join("python.stamp"));
    let wanted = contents(&lists)?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        steps.skip("the peers from PyPI are installed");
        return Ok(());
    }
    tools::python_venv(workspace)?;
    let what = format!("installing {} from PyPI into {}", names(&wanted), python.display());
    steps.step(&what, || {
        cmd!(shell, "python3 -m venv --clear {python}").quiet().run()?;
        let pip = python.join("bin/pip");
        let lists = lists.iter().flat_map(|list| [Path::new("--requirement"), list]);
        cmd!(shell, "{pip} install --quiet --disable-pip-version-check {lists...}").quiet().run()?;
        fs::write(stamp, &wanted)?;
        Ok(())
    })
}

/// What npm installs, in a folder of its own.
struct NodePackages {
    /// Below tests/bench: package.json and package-lock.json.
    manifests: &'static str,
    /// Below target/bench.
    folder: &'static str,
    /// The one for which it is needed.
    scenario: &'static str,
    what: &'static str,
}

const QUEUES: NodePackages =
    NodePackages { manifests: "queues", folder: "node", scenario: "drain", what: "graphile-worker" };
const LIGHTHOUSE: NodePackages = NodePackages {
    manifests: "lighthouse",
    folder: "lighthouse",
    scenario: "lighthouse",
    what: "Lighthouse (190 MB, once)",
};

fn node_packages(
    workspace: &Workspace,
    shell: &Shell,
    folder: &Path,
    steps: &mut Steps,
    packages: &NodePackages,
) -> anyhow::Result<()> {
    let manifests = ["package.json", "package-lock.json"];
    let manifests = manifests.map(|name| workspace.root.join("tests/bench").join(packages.manifests).join(name));
    let (node, stamp) = (folder.join(packages.folder), folder.join(format!("{}.stamp", packages.folder)));
    let wanted = contents(&manifests)?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        steps.skip(&format!("{} is installed", packages.what));
        return Ok(());
    }
    tools::npm(workspace)?;
    steps.step(&format!("installing {} from npm into {}", packages.what, node.display()), || {
        fs::create_dir_all(&node)?;
        for manifest in &manifests {
            shell.copy_file(manifest, node.join(manifest.file_name().context("a file has a name")?))?;
        }
        let _there = shell.push_dir(&node);
        cmd!(shell, "npm ci --silent --no-audit --no-fund --ignore-scripts").quiet().run()?;
        fs::write(stamp, &wanted)?;
        Ok(())
    })
}

/// Whether `--only` names the scenario, or is not there.
fn is_wanted(arguments: &[String], scenario: &str) -> bool {
    let after = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    after.is_none_or(|names| names.split(',').any(|name| name == scenario))
}

fn contents(files: &[PathBuf]) -> anyhow::Result<String> {
    let read = |file: &PathBuf| fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()));
    files.iter().map(read).collect()
}

/// Without versions and comments.
fn names(requirements: &str) -> String {
    let lines = requirements.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let names: Vec<_> = lines.filter_map(|line| line.split(['=', '[']).next()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_wanted_unless_others_are() {
        let is_wanted = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(ToOwned::to_owned).collect();
            super::is_wanted(&words, "lighthouse")
        };
        assert!(is_wanted("") && is_wanted("--rounds 2") && is_wanted("--rounds 2 --only visit,lighthouse"));
        assert!(!is_wanted("--only visit --rounds 2"));
    }

    #[test]
    fn says_what_it_installs() {
        assert_eq!(names("# why\nFlask==3.1.3\n\npsycopg[binary]==3.3.9\n"), "Flask, psycopg");
    }
}
