//! How far a copy or an export is: a line that moves on a terminal, and lines from time to time where a program reads.

use std::io::{IsTerminal, Write, sink, stderr};
use std::time::Duration;

use api::TimeMs;

/// Faster than this nobody reads.
const REDRAW: Duration = Duration::from_millis(200);
/// Often enough for a log.
const REPEAT: Duration = Duration::from_secs(10);

/// Shows one step after the other.
pub struct Meter {
    out: Box<dyn Write + Send>,
    is_terminal: bool,
    step: Step,
}

struct Step {
    name: String,
    /// How many rows an earlier run has done.
    before: u64,
    done: u64,
    total: u64,
    began: TimeMs,
    shown: TimeMs,
}

impl Meter {
    #[must_use]
    pub fn on_stderr() -> Self {
        Self::on(stderr(), stderr().is_terminal())
    }

    /// For work that nobody watches.
    #[must_use]
    pub fn silent() -> Self {
        Self::on(sink(), false)
    }

    #[must_use]
    pub fn on(out: impl Write + Send + 'static, is_terminal: bool) -> Self {
        let nothing = TimeMs(0);
        let step = Step { name: String::new(), before: 0, done: 0, total: 0, began: nothing, shown: nothing };
        Self { out: Box::new(out), is_terminal, step }
    }

    /// A step of `total` rows, of which some may be done already.
    pub(super) fn begin(&mut self, name: String, before: u64, total: u64, now: TimeMs) {
        self.step = Step { name, before, done: before, total, began: now, shown: now };
    }

    pub(super) fn show(&mut self, done: u64, now: TimeMs) {
        self.step.done = done;
        let pause = if self.is_terminal { REDRAW } else { REPEAT };
        if now >= self.step.shown.after(pause) {
            self.step.shown = now;
            let line = self.step.line(now);
            if self.is_terminal {
                self.write(&format!("\r\x1b[K{line}"));
            } else {
                self.write(&format!("{line}\n"));
            }
        }
    }

    /// Leaves the last word on the step.
    pub(super) fn end(&mut self, now: TimeMs) {
        let line = self.step.line(now);
        self.write(&format!("{}{line}\n", if self.is_terminal { "\r\x1b[K" } else { "" }));
    }

    /// A reader that is gone stops nothing.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Step {
    fn line(&self, now: TimeMs) -> String {
        let done = u128::from(self.done);
        // The count of the rows may be a guess.
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
            self.0.lock().expect("nobody panics").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(is_terminal: bool) -> String {
        let out = Shared::default();
        let mut meter = Meter::on(out.clone(), is_terminal);
        meter.begin("copying log".to_owned(), 1000, 4000, TimeMs(0));
        meter.show(2000, TimeMs(100));
        meter.show(3000, TimeMs(10_000));
        meter.show(3500, TimeMs(10_100));
        meter.show(4000, TimeMs(10_200));
        meter.end(TimeMs(10_200));
        String::from_utf8(out.0.lock().expect("nobody panics").clone()).expect("text")
    }

    #[test]
    fn a_program_reads_plain_lines_from_time_to_time() {
        let lines = "copying log: 3000 rows, 75 %, 200 rows/s\ncopying log: 4000 rows, 100 %, 294 rows/s\n";
        assert_eq!(shown(false), lines);
    }

    #[test]
    fn on_a_terminal_one_line_moves() {
        let drawn = shown(true);
        assert_eq!(drawn.matches("\r\x1b[K").count(), 3, "{drawn:?}");
        assert_eq!(drawn.matches('\n').count(), 1, "{drawn:?}");
    }

    #[test]
    fn nothing_to_do_is_all_done() {
        let out = Shared::default();
        let mut meter = Meter::on(out.clone(), false);
        meter.begin("copying job".to_owned(), 0, 0, TimeMs(0));
        meter.end(TimeMs(0));
        assert_eq!(&*out.0.lock().expect("nobody panics"), b"copying job: 0 rows, 100 %, 0 rows/s\n");
    }
}
