//! `export`: writes the log out, beside a running server or without one.

mod new_file;

use std::io::{ErrorKind, Write};
use std::pin::pin;
use std::sync::Arc;

use api::LogSeq;
use futures::TryStreamExt;
use store::{Clock, LogSink, Store, log_blocks};

use super::{CommandError, Meter};
use crate::export::{Lines, Rows, export};

pub use new_file::NewFile;

/// What became of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    Whole,
    /// Who was to read it has gone.
    Unread,
}

/// Writes all rows that there are at the start to `out`, from the oldest on.
pub async fn export_lines(
    store: Arc<dyn Store>,
    lines: Lines,
    out: &mut (dyn Write + Send),
    clock: &dyn Clock,
    meter: &mut Option<Meter>,
) -> Result<Exported, CommandError> {
    let LogSeq(last) = store.last_log_seq().await?;
    begin(meter, last, clock);
    let rows = Rows { after: LogSeq(0), upto: LogSeq(last) };
    let mut chunks = pin!(export(store, rows, lines));
    let mut written = out.write_all(lines.head().as_bytes());
    let mut done = 0;
    while written.is_ok()
        && let Some(chunk) = chunks.try_next().await?
    {
        // Nothing else runs on this thread: who waits for the reader here keeps nobody else.
        written = out.write_all(&chunk.text);
        done += chunk.rows;
        show(meter, done, clock);
    }
    end(meter, clock);
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(Exported::Whole),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exported::Unread),
        Err(error) => Err(CommandError(format!("the export cannot be written: {error}"))),
    }
}

/// The same into another table.
pub async fn export_rows(
    store: Arc<dyn Store>,
    file: &mut dyn LogSink,
    clock: &dyn Clock,
    meter: &mut Option<Meter>,
) -> Result<(), CommandError> {
    let last = store.last_log_seq().await?;
    begin(meter, last.0, clock);
    let mut blocks = pin!(log_blocks(store, LogSeq(0), last));
    let mut done = 0;
    while let Some(block) = blocks.try_next().await? {
        let rows = block.rows().map(|row| Ok(row?.to_row())).collect::<store::Result<Vec<_>>>()?;
        done += rows.len() as u64;
        file.put(&rows).await?;
        show(meter, done, clock);
    }
    end(meter, clock);
    Ok(())
}

fn begin(meter: &mut Option<Meter>, last: i64, clock: &dyn Clock) {
    if let Some(meter) = meter {
        // There may be fewer rows than numbers.
        meter.begin("exporting the log".to_owned(), 0, last.unsigned_abs(), clock.steady());
    }
}

fn show(meter: &mut Option<Meter>, done: u64, clock: &dyn Clock) {
    if let Some(meter) = meter {
        meter.show(done, clock.steady());
    }
}

fn end(meter: &mut Option<Meter>, clock: &dyn Clock) {
    if let Some(meter) = meter {
        meter.end(clock.steady());
    }
}
