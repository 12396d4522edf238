//! The cost of an idle server.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio::time::sleep;

use super::Scenario;
use crate::contestant::{Contestant, RunningContestant};
use crate::context::BenchContext;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::rounds_of;

const NAME: &str = "idle";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "Idle",
    method: "A server that has answered searches and written them, on its SQLite file, 15 s later. Processor time is that \
             of its threads, to the nanosecond; \"calls to the database\" are the locks, reads and writes of files that \
             strace sees afterwards, for as long again: no statement does without them.",
    promises: &[],
    plots: &[],
    lasts: |context| rounds_of(context, 2 * context.measured.as_secs() + 20),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const CPU: Kind = ("CPU", "ms a second");
const MEMORY: Kind = ("resident", "MiB");
const CALLS: Kind = ("calls to the database", "a second");

/// The time until work after the last search is done and its temporary threads have ended.
const AFTER_WORK: Duration = Duration::from_secs(15);
/// System calls for locks of the write-ahead log's index, and for pages.
const CALLS_OF_SQLITE: &str = "trace=fcntl,pread64,pwrite64,fsync,fdatasync";
/// strace has to attach to each thread first.
const ATTACHING: Duration = Duration::from_secs(1);

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let contestant = Contestant::OursSqlite;
    for round in 0..context.rounds {
        context.progress(round, contestant.name());
        let running = contestant.start(context, &[]).await?;
        for _ in 0..100 {
            search(&running).await?;
        }
        running.log.settle(100).await?;
        sleep(AFTER_WORK).await;
        let before = running.processes.threads_cpu();
        sleep(context.measured).await;
        let cpu = running.processes.threads_cpu().saturating_sub(before);
        let cpu_ms = cpu.as_secs_f64() * 1000.0 / context.measured.as_secs_f64();
        let memory_mib = running.processes.resident_kib() as f64 / 1024.0;
        measurements.add(NAME, contestant.name(), CPU, cpu_ms);
        measurements.add(NAME, contestant.name(), MEMORY, memory_mib);
        if let Some(calls) = calls(&running, context.measured).await? {
            measurements.add(NAME, contestant.name(), CALLS, calls as f64 / context.measured.as_secs_f64());
        }
        running.stop().await?;
        eprintln!("{cpu_ms:.3} ms of CPU a second, {memory_mib:.1} MiB");
    }
    Ok(())
}

async fn search(running: &RunningContestant) -> anyhow::Result<()> {
    let client = running.server().context("ours")?.client();
    let answer = client.post_form("/api/search", &[("phrase", "life, the universe, and everything!")]).await;
    answer.map(drop).map_err(|error| anyhow::anyhow!("{error}"))
}

/// How many calls strace sees; `None` if strace is missing or sees nothing.
async fn calls(running: &RunningContestant, measured: Duration) -> anyhow::Result<Option<usize>> {
    let printed = NamedTempFile::new()?;
    let pid = running.server().context("ours")?.pid().to_string();
    let mut strace = Command::new("strace");
    strace.args(["-q", "-f", "-e", CALLS_OF_SQLITE, "-e", "signal=none", "-p", &pid, "-o"]).arg(printed.path());
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let Ok(mut strace) = strace.spawn() else { return Ok(None) };
    sleep(ATTACHING).await;
    let before = lines(printed.path())?;
    sleep(measured).await;
    let after = lines(printed.path())?;
    // A count of zero is valid only if strace does see the calls of a search.
    search(running).await?;
    sleep(ATTACHING).await;
    if let Some(pid) = strace.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        kill_process(pid, Signal::INT)?;
    }
    strace.wait().await?;
    Ok((lines(printed.path())? > after).then(|| after.saturating_sub(before)))
}

fn lines(file: &Path) -> anyhow::Result<usize> {
    Ok(std::fs::read_to_string(file)?.lines().filter(|line| line.contains('(')).count())
}
