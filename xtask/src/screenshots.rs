//! `cargo xtask screenshots`: the README's pictures, taken of the real thing.

use xshell::cmd;

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{client, tools};

/// Writes docs/screenshots for the README, and target/screenshots with all widths for whoever reviews a change.
pub(crate) fn take(workspace: &Workspace) -> anyhow::Result<()> {
    let mut steps = Steps::new(client::steps_needed(workspace)? + 3);
    client::ensure(workspace, &mut steps)?;
    let browser = steps.step("looking for Chromium and chromedriver", || tools::browser_tools(workspace))?;
    let shell = workspace.shell()?;
    shell.set_var("CHROMEDRIVER", browser.chromedriver);
    steps.step("building the server", || {
        cmd!(shell, "cargo build --quiet --package server --package tests --bins").quiet().run()?;
        Ok(())
    })?;
    let program = workspace.target.join("debug/screenshots");
    let (readme, review) = (workspace.root.join("docs/screenshots"), workspace.target.join("screenshots"));
    steps.step("taking the pictures", || {
        cmd!(shell, "{program} {readme} {review}").quiet().run()?;
        Ok(())
    })
}
