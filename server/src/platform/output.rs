//! Standard output and standard error. No other file may print: `println!` panics if its reader has gone.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
use rustix::io::Errno;

use super::line_queue::LostLines;

pub use super::line_queue::LineQueue;

/// How long the end of the process waits for a reader of standard error that is slow.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// The exit code that a shell shows after SIGPIPE, which ends other programs in this case.
const READER_GONE: u8 = 128 + 13;

/// Why a command could not print its result.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("the reader of standard output has gone")]
    ReaderGone,
    #[error("standard output cannot be written: {0}; see that its disk has room")]
    Failed(io::Error),
    #[error("standard output is closed: redirect it to a file or a pipe")]
    Closed,
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Failed(error),
        }
    }
}

/// Writes to standard output, at once. Waits for its reader.
pub fn print(text: &str) -> Result<(), PrintError> {
    Ok(Stdout.write_all(text.as_bytes())?)
}

/// Writes a line to standard error. Never waits and never fails: see [`lost_lines`].
pub fn say(line: &str) {
    stderr().push(format!("{line}\n").as_bytes());
}

/// Standard output, unbuffered.
#[derive(Clone, Copy, Debug)]
pub struct Stdout;

impl Stdout {
    pub fn is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Fails if standard output is closed. For results that would be lost.
    ///
    /// The standard library opens /dev/null in the place of a closed stream, for reading and writing. A shell opens it
    /// for writing only.
    pub fn check_is_open() -> Result<(), PrintError> {
        let (Ok(flags), Ok(out), Ok(null)) = (fcntl_getfl(io::stdout()), fstat(io::stdout()), stat("/dev/null")) else {
            return Err(PrintError::Closed);
        };
        let is_null = (out.st_dev, out.st_ino) == (null.st_dev, null.st_ino);
        if is_null && flags & OFlags::RWMODE == OFlags::RDWR { Err(PrintError::Closed) } else { Ok(()) }
    }
}

impl Write for Stdout {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        write_patiently(io::stdout(), text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard error: each write is one line for its queue.
pub fn stderr() -> LineQueue {
    static QUEUE: OnceLock<LineQueue> = OnceLock::new();
    QUEUE.get_or_init(|| LineQueue::start(RawStderr)).clone()
}

pub fn is_stderr_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether colours may be written to standard error; see <https://no-color.org>.
pub fn has_colours() -> bool {
    is_stderr_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

pub fn lost_lines() -> LostLines {
    stderr().lost()
}

/// The exit code of a command that has failed, which this also explains on standard error.
pub fn fail(error: &anyhow::Error) -> ExitCode {
    if matches!(error.downcast_ref(), Some(PrintError::ReaderGone)) {
        return ExitCode::from(READER_GONE);
    }
    say(&format!("error: {error:#}"));
    ExitCode::FAILURE
}

/// Writes what waits for standard error when it is dropped, also by a panic.
pub struct DrainAtEnd;

impl Drop for DrainAtEnd {
    fn drop(&mut self) {
        stderr().drain(DRAIN_LIMIT);
    }
}

struct RawStderr;

impl Write for RawStderr {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        write_patiently(io::stderr(), text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits where another process has made the stream non-blocking.
fn write_patiently(stream: impl AsFd, text: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(&stream, text) {
            Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(&stream, PollFlags::OUT)], None)),
            Err(Errno::INTR) => {}
            written => return Ok(written?),
        }
    }
}
