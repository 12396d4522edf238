//! `cargo xtask test`: all tests, against the client and the server as they are shipped.

use xshell::cmd;

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{client, tools};

/// Runs the tests whose name contains one of `filter`; all where it is empty.
pub(crate) fn test(workspace: &Workspace, filter: &[String]) -> anyhow::Result<()> {
    let mut steps = Steps::new(client::steps_needed(workspace)? + 6);
    client::ensure(workspace, &mut steps)?;
    let browser = steps.step("looking for Chromium, chromedriver and axe", || tools::browser_tools(workspace))?;
    steps.step("looking for strace, faketime and namespaces", || tools::fault_tools(workspace))?;
    steps.step("looking for PostgreSQL and PgBouncer", || tools::databases(workspace))?;

    let shell = workspace.shell()?;
    // What `tests` multiplies by itself; the packages' own property tests know proptest's variable only.
    if std::env::var_os("SEARCH4LETTERS_FAULTS").is_some_and(|length| length == "long") {
        shell.set_var("PROPTEST_CASES", "12800");
    }
    shell.set_var("CHROMEDRIVER", browser.chromedriver);
    shell.set_var("SEARCH4LETTERS_AXE", browser.axe);
    steps.step("building the server", || {
        cmd!(shell, "cargo build --quiet --package server").quiet().run()?;
        Ok(())
    })?;
    // On their own, because beside the server they would be built with the server's feature `ssr`.
    steps.step("testing what the browser runs", || {
        cmd!(shell, "cargo test --quiet --package api --package app {filter...}").quiet().run()?;
        Ok(())
    })?;
    steps.step("testing all else", || {
        let packages =
            ["server", "lab", "queue", "spool", "store", "store-sqlite", "store-postgres", "tests", "bench", "xtask"];
        let packages = packages.iter().flat_map(|package| ["--package", package]);
        cmd!(shell, "cargo test --quiet {packages...} {filter...}").quiet().run()?;
        Ok(())
    })?;
    steps.finish("all tests passed");
    Ok(())
}
