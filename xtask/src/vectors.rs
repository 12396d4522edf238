//! `cargo xtask vectors`: what Python itself says of the search.

use anyhow::Context;
use xshell::cmd;

use crate::workspace::Workspace;

pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    cmd!(shell, "python3 tests/vectors/generate.py").run().context("the vectors need python3 3.11")
}
