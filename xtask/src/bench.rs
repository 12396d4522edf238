//! `cargo xtask bench`: measures the release binary and its peers.

mod against;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use xshell::{Shell, cmd};

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{run, tools};

const HELP: &str = "\
Usage: cargo xtask bench [--only NAME,NAME] [--rounds N] [--seconds N] [--long] [--write-docs]
       cargo xtask bench --against REV [--rounds N] [--seconds N]

Measures the release binary and its peers from outside, and writes target/bench/report.md, its plots and report.json.
Everything takes about 90 minutes on two processors. The first run needs half an hour more to build, to install the
peers and to fill databases (3 GB below target/bench). Each scenario first prints how long it takes. Leave the machine
idle otherwise.

  --only NAME,NAME  only these scenarios; the others keep the figures of an earlier run:
                      searches    recorded searches per second, and the cost of each
                      latency     from a search to its response, with and without a log
                      drain       waiting jobs run per second
                      screen      from the response to the administrator's screen
                      age         the same on 10 million rows and a million waiting jobs
                      export      the log of 10 million rows as NDJSON
                      page        the log's page on 10 million rows, in Chromium
                      idle        a server without requests
                      streams     10,000 open event streams
                      visit       the files that a first visitor loads
                      lighthouse  Lighthouse's report on the search page
  --rounds N        measurements of each; 5
  --seconds N       length of each measurement that can have any length; 10
  --long            the log's page receives new rows for ten minutes instead of N seconds
  --against REV     measures only whether a change has made a search or a drained job dearer: builds the servers of
                    REV and of the working tree, and prints the ratio of their processor time, measured in turns.
                    The 5 rounds of 5 seconds take eight minutes; a build in which only our own packages differ takes
                    two. Run it before you merge a change to what every search passes
  --write-docs      also writes docs/performance.md, its plots and its figures; its ratios compare with the
                    figures that it replaces
";

/// Builds everything that is measured, installs the peers in target/bench, and runs the program `bench`, which parses
/// `arguments` and rejects unknown ones.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder)?;
    if arguments.iter().any(|argument| matches!(argument.as_str(), "--help" | "-h" | "help")) {
        print!("{HELP}");
        return Ok(());
    }
    if let Some((revision, rest)) = against::revision_in(arguments)? {
        return against::against(workspace, &folder, revision, &rest);
    }
    tools::c_compiler(&workspace.shell()?)?;
    let steps = Steps::new(run::dist_steps_needed(workspace)? + 8);
    run::build_dist(workspace, &steps)?;
    steps.step("looking for PostgreSQL", || tools::postgres_server(workspace))?;
    steps.step("looking for wrk", || tools::wrk(workspace))?;
    let chromedriver = steps.step("looking for Chromium and chromedriver", || tools::chromedriver(workspace))?;
    let shell = workspace.shell()?;
    python_peers(workspace, &shell, &folder, &steps)?;
    node_packages(workspace, &shell, &folder, &steps, &QUEUES)?;
    if is_selected(arguments, LIGHTHOUSE.scenario) {
        node_packages(workspace, &shell, &folder, &steps, &LIGHTHOUSE)?;
    } else {
        steps.skip("Lighthouse is not selected");
    }
    let peers = cmd!(shell, "cargo build --release --package bench --features apalis");
    steps.build("building its peers and the load generator (about 6 minutes from nothing)", [peers])?;
    let mut bench = Command::new(workspace.target.join("release/bench"));
    bench.arg(&workspace.root).arg(&folder).args(arguments).env("CHROMEDRIVER", chromedriver);
    // Lighthouse finds its browser through this variable.
    bench.envs(tools::chromium().map(|chromium| ("CHROME_PATH", chromium)));
    measure(&steps, bench)
}

/// Runs the program `bench`.
fn measure(steps: &Steps, mut bench: Command) -> anyhow::Result<()> {
    bench.env("TMPDIR", on_disk());
    steps.step("measuring", || {
        let ended = bench.status().with_context(|| format!("{bench:?} cannot be started"))?;
        ensure!(ended.success(), "a measurement failed");
        Ok(())
    })
}

/// A folder for databases. The default temporary folder may be in memory, where fsync costs nothing.
fn on_disk() -> PathBuf {
    std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from)
}

/// Installs Flask, gunicorn and the queues from PyPI into a virtualenv.
fn python_peers(workspace: &Workspace, shell: &Shell, folder: &Path, steps: &Steps) -> anyhow::Result<()> {
    let lists = ["tests/bench/baseline/requirements.txt", "tests/bench/queues/requirements.txt"];
    let lists = lists.map(|list| workspace.root.join(list));
    let python = folder.join("python");
    let what = format!("{} from PyPI", names(&contents(&lists)?));
    install_once(steps, &what, &lists, &python, || {
        tools::python_venv(workspace)?;
        cmd!(shell, "python3 -m venv --clear {python}").quiet().run()?;
        let pip = python.join("bin/pip");
        let lists = lists.iter().flat_map(|list| [Path::new("--requirement"), list]);
        Ok(cmd!(shell, "{pip} install --quiet --disable-pip-version-check {lists...}").quiet().run()?)
    })
}

/// Packages that npm installs into a folder of their own.
struct NodePackages {
    /// Below tests/bench: package.json and package-lock.json.
    manifests: &'static str,
    /// Below target/bench.
    folder: &'static str,
    /// The scenario that needs them.
    scenario: &'static str,
    what: &'static str,
    /// The only package whose own installation is run, because it compiles a library.
    compiled: Option<&'static str>,
}

const QUEUES: NodePackages = NodePackages {
    manifests: "queues",
    folder: "node",
    scenario: "drain",
    what: "graphile-worker, pg-boss and plainjob from npm",
    compiled: Some("better-sqlite3"),
};
const LIGHTHOUSE: NodePackages = NodePackages {
    manifests: "lighthouse",
    folder: "lighthouse",
    scenario: "lighthouse",
    what: "Lighthouse (190 MB, once) from npm",
    compiled: None,
};

fn node_packages(
    workspace: &Workspace,
    shell: &Shell,
    folder: &Path,
    steps: &Steps,
    packages: &NodePackages,
) -> anyhow::Result<()> {
    let manifests = ["package.json", "package-lock.json"];
    let manifests = manifests.map(|name| workspace.root.join("tests/bench").join(packages.manifests).join(name));
    let node = folder.join(packages.folder);
    install_once(steps, packages.what, &manifests, &node, || {
        tools::npm(workspace)?;
        shell.create_dir(&node)?;
        manifests.iter().try_for_each(|manifest| shell.copy_file(manifest, &node))?;
        let _there = shell.push_dir(&node);
        cmd!(shell, "npm ci --silent --no-audit --no-fund --ignore-scripts").quiet().run()?;
        if let Some(package) = packages.compiled
            && let Err(error) = cmd!(shell, "npm rebuild --silent --foreground-scripts {package}").quiet().run()
        {
            eprintln!("{package} cannot be built ({error}); the contestant that needs it will be named as failed");
        }
        Ok(())
    })
}

/// Runs `install` unless it has already run with the same contents of `lists`, which a stamp beside `folder` holds.
fn install_once(
    steps: &Steps,
    what: &str,
    lists: &[PathBuf],
    folder: &Path,
    install: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (stamp, wanted) = (folder.with_extension("stamp"), contents(lists)?);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        steps.skip(&format!("{what} is installed"));
        return Ok(());
    }
    steps.step(&format!("installing {what} into {}", folder.display()), || {
        install()?;
        Ok(fs::write(stamp, wanted)?)
    })
}

/// Whether `--only` names the scenario or is absent.
fn is_selected(arguments: &[String], scenario: &str) -> bool {
    let after = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    after.is_none_or(|names| names.split(',').any(|name| name == scenario))
}

fn contents(files: &[PathBuf]) -> anyhow::Result<String> {
    let read = |file: &PathBuf| fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()));
    files.iter().map(read).collect()
}

/// The packages without versions and comments.
fn names(requirements: &str) -> String {
    let lines = requirements.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let names: Vec<_> = lines.filter_map(|line| line.split(['=', '[']).next()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_selects_scenarios() {
        let is_selected = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(ToOwned::to_owned).collect();
            super::is_selected(&words, "lighthouse")
        };
        assert!(is_selected("") && is_selected("--rounds 2") && is_selected("--rounds 2 --only visit,lighthouse"));
        assert!(!is_selected("--only visit --rounds 2"));
    }

    #[test]
    fn names_have_no_versions_and_comments() {
        assert_eq!(names("# why\nFlask==3.1.3\n\npsycopg[binary]==3.3.9\n"), "Flask, psycopg");
    }
}
