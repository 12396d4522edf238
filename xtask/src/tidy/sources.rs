//! Which files the rules are about.

use std::fs;

use xshell::{Shell, cmd};

use super::Source;
use crate::place::Place;

/// The text files that are, or would be, committed.
pub(super) fn of(shell: &Shell, place: &Place) -> anyhow::Result<Vec<Source>> {
    let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    let read = |path: &str| {
        // What was deleted but is still in the index cannot be read, and what is no text has no lines.
        let text = fs::read_to_string(place.root.join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    };
    Ok(listed.lines().filter_map(read).collect())
}
