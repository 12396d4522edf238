//! Lines on their way to a stream whose reader may be slow, gone, or out of room.
//!
//! A thread writes them, so nothing else waits. Lines that do not fit into the queue or cannot be written are counted
//! and dropped, and the count is written once the stream works again. Not `tracing-appender`: it counts no line whose
//! write has failed.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The bytes that may wait: minutes of an ordinary log.
const CAPACITY_BYTES: usize = 1024 * 1024;
/// How often a stream that fails is tried again to write the count of lost lines.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Cloning yields another handle to the same queue.
#[derive(Clone)]
pub struct LineQueue(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Whether the thread has taken something that is not written yet.
    is_writing: bool,
    /// Whether the last write failed.
    is_failing: bool,
    lost: u64,
    /// Lost lines of which the stream does not say yet that they are missing.
    unsaid: u64,
}

/// What became of lines since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LostLines {
    pub total: u64,
    /// Whether lines are being lost now: the stream has not yet said how many.
    pub is_losing: bool,
}

impl LineQueue {
    /// Starts the thread that writes to `out`.
    pub fn start(out: impl Write + Send + 'static) -> Self {
        Self::start_with(out, RETRY_AFTER)
    }

    fn start_with(out: impl Write + Send + 'static, retry_after: Duration) -> Self {
        let queue = Self(Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() }));
        let shared = queue.0.clone();
        // Without a thread all lines are lost, and counted.
        let _ =
            std::thread::Builder::new().name("log-writer".to_owned()).spawn(move || shared.write_to(out, retry_after));
        queue
    }

    /// Adds `text`, which should end with a line break. Never blocks.
    pub fn push(&self, text: &[u8]) {
        let mut state = self.0.lock();
        if state.bytes + text.len() > CAPACITY_BYTES {
            state.lose(1);
        } else {
            state.bytes += text.len();
            state.lines.push_back(text.to_vec());
        }
        drop(state);
        self.0.changed.notify_all();
    }

    pub fn lost(&self) -> LostLines {
        let state = self.0.lock();
        LostLines { total: state.lost, is_losing: state.unsaid > 0 }
    }

    /// Waits until everything is written, for at most `limit`.
    pub fn drain(&self, limit: Duration) {
        let is_busy = |state: &mut State| !state.lines.is_empty() || state.is_writing;
        drop(self.0.changed.wait_timeout_while(self.0.lock(), limit, is_busy));
    }
}

/// Each write is one line.
impl Write for LineQueue {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.push(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut out: impl Write, retry_after: Duration) {
        loop {
            let (line, lost) = self.take(retry_after);
            let notice = if lost > 0 { notice(lost) } else { String::new() };
            let said = out.write_all(notice.as_bytes());
            let lost = if said.is_ok() { lost } else { 0 };
            let written = said.and_then(|()| out.write_all(&line)).and_then(|()| out.flush());
            let mut state = self.lock();
            state.is_writing = false;
            state.is_failing = written.is_err();
            state.unsaid -= lost;
            if state.is_failing && !line.is_empty() {
                state.lose(1);
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Waits for the next line, and returns it with the number of lost lines to report before it. The line is empty if
    /// only that number is to be written.
    fn take(&self, retry_after: Duration) -> (Vec<u8>, u64) {
        let mut state = self.lock();
        loop {
            let is_retry = state.is_failing && state.unsaid > 0;
            if !state.lines.is_empty() || (state.unsaid > 0 && !is_retry) {
                break;
            }
            let limit = if is_retry { retry_after } else { Duration::MAX };
            let waited = self.changed.wait_timeout(state, limit);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() {
                break;
            }
        }
        let line = state.lines.pop_front().unwrap_or_default();
        state.bytes -= line.len();
        state.is_writing = true;
        (line, state.unsaid)
    }
}

impl State {
    fn lose(&mut self, lines: u64) {
        self.lost += lines;
        self.unsaid += lines;
    }
}

/// Begins a line of its own: the last write may have ended within one.
fn notice(lost: u64) -> String {
    format!("\n({lost} log lines are missing here: they could not be written)\n")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;

    /// A stream whose writes wait for, and end as, what the test sends.
    struct Stream {
        outcomes: Receiver<io::Result<()>>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Stream {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            // The test ends before its stream.
            self.outcomes.recv().unwrap_or(Ok(()))?;
            let _ = self.written.send(text.to_vec());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn stream() -> (LineQueue, Sender<io::Result<()>>, Receiver<Vec<u8>>) {
        let (outcome, outcomes) = channel();
        let (written, lines) = channel();
        (LineQueue::start_with(Stream { outcomes, written }, Duration::MAX), outcome, lines)
    }

    fn next(lines: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(lines.recv_timeout(Duration::from_secs(60)).expect("written")).expect("text")
    }

    #[test]
    fn lines_are_written_in_their_order() {
        let (queue, outcome, lines) = stream();
        for line in ["a\n", "b\n"] {
            queue.push(line.as_bytes());
            outcome.send(Ok(())).expect("the thread runs");
        }
        queue.drain(Duration::from_secs(60));
        assert_eq!(lines.try_iter().collect::<Vec<_>>(), [b"a\n", b"b\n"]);
        assert_eq!(queue.lost(), LostLines::default());
    }

    #[test]
    fn a_stream_that_takes_nothing_delays_nobody_and_says_later_what_is_missing() {
        let (queue, outcome, lines) = stream();
        let line = [b'x'; 1 << 10];
        let pushed = 4 * CAPACITY_BYTES / line.len();
        queue.push(&line);
        while !queue.0.lock().is_writing {
            thread::yield_now();
        }
        for _ in 1..pushed {
            queue.push(&line);
        }
        queue.drain(Duration::ZERO);
        let LostLines { total, is_losing } = queue.lost();
        assert!(is_losing && total > 0);
        let kept = pushed - usize::try_from(total).expect("a few thousand");
        assert!(kept * line.len() <= CAPACITY_BYTES + line.len(), "one line is being written");
        for _ in 0..=kept {
            outcome.send(Ok(())).expect("the thread runs");
        }
        let notices: Vec<_> = (0..=kept).map(|_| next(&lines)).filter(|line| !line.starts_with('x')).collect();
        assert_eq!(notices, [notice(total)]);
        queue.drain(Duration::from_secs(60));
        assert_eq!(queue.lost(), LostLines { total, is_losing: false });
    }

    #[test]
    fn a_line_that_cannot_be_written_is_counted() {
        let (queue, outcome, lines) = stream();
        for _ in 0..2 {
            queue.push(b"lost\n");
            outcome.send(Err(io::ErrorKind::StorageFull.into())).expect("the thread runs");
            queue.drain(Duration::from_secs(60));
        }
        assert_eq!(queue.lost(), LostLines { total: 2, is_losing: true });
        queue.push(b"there\n");
        for _ in 0..2 {
            outcome.send(Ok(())).expect("the thread runs");
        }
        assert_eq!([next(&lines), next(&lines)], [notice(2), "there\n".to_owned()]);
        queue.drain(Duration::from_secs(60));
        assert_eq!(queue.lost(), LostLines { total: 2, is_losing: false });
    }
}
