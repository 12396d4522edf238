//! The progress of a copy or an export: one redrawn line on a terminal, otherwise a new line every few seconds.
//!
//! Not `indicatif`: it prints nothing unless standard error is a terminal, but a service's log should show progress
//! too.

use std::io::{Write, sink};
use std::path::Path;
use std::time::Duration;

use api::TimeMs;

use crate::platform::output::{Stdout, is_stderr_terminal, stderr};

/// Faster than anyone reads.
const REDRAW: Duration = Duration::from_millis(200);
/// Often enough for a log.
const REPEAT: Duration = Duration::from_secs(10);
const CLEAR_LINE: &str = "\r\x1b[K";

/// Shows one step after another.
pub struct ProgressBar {
    out: Box<dyn Write + Send>,
    device: Device,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Device {
    Terminal,
    Log,
}

struct Step {
    name: String,
    /// Rows that an earlier run has done.
    before: u64,
    done: u64,
    total: u64,
    began: TimeMs,
    shown: TimeMs,
}

impl ProgressBar {
    pub fn on_stderr() -> Self {
        Self::on(stderr(), if is_stderr_terminal() { Device::Terminal } else { Device::Log })
    }

    /// Shows nothing if nobody watches, or if the rows go to the same terminal.
    pub fn for_export(output: Option<&Path>) -> Self {
        let is_watched = is_stderr_terminal() && (output.is_some() || !Stdout::is_terminal());
        if is_watched { Self::on_stderr() } else { Self::silent() }
    }

    /// Shows nothing.
    pub fn silent() -> Self {
        Self::on(sink(), Device::Log)
    }

    fn on(out: impl Write + Send + 'static, device: Device) -> Self {
        let zero = TimeMs(0);
        let step = Step { name: String::new(), before: 0, done: 0, total: 0, began: zero, shown: zero };
        Self { out: Box::new(out), device, step }
    }

    /// Begins a step of `total` rows, `before` of which are done already.
    pub(super) fn begin(&mut self, name: String, before: u64, total: u64, now: TimeMs) {
        self.step = Step { name, before, done: before, total, began: now, shown: now };
    }

    pub(super) fn show(&mut self, done: u64, now: TimeMs) {
        self.step.done = done;
        let pause = match self.device {
            Device::Terminal => REDRAW,
            Device::Log => REPEAT,
        };
        if now >= self.step.shown.after(pause) {
            self.step.shown = now;
            let line = self.step.line(now);
            match self.device {
                Device::Terminal => self.write(&format!("{CLEAR_LINE}{line}")),
                Device::Log => self.write(&format!("{line}\n")),
            }
        }
    }

    /// Ends the step and prints its final line.
    pub(super) fn end(&mut self, now: TimeMs) {
        let line = self.step.line(now);
        match self.device {
            Device::Terminal => self.write(&format!("{CLEAR_LINE}{line}\n")),
            Device::Log => self.write(&format!("{line}\n")),
        }
    }

    /// Closed output is no error.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Step {
    fn line(&self, now: TimeMs) -> String {
        let done = u128::from(self.done);
        // The total may be an estimate.
        let percent = (done * 100).checked_div(u128::from(self.total)).unwrap_or(100).min(100);
        let elapsed_ms = now.since(self.began).max(1).unsigned_abs();
        let per_second = u128::from(self.done.saturating_sub(self.before)) * 1000 / u128::from(elapsed_ms);
        format!("{}: {done} rows, {percent} %, {per_second} rows/s", self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("it is not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(device: Device) -> String {
        let out = Shared::default();
        let mut bar = ProgressBar::on(out.clone(), device);
        bar.begin("copying log".to_owned(), 1000, 4000, TimeMs(0));
        bar.show(2000, TimeMs(100));
        bar.show(3000, TimeMs(10_000));
        bar.show(3500, TimeMs(10_100));
        bar.show(4000, TimeMs(10_200));
        bar.end(TimeMs(10_200));
        String::from_utf8(out.0.lock().expect("it is not poisoned").clone()).expect("text")
    }

    #[test]
    fn a_log_gets_plain_lines() {
        let lines = "copying log: 3000 rows, 75 %, 200 rows/s\ncopying log: 4000 rows, 100 %, 294 rows/s\n";
        assert_eq!(shown(Device::Log), lines);
    }

    #[test]
    fn on_a_terminal_one_line_is_redrawn() {
        let drawn = shown(Device::Terminal);
        assert_eq!(drawn.matches("\r\x1b[K").count(), 3, "{drawn:?}");
        assert_eq!(drawn.matches('\n').count(), 1, "{drawn:?}");
    }

    #[test]
    fn an_empty_step_is_complete() {
        let out = Shared::default();
        let mut bar = ProgressBar::on(out.clone(), Device::Log);
        bar.begin("copying job".to_owned(), 0, 0, TimeMs(0));
        bar.end(TimeMs(0));
        assert_eq!(&*out.0.lock().expect("it is not poisoned"), b"copying job: 0 rows, 100 %, 0 rows/s\n");
    }
}
