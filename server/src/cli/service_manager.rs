//! What the service manager is told, where it asks: systemd, or whoever sets NOTIFY_SOCKET.

use std::time::Duration;

use sd_notify::NotifyState;

/// The process can do its work, which `status` describes.
pub(super) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The process was asked to stop, and `status` says what it still waits for.
pub(super) fn stopping(status: &str) {
    notify(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// What the process does meanwhile, for those who look.
pub(super) fn status(status: &str) {
    notify(&[NotifyState::Status(status)]);
}

/// Says again and again that the process works, if the service manager wants to hear it (WATCHDOG_USEC); else ends at
/// once. A database that is away is no reason to be silent: nothing would be better after a restart.
pub(super) async fn keep_watchdog_calm() {
    // As its own manual has it: so one beat may come late.
    let Some(every) = sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|every| *every > Duration::ZERO)
    else {
        return;
    };
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        // Through the same queues as all other tasks: a runtime whose threads all hang does not come round to it.
        if tokio::spawn(async {}).await.is_ok() {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

fn notify(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        tracing::warn!(%error, "the service manager cannot be told: its socket NOTIFY_SOCKET does not take it");
    }
}
