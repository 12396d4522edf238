//! What all measurements share: where things are, how long they last, and words on how far they are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::arguments::Arguments;

/// Enough for full batches, few enough for a small machine.
pub(crate) const CONNECTIONS: u32 = 64;
/// Caches, connections and batches are what they will be by then.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

pub(crate) struct Workshop {
    pub root: PathBuf,
    pub folder: PathBuf,
    pub rounds: u32,
    pub measured: Duration,
    /// Whether what takes ten minutes takes ten minutes.
    pub is_long: bool,
    pub writes_docs: bool,
    /// Which commit is measured, or `unknown`.
    pub revision: String,
}

impl Workshop {
    pub(crate) fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&arguments.folder)?;
        Ok(Self {
            root: arguments.root.clone(),
            folder: arguments.folder.clone(),
            rounds: arguments.rounds,
            measured: Duration::from_secs(arguments.seconds.into()),
            is_long: arguments.is_long,
            writes_docs: arguments.writes_docs,
            revision: revision(&arguments.root).unwrap_or_else(|| "unknown".to_owned()),
        })
    }

    /// Says that this is about to be measured.
    pub(crate) fn progress(&self, round: u32, what: &str) {
        eprint!("  [{}/{}] {what} ... ", round + 1, self.rounds);
    }
}

fn revision(root: &Path) -> Option<String> {
    let git = Command::new("git").arg("-C").arg(root).args(["describe", "--always", "--dirty"]).output().ok()?;
    let revision = String::from_utf8(git.stdout).ok()?.trim().to_owned();
    (git.status.success() && !revision.is_empty()).then_some(revision)
}
