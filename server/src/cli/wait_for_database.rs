//! Waits at startup for a database that may still be starting.

use std::time::Duration;

use api::FaultKind;
use store::Clock;

use super::until_stopped::show_status;

/// How long to wait before the start fails. The service manager should then know of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Short compared with the start of a database.
const TRY_EVERY: Duration = Duration::from_millis(500);
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Why a database could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.as_str())]
pub struct NotOpened {
    pub kind: FaultKind,
    /// What is wrong and what to do, on one line.
    pub message: String,
}

/// Opens the database, and retries while it does not answer. A refusal is final, and returned at once.
pub async fn wait_for_database<S>(
    clock: &dyn Clock,
    mut open: impl AsyncFnMut() -> Result<S, NotOpened>,
) -> Result<S, NotOpened> {
    let begun = clock.steady();
    let mut log_at = begun;
    loop {
        let failure = match open().await {
            Err(failure) if failure.kind == FaultKind::ConnectionError => failure,
            opened => return opened,
        };
        let now = clock.steady();
        if now >= begun.after(PATIENCE) {
            return Err(failure);
        }
        if now >= log_at {
            tracing::warn!("waiting for the database: {}", failure.message);
            show_status("waiting for the database");
            log_at = now.after(LOG_EVERY);
        }
        clock.sleep_until(now.after(TRY_EVERY)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use api::TimeMs;
    use async_trait::async_trait;

    use super::*;

    /// Every sleep returns immediately.
    #[derive(Default)]
    struct FastClock(AtomicI64);

    #[async_trait]
    impl Clock for FastClock {
        fn wall(&self) -> TimeMs {
            self.steady()
        }

        fn steady(&self) -> TimeMs {
            TimeMs(self.0.load(Ordering::Relaxed))
        }

        async fn sleep_until(&self, time: TimeMs) {
            self.0.store(time.0, Ordering::Relaxed);
        }
    }

    fn failure(kind: FaultKind) -> NotOpened {
        NotOpened { kind, message: "no".to_owned() }
    }

    async fn opened(answers: impl Fn(u32) -> Result<(), NotOpened>) -> (Result<(), NotOpened>, u32, Duration) {
        let (clock, mut tries) = (FastClock::default(), 0);
        let opened = wait_for_database(&clock, async || {
            tries += 1;
            answers(tries)
        });
        let opened = opened.await;
        (opened, tries, Duration::from_millis(clock.steady().0.unsigned_abs()))
    }

    #[tokio::test]
    async fn waits_for_a_database_that_is_starting() {
        let (opened, tries, _) =
            opened(|tries| if tries < 5 { Err(failure(FaultKind::ConnectionError)) } else { Ok(()) }).await;
        assert_eq!((opened, tries), (Ok(()), 5));
    }

    #[tokio::test]
    async fn gives_up_on_a_database_that_does_not_start() {
        let (opened, _, took) = opened(|_| Err(failure(FaultKind::ConnectionError))).await;
        assert_eq!((opened, took), (Err(failure(FaultKind::ConnectionError)), PATIENCE));
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        for kind in [FaultKind::CredentialsError, FaultKind::SqlError] {
            assert_eq!(opened(|_| Err(failure(kind))).await, (Err(failure(kind)), 1, Duration::ZERO));
        }
    }
}
