//! `cargo xtask bench`: the release binary beside its peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use crate::place::Place;
use crate::steps::Steps;
use crate::{client, tools};

/// Builds all that is measured, installs the peers below target/bench, and measures.
///
/// `arguments` are those of `tests/bench/src/arguments.rs`, which refuses what it does not know.
pub(crate) fn bench(place: &Place, arguments: &[String]) -> anyhow::Result<()> {
    let folder = place.target.join("bench");
    fs::create_dir_all(&folder)?;
    let mut steps = Steps::new(client::steps_needed(place)? + 6);
    client::ensure(place, &mut steps)?;
    steps.step("looking for PostgreSQL", || tools::postgres_server(place))?;
    let shell = place.shell()?;
    python_peers(place, &shell, &folder, &mut steps)?;
    node_peers(place, &shell, &folder, &mut steps)?;
    // On its own: beside others it would be built with features that it is not shipped with.
    steps.step("building the server as it is shipped (about 4 minutes from nothing)", || {
        cmd!(shell, "cargo build --quiet --release --package server").quiet().run()?;
        Ok(())
    })?;
    steps.step("building its peers and the load generator (about 6 minutes from nothing)", || {
        cmd!(shell, "cargo build --quiet --release --package bench --features apalis").quiet().run()?;
        Ok(())
    })?;
    let mut bench = Command::new(place.target.join("release/bench"));
    bench.arg(&place.root).arg(&folder).args(arguments).env("TMPDIR", on_disk());
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
fn python_peers(place: &Place, shell: &Shell, folder: &Path, steps: &mut Steps) -> anyhow::Result<()> {
    let lists = ["tests/bench/baseline/requirements.txt", "tests/bench/queues/requirements.txt"];
    let lists = lists.map(|list| place.root.join(list));
    let (python, stamp) = (folder.join("python"), folder.join("python.stamp"));
    let wanted = contents(&lists)?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        steps.skip("the peers from PyPI are installed");
        return Ok(());
    }
    tools::python_venv(place)?;
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

/// The queues from npm.
fn node_peers(place: &Place, shell: &Shell, folder: &Path, steps: &mut Steps) -> anyhow::Result<()> {
    let manifests = ["tests/bench/queues/package.json", "tests/bench/queues/package-lock.json"];
    let manifests = manifests.map(|manifest| place.root.join(manifest));
    let (node, stamp) = (folder.join("node"), folder.join("node.stamp"));
    let wanted = contents(&manifests)?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        steps.skip("the peers from npm are installed");
        return Ok(());
    }
    tools::npm(place)?;
    steps.step(&format!("installing graphile-worker from npm into {}", node.display()), || {
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
    fn says_what_it_installs() {
        assert_eq!(names("# why\nFlask==3.1.3\n\npsycopg[binary]==3.3.9\n"), "Flask, psycopg");
    }
}
