//! Databases with a long history, made once and kept below target/bench.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use tempfile::TempDir;
use tests::server_process::Installation;

use crate::waiting;
use crate::workshop::Workshop;

/// How much there is in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// In the log.
    pub rows: u32,
    /// That wait, of a kind that is paused.
    pub jobs: u32,
}

impl History {
    pub(crate) const LONG: Self = Self { rows: 10_000_000, jobs: 1_000_000 };
    pub(crate) const SHORT: Self = Self { rows: 1_000_000, jobs: 0 };

    /// The data folder that is kept: to read only. Made where there is none yet, which takes some minutes.
    pub(crate) async fn kept(self, workshop: &Workshop) -> anyhow::Result<PathBuf> {
        let Self { rows, jobs } = self;
        let name = format!("history-{rows}-{jobs}");
        let (data, made) = (workshop.folder.join(&name), workshop.folder.join(format!("{name}.made")));
        if !made.exists() {
            let mb = rows / 5000;
            eprintln!(
                "  making a database of {rows} rows in {} (once, {mb} MB; 10 million take minutes)",
                data.display()
            );
            if data.exists() {
                fs::remove_dir_all(&data)?;
            }
            waiting::aged(&Installation::new().with_data(&data), rows, jobs).await?;
            fs::write(made, "")?;
        }
        // An earlier version may have made it.
        let migrated = Installation::new().with_data(&data).run(&["migrate"]).await;
        ensure!(migrated.code == Some(0), "{} cannot be used; remove it: {}", data.display(), migrated.output);
        Ok(data)
    }

    /// A copy of it, beside all other databases: what is measured adds to it.
    pub(crate) async fn copy(self, workshop: &Workshop) -> anyhow::Result<TempDir> {
        let kept = self.kept(workshop).await?;
        eprintln!("  copying {}", kept.display());
        let copy = TempDir::new()?;
        copy_files(&kept, copy.path())?;
        // Nothing of it should still be on its way to the disk when something is measured.
        rustix::fs::sync();
        Ok(copy)
    }
}

fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_files(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
