//! The signals that ask the process to stop: SIGTERM, SIGINT and SIGHUP.
//!
//! They are received from the first moment on. The kernel drops a signal that the first process of a container does not
//! receive, and that process may wait long for its database.

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a command that does not drain may clean up after the first signal. Its thread may be blocked, for instance
/// by a pipe that nobody reads.
const CLEAN_UP_WITHIN: Duration = Duration::from_millis(500);
/// Added to a signal's number for the exit code, as shells do.
const SIGNAL_CODES: u8 = 128;

/// The process's stop signal. The first one stops, a second one ends the process at once. No answered search is lost by
/// either.
#[derive(Clone, Debug)]
pub struct StopSignal {
    stop: CancellationToken,
    is_draining: Arc<AtomicBool>,
    exit_code: Arc<AtomicU8>,
}

/// A signal has stopped the process's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    code: u8,
}

impl Stopped {
    /// 128 and the number of the signal.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl StopSignal {
    /// Receives the signals from now on.
    pub fn receive() -> anyhow::Result<Self> {
        let mut signals = Signals::receive()?;
        let stop = Self { stop: CancellationToken::new(), is_draining: Arc::default(), exit_code: Arc::default() };
        let received = stop.clone();
        tokio::spawn(async move {
            let code = signals.next().await;
            received.exit_code.store(code, Ordering::Release);
            received.stop.cancel();
            let is_late = tokio::time::timeout(CLEAN_UP_WITHIN, signals.next()).await.is_err();
            if is_late && received.is_draining.load(Ordering::Acquire) {
                signals.next().await;
            }
            std::process::exit(code.into());
        });
        Ok(stop)
    }

    /// Does `work`. Drops it when a signal arrives, unless it drains by then.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            done = &mut work => return Ok(done),
        }
        if self.is_draining.load(Ordering::Acquire) {
            return Ok(work.await);
        }
        Err(Stopped { code: self.exit_code.load(Ordering::Acquire) })
    }

    /// From now on the process ends by itself after the first signal, in its own time.
    pub fn drain(&self) -> CancellationToken {
        self.is_draining.store(true, Ordering::Release);
        self.stop.clone()
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// `None` if the process was started with nohup.
    hangup: Option<Signal>,
}

impl Signals {
    fn receive() -> anyhow::Result<Self> {
        let receive = |kind| signal(kind).context("signals cannot be received");
        let hangup = (!is_hangup_ignored()).then(|| receive(SignalKind::hangup())).transpose()?;
        let (terminate, interrupt) = (receive(SignalKind::terminate())?, receive(SignalKind::interrupt())?);
        // It would kill the process. Received once, it never does: a write beyond the limit on the size of files fails
        // like one on a full disk.
        drop(receive(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        Ok(Self { terminate, interrupt, hangup })
    }

    /// Returns the exit code for the signal.
    async fn next(&mut self) -> u8 {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = hangup => SignalKind::hangup(),
        };
        SIGNAL_CODES.saturating_add(u8::try_from(kind.as_raw_value()).unwrap_or_default())
    }
}

/// Whether the starter wants this process to outlive its terminal: `nohup` ignores SIGHUP.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, SignalKind::hangup())
}

/// Reads the mask of ignored signals, a hexadecimal number with one bit for each signal.
fn ignores(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & 1 << (kind.as_raw_value() - 1) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_which_signals_are_ignored() {
        for (status, is_ignored) in [
            ("Name:\tx\nSigIgn:\t0000000000000001\n", true),
            ("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001006\n", false),
            ("", false),
        ] {
            assert_eq!(ignores(status, SignalKind::hangup()), is_ignored, "{status}");
        }
    }
}
