//! `cargo xtask run`: from a checkout to a served page.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;
use xshell::cmd;

use crate::client;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Builds the client and the server and becomes the server, so that Ctrl-C and every other signal reach it.
pub(crate) fn run(workspace: &Workspace, mut arguments: Vec<String>) -> anyhow::Result<()> {
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
    }
    let mut steps = Steps::new(client::steps_needed(workspace)? + 1);
    client::ensure(workspace, &mut steps)?;
    steps.step("building the server (about 6 minutes from nothing)", || {
        let shell = workspace.shell()?;
        cmd!(shell, "cargo build --quiet --release --package server").quiet().run()?;
        Ok(())
    })?;
    let server = workspace.target.join("release/search4letters");
    let error = Command::new(&server).args(arguments).exec();
    Err(error).with_context(|| format!("{} cannot be started", server.display()))
}
