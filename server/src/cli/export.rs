//! `export`: writes the log out, with or without a running server.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use api::{LogFilter, TimeMs};
use futures::TryStreamExt;
use store::{Clock, LogSink, Manifest, Store, log_blocks};
use tempfile::{Builder, NamedTempFile};

use super::ProgressBar;
use crate::log::export::{Lines, Rows, export};
use crate::platform::output::{PrintError, Stdout};

/// Writes the rows that exist at the start and match `filter` as text, oldest first: to `file`, or to standard output.
/// Returns how many there are.
pub async fn export_text(
    store: Arc<dyn Store>,
    filter: LogFilter,
    lines: Lines,
    file: Option<NewFile>,
    clock: &dyn Clock,
    bar: &mut ProgressBar,
) -> anyhow::Result<u64> {
    let mut out: Box<dyn Write + Send> = match &file {
        Some(file) => Box::new(file.part.reopen().with_context(|| not_written(&file.name))?),
        None => {
            Stdout::check_is_open()?;
            Box::new(Stdout)
        }
    };
    let rows = Rows::matching(filter, &*store, clock.wall()).await?;
    begin(bar, &rows, clock.steady());
    let mut chunks = pin!(export(store, rows, lines));
    let mut written = Ok(());
    let (mut done, mut matching) = (0, 0);
    while written.is_ok()
        && let Some(chunk) = chunks.try_next().await?
    {
        // Blocking is fine: nothing else runs on this thread.
        written = out.write_all(&chunk.text);
        (done, matching) = (done + chunk.rows, matching + chunk.matching);
        bar.show(done, clock.steady());
    }
    bar.end(clock.steady());
    match file {
        Some(file) => {
            written.with_context(|| not_written(&file.name))?;
            file.finish()?;
        }
        None => written.map_err(PrintError::from)?,
    }
    Ok(matching)
}

/// Copies the same rows into another table. Returns what that table holds now.
pub async fn export_rows(
    store: Arc<dyn Store>,
    filter: LogFilter,
    table: &mut dyn LogSink,
    clock: &dyn Clock,
    bar: &mut ProgressBar,
) -> anyhow::Result<Manifest> {
    let wanted = Rows::matching(filter, &*store, clock.wall()).await?;
    begin(bar, &wanted, clock.steady());
    let mut blocks = pin!(log_blocks(store, wanted.after, wanted.upto));
    let (mut done, mut copied) = (0, 0);
    while let Some(block) = blocks.try_next().await? {
        let mut rows = Vec::new();
        for row in block.rows() {
            let row = row?;
            done += 1;
            if wanted.holds(&row) {
                rows.push(row.to_row());
            }
        }
        if !rows.is_empty() {
            table.put(&rows).await?;
        }
        copied += rows.len() as u64;
        bar.show(done, clock.steady());
    }
    bar.end(clock.steady());
    Ok(wanted.manifest(copied))
}

fn begin(bar: &mut ProgressBar, rows: &Rows, now: TimeMs) {
    // An upper bound: numbers may have gaps.
    let most = u64::try_from(rows.upto.0 - rows.after.0).unwrap_or(0);
    bar.begin("exporting the log".to_owned(), 0, most, now);
}

/// A file that gets its name once it is complete.
#[derive(Debug)]
pub struct NewFile {
    name: PathBuf,
    /// Beside the final one, with a random name of its own. Removed when dropped.
    part: NamedTempFile,
}

impl NewFile {
    /// Fails if a file of this name exists.
    pub fn new(name: PathBuf) -> anyhow::Result<Self> {
        check_is_free(&name)?;
        // Short, so that the final name may be as long as the file system allows. Its mode is 0600.
        let mut part = Builder::new();
        let part = part.prefix(".search4letters-").suffix(".part").tempfile_in(folder_of(&name));
        let part = part.with_context(|| not_written(&name))?;
        Ok(Self { name, part })
    }

    /// The path to write to until [`NewFile::finish`].
    pub fn part(&self) -> &Path {
        self.part.path()
    }

    /// Renames the file to its final name, durably. Fails if a file of this name has been created meanwhile.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self { name, part } = self;
        check_is_free(&name)?;
        let persist = || -> io::Result<()> {
            part.as_file().sync_all()?;
            part.persist_noclobber(&name)?;
            File::open(folder_of(&name))?.sync_all()
        };
        persist().with_context(|| not_written(&name))
    }
}

fn folder_of(name: &Path) -> &Path {
    name.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

fn check_is_free(name: &Path) -> anyhow::Result<()> {
    let Ok(found) = name.symlink_metadata() else { return Ok(()) };
    let shown = name.display();
    // /dev/stdout may lead to a file. Neither it nor a pipe must be removed.
    let is_device = name.starts_with("/dev") || name.starts_with("/proc");
    match name.metadata().unwrap_or(found).file_type() {
        kind if kind.is_dir() => Err(anyhow!("{shown} is a folder: name a file in it with --output")),
        kind if is_device || !kind.is_file() => Err(anyhow!(
            "{shown} is no file that can be made: leave out --output, and the export goes to standard output"
        )),
        _ => Err(anyhow!("{shown} exists: name another file with --output, or remove it")),
    }
}

fn not_written(name: &Path) -> String {
    format!("{} cannot be written", name.display())
}
