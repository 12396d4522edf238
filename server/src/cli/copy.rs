//! `copy`: copies a whole database into an empty one, continues after any interruption, and compares both at the end.

mod compare;

use anyhow::{anyhow, bail};
use sha2::{Digest, Sha256};
use store::copy::{BeginOutcome, Metadata, Progress, Refusal, Source, SourceIdentity, Table, Target};
use store::{Clock, StoreError};

use self::compare::{hex, lines_of_metadata, verify};
use super::ProgressBar;

pub use self::compare::Report;

/// Records per read, and per writing transaction.
const BATCH: u32 = 1_000;

/// The result of a copy that was not refused.
#[derive(Debug)]
pub enum Copied {
    /// An earlier run has finished it.
    Already,
    /// Everything is in the target. Servers may open it if both sides are the same.
    Verified(Report),
}

/// Copies `source` into `target`, resuming an interrupted run, and compares them.
pub async fn copy(
    source: &dyn Source,
    target: &dyn Target,
    clock: &dyn Clock,
    bar: &mut ProgressBar,
) -> anyhow::Result<Copied> {
    let metadata = source.metadata().await.map_err(|error| failed(source, &error))?;
    let counts = counts(source).await?;
    let origin = origin(source, &metadata, &counts);
    let begun = target.begin(&origin, &metadata).await.map_err(|error| failed(target, &error))?;
    let progress = match begun {
        BeginOutcome::New => Progress::at(Table::ALL[0]),
        BeginOutcome::Resumed(progress) => progress,
        BeginOutcome::Refused(Refusal::Finished) => return Ok(Copied::Already),
        BeginOutcome::Refused(refusal) => bail!(refused(&refusal, source, target)),
    };
    for table in Table::ALL.into_iter().filter(|table| *table >= progress.table) {
        let begin = if table == progress.table { progress.clone() } else { Progress::at(table) };
        let total = counts[table as usize];
        bar.begin(format!("copying {}", table.as_str()), begin.done, total, clock.steady());
        copy_table(source, target, begin, |done| bar.show(done, clock.steady())).await?;
        bar.end(clock.steady());
    }
    let report = verify(source, target, &counts, clock, bar).await?;
    if report.is_same() {
        target.finish().await.map_err(|error| failed(target, &error))?;
    }
    Ok(Copied::Verified(report))
}

/// Reads each batch while the previous one is written.
async fn copy_table(
    source: &dyn Source,
    target: &dyn Target,
    begin: Progress,
    mut show: impl FnMut(u64),
) -> anyhow::Result<()> {
    let Progress { table, after, mut done } = begin;
    let mut read = source.read(table, &after, BATCH).await;
    loop {
        let batch = read.map_err(|error| failed(source, &error))?;
        let Some(end) = batch.end() else { return Ok(()) };
        done += batch.len() as u64;
        let progress = Progress { table, after: end, done };
        let (next, put) = tokio::join!(source.read(table, &progress.after, BATCH), target.write(batch, &progress));
        put.map_err(|error| failed(target, &error))?;
        show(done);
        read = next;
    }
}

async fn counts(source: &dyn Source) -> anyhow::Result<[u64; Table::ALL.len()]> {
    let mut counts = [0; Table::ALL.len()];
    for table in Table::ALL {
        counts[table as usize] = source.count(table).await.map_err(|error| failed(source, &error))?;
    }
    Ok(counts)
}

/// Each database has its own secret, so the hash of the secret identifies it.
fn origin(source: &dyn Source, metadata: &Metadata, counts: &[u64]) -> SourceIdentity {
    let mut state = Sha256::new();
    for line in lines_of_metadata(metadata) {
        state.update(&line.json);
    }
    state.update(format!("{} {} {counts:?}", metadata.last_log, metadata.last_job));
    SourceIdentity {
        name: source.name(),
        identity: hex(&Sha256::digest(metadata.secret)),
        state: hex(&state.finalize()),
    }
}

fn refused(refusal: &Refusal, source: &dyn Source, target: &dyn Target) -> String {
    let (source, to, how_to_empty) = (source.name(), target.name(), target.how_to_empty());
    match refusal {
        Refusal::Served => {
            format!("{to} is in use by a server. Stop it, and copy into an empty database: {how_to_empty}")
        }
        Refusal::NotEmpty(holds) => {
            format!("{to} is not empty: it holds {holds}. Copy into an empty database: {how_to_empty}")
        }
        Refusal::OtherSource(origin) => format!(
            "{to} holds a copy of another database, {origin}. Copy that one with --from, or copy into an empty \
             database: {how_to_empty}"
        ),
        Refusal::SourceChanged => format!(
            "{source} has changed since its copy into {to} was begun. Begin anew in an empty database: {how_to_empty}"
        ),
        Refusal::Finished => format!("{to} holds the whole copy already. Serve it"),
    }
}

fn failed(side: &(impl Source + ?Sized), error: &StoreError) -> anyhow::Error {
    anyhow!("{}: {error} Then start the same command again: it goes on where it was", side.name())
}
