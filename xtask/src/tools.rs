//! Finds the tools that a build needs, and installs those that are missing.

mod apt;
mod browser;
mod cargo_tool;
mod postgres;
mod rust_target;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::steps::Steps;
use crate::workspace::Workspace;

pub(crate) use browser::{browser_tools, chromedriver, chromium};
pub(crate) use postgres::{pgbouncer, postgres_server};
pub(crate) use rust_target::ensure as rust_target;

/// Trunk 0.22 wants a newer Rust than ours.
const TRUNK_VERSION: &str = "0.21.14";

/// How many steps [`client_tools`] takes.
pub(crate) const CLIENT_TOOL_STEPS: u32 = 3;

/// What the client's build needs; returns the PATH on which it finds all of it.
pub(crate) fn client_tools(workspace: &Workspace, steps: &mut Steps) -> anyhow::Result<OsString> {
    steps.step("looking for the wasm32 target", || rust_target::ensure(workspace))?;
    let trunk = cargo_tool::trunk(TRUNK_VERSION).ensure(workspace, steps)?;
    let bindgen = cargo_tool::wasm_bindgen(&locked_version(workspace, "wasm-bindgen")?).ensure(workspace, steps)?;
    cargo_tool::remove_build_dir(workspace)?;

    let ours = [trunk, bindgen].into_iter().flatten();
    let theirs = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(ours.chain(env::split_paths(&theirs)))?)
}

/// The shell of SQLite, in which migrations are tried.
pub(crate) fn sqlite3(workspace: &Workspace) -> anyhow::Result<()> {
    apt::ensure(workspace, &[("sqlite3", "sqlite3")])
}

/// What makes a virtualenv.
pub(crate) fn python_venv(workspace: &Workspace) -> anyhow::Result<()> {
    // Debian ships venv without what it installs pip with.
    let has_venv = Command::new("python3").args(["-c", "import ensurepip"]).stderr(Stdio::null()).status();
    if has_venv.is_ok_and(|ended| ended.success()) { Ok(()) } else { apt::install(workspace, &["python3-venv"]) }
}

/// What installs packages of Node.js.
pub(crate) fn npm(workspace: &Workspace) -> anyhow::Result<()> {
    apt::ensure(workspace, &[("node", "nodejs"), ("npm", "npm")])
}

/// The databases that tests start for themselves.
pub(crate) fn databases(workspace: &Workspace) -> anyhow::Result<()> {
    postgres_server(workspace)?;
    pgbouncer(workspace)
}

/// What the tests with faults need: strace makes disks fail, faketime sets clocks, the others mount
/// small disks and take rights away, and sqlite3 makes backups.
pub(crate) fn fault_tools(workspace: &Workspace) -> anyhow::Result<()> {
    let util_linux = ["unshare", "nsenter", "setpriv"].map(|program| (program, "util-linux"));
    let others = [("sqlite3", "sqlite3"), ("mount", "mount"), ("strace", "strace"), ("faketime", "faketime")];
    apt::ensure(workspace, &[&util_linux[..], &others].concat())
}

/// The version of `package` in Cargo.lock. wasm-bindgen's tool must be of exactly the library's version.
fn locked_version(workspace: &Workspace, package: &str) -> anyhow::Result<String> {
    let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    version_in_lock(&lock, package).with_context(|| format!("Cargo.lock does not name {package}"))
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    Some(lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?.to_owned())
}

/// The first executable of this name on PATH.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_the_package_and_of_no_other() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in_lock(lock, "wasm"), None);
    }
}
