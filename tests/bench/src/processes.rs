//! Resource use of processes, and of programs that run to their end.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// Processes, with all their descendants.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProcessTree(Vec<u32>);

impl ProcessTree {
    pub(crate) fn of(roots: impl Into<Vec<u32>>) -> Self {
        Self(roots.into())
    }

    /// Their processor time, including descendants that have ended and were waited for.
    pub(crate) fn cpu(&self) -> Duration {
        let ticks: u64 = self.members().iter().map(|process| process.ticks).sum();
        // The kernel counts in nanoseconds but reports ticks, usually of 10 ms.
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// The processor time of all live threads, to the nanosecond.
    pub(crate) fn threads_cpu(&self) -> Duration {
        let threads = self.members().into_iter().flat_map(|process| {
            let tasks = fs::read_dir(format!("/proc/{}/task", process.id)).into_iter().flatten().flatten();
            tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        });
        threads.filter_map(|stat| stat.split(' ').next()?.parse().ok()).map(Duration::from_nanos).sum()
    }

    /// Their resident memory in KiB. Shared memory counts for each process.
    pub(crate) fn resident_kib(&self) -> u64 {
        let page_kib = rustix::param::page_size() as u64 / 1024;
        let sizes = self.members().into_iter().filter_map(|process| {
            let statm = fs::read_to_string(format!("/proc/{}/statm", process.id)).ok()?;
            statm.split(' ').nth(1)?.parse::<u64>().ok()
        });
        sizes.sum::<u64>() * page_kib
    }

    /// Kills them, parents first, so that they cannot restart children.
    pub(crate) fn end(&self) {
        let members = self.members();
        for id in self.0.iter().copied().chain(members.into_iter().map(|process| process.id)) {
            if let Some(pid) = Pid::from_raw(id.cast_signed()) {
                // The process may already have ended.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    fn members(&self) -> Vec<Process> {
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let all: Vec<Process> = numbers.filter_map(Process::read).collect();
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for process in &all {
            children.entry(process.parent).or_default().push(process.id);
        }
        let mut processes = HashSet::new();
        let mut found = self.0.clone();
        while let Some(id) = found.pop() {
            if processes.insert(id) {
                found.extend(children.get(&id).into_iter().flatten());
            }
        }
        all.into_iter().filter(|process| processes.contains(&process.id)).collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    ticks: u64,
}

impl Process {
    fn read(id: u32) -> Option<Self> {
        Self::parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    /// The fields after the name, which may contain anything: state, parent, nine others, and then the ticks in the
    /// program, in the kernel, and both for children that were waited for.
    fn parse(id: u32, stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let parent = fields.get(1)?.parse().ok()?;
        let ticks = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Some(Self { id, parent, ticks })
    }
}

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The resources that one run has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub time: Duration,
    pub cpu: Duration,
    /// The peak resident memory in KiB.
    pub peak_kib: u64,
}

/// Runs the program and discards its output. Fails if the program fails.
pub(crate) async fn run_to_nowhere(mut command: Command) -> anyhow::Result<Used> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let begin = Instant::now();
    let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    let pid = child.id().context("it has just been started")?;
    let processes = ProcessTree::of([pid]);
    let (mut peak_kib, mut has_ended) = (0, false);
    while !has_ended {
        sleep(POLL_INTERVAL).await;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("nobody has waited for it yet")?;
        (peak_kib, has_ended) = (peak_of(&status).unwrap_or(peak_kib), is_ended(&status));
    }
    // The kernel keeps its times until it has been waited for.
    let used = Used { time: begin.elapsed(), cpu: processes.cpu(), peak_kib };
    succeed(child).await.with_context(|| format!("{command:?}"))?;
    Ok(used)
}

async fn succeed(child: Child) -> anyhow::Result<()> {
    let ended = child.wait_with_output().await?;
    if !ended.status.success() {
        bail!("it has ended with {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr).trim());
    }
    Ok(())
}

/// Runs the program and counts its lines of output.
pub(crate) async fn count_lines(mut command: Command) -> anyhow::Result<u64> {
    use tokio::io::AsyncReadExt;

    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    let mut printed = child.stdout.take().context("piped above")?;
    let (mut lines, mut part) = (0, vec![0; 256 * 1024]);
    loop {
        let size = printed.read(&mut part).await?;
        if size == 0 {
            break;
        }
        lines += part[..size].iter().filter(|&&byte| byte == b'\n').count() as u64;
    }
    succeed(child).await.with_context(|| format!("{command:?}"))?;
    Ok(lines)
}

/// A command of our server, with an empty environment.
pub(crate) fn ours(data: &Path, arguments: &[&str]) -> Command {
    let program: PathBuf = ::tests::server_process::workspace_program("search4letters");
    let mut command = Command::new(program);
    command.env_clear().arg("--data").arg(data).args(arguments);
    command
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whether it has ended but has not been waited for.
fn is_ended(status: &str) -> bool {
    status.lines().any(|line| line.starts_with("State:\tZ"))
}

#[cfg(test)]
mod tests {
    use ::tests::eventually;

    use super::*;

    #[test]
    fn parses_stat_lines_with_any_program_name() {
        let line = "7 (a) b) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5";
        assert_eq!(Process::parse(7, line), Some(Process { id: 7, parent: 3, ticks: 100 }));
        assert_eq!(Process::parse(7, "7 (a"), None);
    }

    #[test]
    fn the_time_of_an_ended_child_counts_for_its_tree() {
        let me = ProcessTree::of([std::process::id()]);
        let before = me.cpu();
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", busy]).status().expect("a shell").success());
        assert!(me.cpu() > before, "{before:?}");
        assert!(me.threads_cpu() > Duration::ZERO);
        assert!(me.resident_kib() > 0);
    }

    #[tokio::test]
    async fn descendants_end_with_their_process() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 600 & wait"]).spawn().expect("a shell");
        let processes = ProcessTree::of([shell.id()]);
        let sleeper = eventually("it has a child", async || {
            processes.members().into_iter().find(|process| process.id != shell.id()).map(|process| process.id)
        });
        let sleeper = sleeper.await;
        processes.end();
        assert!(!shell.wait().expect("it has ended").success());
        eventually("its child has ended", async || {
            let stat = fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        })
        .await;
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn reads_times_and_memory() {
        let status = "Name:\ta\nState:\tS (sleeping)\nVmPeak:\t 9 kB\nVmHWM:\t  1234 kB\n";
        assert_eq!((peak_of(status), is_ended(status)), (Some(1234), false));
        let ended = "Name:\ta\nState:\tZ (zombie)\n";
        assert_eq!((peak_of(ended), is_ended(ended)), (None, true));
    }

    #[tokio::test]
    async fn counts_lines_and_resource_use() {
        assert_eq!(count_lines(shell("echo a; echo b; printf c")).await.expect("it succeeds"), 2);
        let used = run_to_nowhere(shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i")).await;
        let used = used.expect("it succeeds");
        assert!(used.time > Duration::ZERO && used.cpu > Duration::ZERO && used.peak_kib > 0, "{used:?}");
    }

    #[tokio::test]
    async fn a_program_that_fails_says_why() {
        for failed in [
            run_to_nowhere(shell("echo no such thing >&2; exit 3")).await.map(drop),
            count_lines(shell("echo no such thing >&2; exit 3")).await.map(drop),
        ] {
            let said = failed.expect_err("it has failed").root_cause().to_string();
            assert!(said.contains("no such thing"), "{said}");
        }
    }
}
