//! Which files the rules are about.

use std::fs;

use xshell::{Shell, cmd};

use super::Source;
use crate::workspace::Workspace;

/// The text files that are, or would be, committed.
pub(super) fn of(shell: &Shell, workspace: &Workspace) -> anyhow::Result<Vec<Source>> {
    let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    let read = |path: &str| {
        // What was deleted but is still in the index cannot be read, and what is no text has no lines.
        let text = fs::read_to_string(workspace.root.join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    };
    Ok(listed.lines().filter_map(read).collect())
}
