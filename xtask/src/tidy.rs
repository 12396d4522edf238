//! `cargo xtask tidy`: rules of the layout that neither the compiler nor clippy checks.

mod directions;
mod links;
mod module_graph;
mod orphans;
mod rooms;
mod text_rules;

use std::{fmt, fs};

use anyhow::bail;
use xshell::{Shell, cmd};

use crate::workspace::Workspace;

/// A text file of the project.
struct Source {
    /// Relative to the workspace's root.
    path: String,
    text: String,
}

/// A violation of a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// 0 for the whole file.
    line: usize,
    rule: String,
}

/// Fails with all findings if there are any.
pub(crate) fn tidy(workspace: &Workspace) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    let sources = sources(&shell, workspace)?;
    let metadata = cmd!(shell, "cargo metadata --no-deps --format-version 1").quiet().read()?;

    let mut findings = text_rules::findings(&sources);
    findings.extend(orphans::findings(&sources));
    findings.extend(links::findings(&sources, |path| workspace.root.join(path).exists()));
    findings.extend(directions::in_sources(&sources));
    findings.extend(rooms::findings(&sources));
    findings.extend(directions::in_manifests(&serde_json::from_str(&metadata)?));
    if findings.is_empty() {
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    bail!("{} places break the layout's rules", findings.len());
}

/// The text files that are committed or not ignored.
fn sources(shell: &Shell, workspace: &Workspace) -> anyhow::Result<Vec<Source>> {
    let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    let read = |path: &str| {
        // Skips deleted files that are still in the index, and binary files.
        let text = fs::read_to_string(workspace.root.join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    };
    Ok(listed.lines().filter_map(read).collect())
}

impl Source {
    fn finding(&self, line: usize, rule: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, rule: rule.into() }
    }

    fn has_ending(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }

    fn is_below(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    /// The lines, numbered from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    #[cfg(test)]
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.rule)
    }
}
