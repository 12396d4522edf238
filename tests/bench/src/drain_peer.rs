//! A queue of others: a program that adds jobs, says `pushed`, runs them, says `drained`, and waits for its end.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use bench::now::now;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::log_table::{LogTable, Written};
use crate::processes::Family;

/// Who needs longer does not end.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long jobs took to become rows.
pub(crate) struct Drained {
    /// From the first row until the last job was done.
    pub time: Duration,
    /// Processor time of all that took part; none where it cannot be told from our own.
    pub cpu: Option<Duration>,
}

impl Drained {
    /// Fails unless there are as many rows as there were jobs.
    pub(crate) fn of(written: Written, jobs: u32, cpu: Option<Duration>) -> anyhow::Result<Self> {
        ensure!(written.rows == u64::from(jobs), "{jobs} jobs have written {} rows", written.rows);
        // Times are kept in milliseconds: at least one has passed.
        let (first, last) = written.first.zip(written.last).context("there are rows")?;
        Ok(Self { time: last.saturating_sub(first).max(Duration::from_millis(1)), cpu })
    }
}

/// Runs the program. `database` is the number of a process that works for it.
pub(crate) async fn drain_peer(
    mut command: Command,
    log: &LogTable,
    jobs: u32,
    database: Option<u32>,
) -> anyhow::Result<Drained> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    let mut lines = BufReader::new(child.stdout.take().context("piped above")?).lines();
    let family = Family::of(child.id().into_iter().chain(database).collect::<Vec<_>>());
    let mut says = async |word: &str| {
        while let Some(line) = timeout(LONGEST, lines.next_line()).await?? {
            if line == word {
                return Ok(());
            }
        }
        Err(anyhow!("it has ended before it said {word}").context(format!("{command:?}")))
    };
    says("pushed").await?;
    let before = family.cpu();
    says("drained").await?;
    let (drained, cpu) = (now(), family.cpu().saturating_sub(before));
    // A job is done when its queue says so, which may be later than its row.
    let written = Written { last: Some(drained), ..log.settle(jobs.into()).await? };
    child.kill().await?;
    Drained::of(written, jobs, Some(cpu))
}
