//! `export`: writes the log out, beside a running server or without one.

mod new_file;

use std::io::{ErrorKind, Write};
use std::pin::pin;
use std::sync::Arc;

use api::{LogFilter, TimeMs};
use futures::TryStreamExt;
use store::{Clock, LogSink, Store, log_blocks};

use super::{CommandError, Meter};
use crate::log::export::{Lines, Rows, export};

pub use new_file::NewFile;

/// What became of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    Whole,
    /// Who was to read it has gone.
    Unread,
}

/// Writes all rows that there are at the start and that `filter` matches to `out`, from the oldest on.
pub async fn export_lines(
    store: Arc<dyn Store>,
    filter: LogFilter,
    lines: Lines,
    out: &mut (dyn Write + Send),
    clock: &dyn Clock,
    meter: &mut Meter,
) -> Result<Exported, CommandError> {
    let rows = Rows::matching(filter, &*store, clock.wall()).await?;
    begin(meter, &rows, clock.steady());
    let mut chunks = pin!(export(store, rows, lines));
    let mut written = out.write_all(lines.head().as_bytes());
    let mut done = 0;
    while written.is_ok()
        && let Some(chunk) = chunks.try_next().await?
    {
        // Nothing else runs on this thread: who waits for the reader here keeps nobody else.
        written = out.write_all(&chunk.text);
        done += chunk.rows;
        meter.show(done, clock.steady());
    }
    meter.end(clock.steady());
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(Exported::Whole),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exported::Unread),
        Err(error) => Err(CommandError(format!("the export cannot be written: {error}"))),
    }
}

/// The same into another table.
pub async fn export_rows(
    store: Arc<dyn Store>,
    filter: LogFilter,
    file: &mut dyn LogSink,
    clock: &dyn Clock,
    meter: &mut Meter,
) -> Result<(), CommandError> {
    let wanted = Rows::matching(filter, &*store, clock.wall()).await?;
    begin(meter, &wanted, clock.steady());
    let mut blocks = pin!(log_blocks(store, wanted.after, wanted.upto));
    let mut done = 0;
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
            file.put(&rows).await?;
        }
        meter.show(done, clock.steady());
    }
    meter.end(clock.steady());
    Ok(())
}

fn begin(meter: &mut Meter, rows: &Rows, now: TimeMs) {
    // There may be fewer rows than numbers.
    let most = u64::try_from(rows.upto.0 - rows.after.0).unwrap_or(0);
    meter.begin("exporting the log".to_owned(), 0, most, now);
}
