//! A program that runs to its end, and what it used.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::processes::Family;

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What one run has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub time: Duration,
    pub cpu: Duration,
    /// The most memory that it held at any time, in KiB.
    pub peak_kib: u64,
}

/// Runs it and throws away what it prints. Fails if the program does.
pub(crate) async fn run_to_nowhere(mut command: Command) -> anyhow::Result<Used> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let begin = Instant::now();
    let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    let pid = child.id().context("it has just been started")?;
    let family = Family::of([pid]);
    let (mut peak_kib, mut has_ended) = (0, false);
    while !has_ended {
        sleep(LOOK_EVERY).await;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("nobody has waited for it yet")?;
        (peak_kib, has_ended) = (peak_of(&status).unwrap_or(peak_kib), is_ended(&status));
    }
    // The kernel keeps its times until somebody has waited for it.
    let used = Used { time: begin.elapsed(), cpu: family.cpu(), peak_kib };
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

/// The lines that it prints.
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

/// Ours, with its usual environment: none.
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

/// Whether it has ended and nobody has waited for it yet.
fn is_ended(status: &str) -> bool {
    status.lines().any(|line| line.starts_with("State:\tZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn reads_what_the_kernel_says() {
        let status = "Name:\ta\nState:\tS (sleeping)\nVmPeak:\t 9 kB\nVmHWM:\t  1234 kB\n";
        assert_eq!((peak_of(status), is_ended(status)), (Some(1234), false));
        let ended = "Name:\ta\nState:\tZ (zombie)\n";
        assert_eq!((peak_of(ended), is_ended(ended)), (None, true));
    }

    #[tokio::test]
    async fn counts_lines_and_what_a_program_used() {
        assert_eq!(count_lines(shell("echo a; echo b; printf c")).await.expect("it ends well"), 2);
        let used = run_to_nowhere(shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i")).await;
        let used = used.expect("it ends well");
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
