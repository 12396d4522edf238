//! How a process is asked to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CommandError;

/// SIGTERM and SIGINT.
pub(crate) struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    pub(crate) fn listen() -> Result<Self, CommandError> {
        let failed = |error: std::io::Error| CommandError(format!("signals cannot be received: {error}"));
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(Self { terminate, interrupt })
    }

    /// Returns at the first. A second one ends the process at once: whoever presses twice does
    /// not want to wait, and nothing that was answered is lost by it.
    pub(crate) async fn given(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(130);
        });
    }

    async fn next(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
    }
}
