//! Finds the tools that builds and tests need, and installs missing ones.

mod apt;
mod browser;
mod postgres;
mod rust;

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::workspace::Workspace;

pub(crate) use browser::{axe, chromedriver, chromium, geckodriver, webkit};
pub(crate) use postgres::{pgbouncer, postgres_server};
pub(crate) use rust::{CARGO_DENY, TRUNK, c_compiler, rust_sources, wasm_bindgen, wasm_target};

/// SQLite's shell, which applies the migrations.
pub(crate) fn sqlite3(workspace: &Workspace) -> anyhow::Result<()> {
    apt::ensure(workspace, &[("sqlite3", "sqlite3")])
}

/// Python with the modules that a virtualenv needs.
pub(crate) fn python_venv(workspace: &Workspace) -> anyhow::Result<()> {
    // Debian's python3 has venv, but not ensurepip, which venv needs.
    let has_venv = Command::new("python3").args(["-c", "import ensurepip"]).stderr(Stdio::null()).status();
    if has_venv.is_ok_and(|ended| ended.success()) { Ok(()) } else { apt::install(workspace, &["python3-venv"]) }
}

/// Node.js and its package manager.
pub(crate) fn npm(workspace: &Workspace) -> anyhow::Result<()> {
    apt::ensure(workspace, &[("node", "nodejs"), ("npm", "npm")])
}

/// A load generator, the second witness of how many searches are answered.
pub(crate) fn wrk(workspace: &Workspace) -> anyhow::Result<()> {
    apt::ensure(workspace, &[("wrk", "wrk")])
}

/// The databases that the tests start.
pub(crate) fn databases(workspace: &Workspace) -> anyhow::Result<()> {
    postgres_server(workspace)?;
    pgbouncer(workspace)
}

/// The programs of the fault tests: strace makes disks fail, faketime sets clocks, sqlite3 makes backups, and the others
/// mount small disks and drop permissions.
pub(crate) fn fault_tools(workspace: &Workspace) -> anyhow::Result<()> {
    let util_linux = ["unshare", "nsenter", "setpriv"].map(|program| (program, "util-linux"));
    let others = [("sqlite3", "sqlite3"), ("mount", "mount"), ("strace", "strace"), ("faketime", "faketime")];
    apt::ensure(workspace, &[&util_linux[..], &others].concat())
}

/// The first executable of this name on PATH.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
