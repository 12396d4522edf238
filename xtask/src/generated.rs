//! `cargo xtask screenshots` and `cargo xtask vectors`: generated files that are committed.

use anyhow::Context;
use xshell::cmd;

use crate::client::{self, Build};
use crate::steps::Steps;
use crate::tools;
use crate::workspace::Workspace;

/// Writes docs/screenshots for the README, and target/screenshots with a contact sheet for reviewers.
pub(crate) fn screenshots(workspace: &Workspace) -> anyhow::Result<()> {
    let steps = Steps::new(client::steps_needed(workspace, Build::Shipped)? + 3);
    client::ensure(workspace, &steps, Build::Shipped)?;
    let chromedriver = steps.step("looking for Chromium and chromedriver", || tools::chromedriver(workspace))?;
    let shell = workspace.shell()?;
    shell.set_var("CHROMEDRIVER", chromedriver);
    let programs = cmd!(shell, "cargo build --package server --package tests --bins");
    steps.build("building the server and the program that takes the pictures", [programs])?;
    let program = workspace.target.join("debug/screenshots");
    let (readme, review) = (workspace.root.join("docs/screenshots"), workspace.target.join("screenshots"));
    steps.run("taking the pictures", cmd!(shell, "{program} {readme} {review}"))
}

/// Writes the results that Python computes for the tests' searches.
pub(crate) fn vectors(workspace: &Workspace) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    cmd!(shell, "python3 tests/vectors/generate.py").run().context("the vectors need python3 3.11")
}
