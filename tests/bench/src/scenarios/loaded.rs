//! A site under load, and what that costs.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use bench::load::{BEGIN, Load, Report};
use bench::now::now;
use tempfile::NamedTempFile;
use tests::server_process::workspace_program;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::log_table::{Differences, Written};
use crate::site::Running;
use crate::workshop::{CONNECTIONS, WARM_UP};

/// What came of a load.
pub(crate) struct Loaded {
    pub report: Report,
    /// Processor time of the site from the beginning of the measured time until all rows were written.
    pub cpu: Duration,
    /// From the beginning of the measured time until the last row was written, where there are rows.
    pub until_written: Option<Duration>,
    /// Searches that were answered and are not in the log. Ours never are: that fails the run.
    pub lost: u64,
}

/// Loads a site, at a rate (searches a second) or as far as it goes, and compares its log with what was answered.
///
/// Fails if ours differs in anything, or leaves a search without an answer.
pub(crate) async fn load(site: &Running, measured: Duration, rate: Option<f64>) -> anyhow::Result<Loaded> {
    let ids = NamedTempFile::new()?;
    let load = Load {
        address: site.address,
        path: site.path.to_owned(),
        connections: CONNECTIONS,
        rate,
        warm_up: WARM_UP,
        measured,
        ids: ids.path().to_owned(),
    };
    let (mut generator, mut lines) = start(&load)?;
    if lines.next_line().await?.as_deref() != Some(BEGIN) {
        bail!("the load generator has not begun");
    }
    let (begin, cpu_before) = (now(), site.family.cpu());
    let said = lines.next_line().await?.context("the load generator says what came of it")?;
    let report: Report = serde_json::from_str(&said)?;
    generator.wait().await?;
    let Written { last, .. } = site.log.settle(report.answered_in_all).await?;
    let cpu = site.family.cpu().saturating_sub(cpu_before);
    let differences = site.log.differences(ids.path()).await?;
    if site.is_ours() && (differences != Differences::default() || report.failed > 0) {
        bail!("of {} searches {} failed, and the log differs: {differences:?}", report.answered_in_all, report.failed);
    }
    let until_written = last.and_then(|last| last.checked_sub(begin));
    Ok(Loaded { report, cpu, until_written, lost: differences.lost })
}

fn start(load: &Load) -> anyhow::Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut command = Command::new(workspace_program("bench-load"));
    command.arg(serde_json::to_string(load)?).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("bench-load cannot be started")?;
    let lines = BufReader::new(child.stdout.take().context("piped above")?).lines();
    Ok((child, lines))
}
