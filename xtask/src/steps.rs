//! Reports the running step, its progress, and its duration.

use std::io::{self, IsTerminal, Read, Write, stderr, stdout};
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use xshell::Cmd;

pub(crate) struct Steps {
    total: u32,
    begun: AtomicU32,
    started: Instant,
    /// One line for each running build. Draws nothing if standard error is not a terminal.
    bars: MultiProgress,
}

/// The duration of a shorter step is not worth printing.
const WORTH_A_TIME: Duration = Duration::from_secs(1);

impl Steps {
    pub(crate) fn new(total: u32) -> Self {
        Self { total, begun: AtomicU32::new(0), started: Instant::now(), bars: MultiProgress::new() }
    }

    /// Runs one step, which may print.
    pub(crate) fn step<T>(&self, what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let number = self.begin();
        self.print(&format!("{number} {what}"));
        let started = Instant::now();
        let outcome = work()?;
        if started.elapsed() >= WORTH_A_TIME {
            self.print(&format!("{number} took {}", seconds(started.elapsed())));
        }
        Ok(outcome)
    }

    /// Runs a command as one step.
    pub(crate) fn run(&self, what: &str, command: Cmd<'_>) -> anyhow::Result<()> {
        self.step(what, || Ok(command.quiet().run()?))
    }

    /// Runs commands that compile, one after the other. A line counts the compiled packages. Only a failed command's
    /// output is shown.
    pub(crate) fn build<'a>(&self, what: &str, commands: impl IntoIterator<Item = Cmd<'a>>) -> anyhow::Result<()> {
        let number = self.begin();
        let bar = self.bars.add(ProgressBar::new_spinner().with_message(format!("{number} {what}")));
        let style = ProgressStyle::with_template("{msg}: {pos} crates compiled, {elapsed}");
        bar.set_style(style.expect("a template with the fields that indicatif knows"));
        bar.enable_steady_tick(WORTH_A_TIME);
        let is_terminal = stderr().is_terminal();
        if !is_terminal {
            self.print(&format!("{number} {what}"));
        }
        let started = Instant::now();
        for command in commands {
            let name = command.to_string();
            let mut errors = Vec::new();
            let is_success = watch(command.into(), Output::Hidden, |line| {
                bar.inc(u64::from(is_compiling(line)));
                errors.extend((!is_progress(line)).then(|| line.to_owned()));
            });
            if !is_success.with_context(|| format!("{name} cannot be started"))? {
                bar.finish_and_clear();
                self.print(&errors.join("\n"));
                bail!("{name} failed");
            }
        }
        bar.finish_and_clear();
        let took = format!("{}, {} crates", seconds(started.elapsed()), bar.position());
        self.print(&if is_terminal { format!("{number} {what}: {took}") } else { format!("{number} took {took}") });
        Ok(())
    }

    /// Prints why a step is not needed.
    pub(crate) fn skip(&self, why: &str) {
        let number = self.begin();
        self.print(&format!("{number} {why}"));
    }

    /// Prints the total duration.
    pub(crate) fn finish(&self, what: &str) {
        let seconds = self.started.elapsed().as_secs();
        self.print(&format!("{what} in {} min {} s", seconds / 60, seconds % 60));
    }

    fn begin(&self) -> String {
        format!("[{}/{}]", self.begun.fetch_add(1, Ordering::Relaxed) + 1, self.total)
    }

    /// Prints above the lines of the running builds.
    fn print(&self, line: &str) {
        self.bars.suspend(|| eprintln!("{line}"));
    }
}

/// The result of a thread that ran a step.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Whether a command's output is shown while it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Shown,
    Hidden,
}

/// Runs the command and returns whether it succeeded. `see` gets each line that it prints.
pub(crate) fn watch(mut command: Command, output: Output, mut see: impl FnMut(&str)) -> io::Result<bool> {
    let (mut reader, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // The pipe ends when all its writers are closed, and the command holds two.
    drop(command);
    let (mut chunk, mut line) = ([0; 4096], Vec::new());
    loop {
        let read = reader.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        if output == Output::Shown {
            // Not line by line: tests print one dot each and no line break for minutes.
            stdout().write_all(&chunk[..read])?;
            stdout().flush()?;
        }
        for &byte in &chunk[..read] {
            if byte == b'\n' {
                see(&String::from_utf8_lossy(&line));
                line.clear();
            } else {
                line.push(byte);
            }
        }
    }
    see(&String::from_utf8_lossy(&line));
    Ok(child.wait()?.success())
}

fn is_compiling(line: &str) -> bool {
    line.trim_start().starts_with("Compiling ")
}

/// Whether cargo prints this line in a successful build.
fn is_progress(line: &str) -> bool {
    let words = ["Adding", "Blocking", "Compiling", "Downloaded", "Downloading", "Locking", "Updating"];
    words.iter().any(|word| line.trim_start().strip_prefix(word).is_some_and(|rest| rest.starts_with(' ')))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watch_sees_both_streams_line_by_line() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo '   Compiling a v1'; echo 'error: b' >&2; printf c; exit 3"]);
        let mut lines = Vec::new();
        let is_success = watch(command, Output::Hidden, |line| lines.push(line.to_owned())).expect("sh");
        assert!(!is_success);
        assert_eq!(lines, ["   Compiling a v1", "error: b", "c"]);
        assert!(is_compiling(&lines[0]) && is_progress(&lines[0]) && !is_progress(&lines[1]));
    }
}
