//! The start of a process whose database may still be on its way up.

use std::time::Duration;

use api::FaultKind;
use store::Clock;

use super::service_manager;

/// How long a database is waited for. Beyond it whoever has started us should know.
const PATIENCE: Duration = Duration::from_secs(30);
/// Short beside what a database takes to start.
const TRY_EVERY: Duration = Duration::from_millis(500);
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Why a database could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotOpened {
    pub kind: FaultKind,
    /// What is wrong and what to do, in one line.
    pub message: String,
}

/// Opens the database, again and again while nobody answers. A database that answers and refuses will not think better
/// of it, so that this is told at once.
pub async fn wait_for_database<S>(
    clock: &dyn Clock,
    mut open: impl AsyncFnMut() -> Result<S, NotOpened>,
) -> Result<S, NotOpened> {
    let begun = clock.steady();
    let mut tell_at = begun;
    loop {
        let failure = match open().await {
            Err(failure) if failure.kind == FaultKind::ConnectionError => failure,
            opened => return opened,
        };
        let now = clock.steady();
        if now >= begun.after(PATIENCE) {
            return Err(failure);
        }
        if now >= tell_at {
            tracing::warn!("waiting for the database: {}", failure.message);
            service_manager::status("waiting for the database");
            tell_at = now.after(TELL_EVERY);
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

    /// Who sleeps until a time is there at once.
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
    async fn one_that_comes_up_is_waited_for() {
        let (opened, tries, _) =
            opened(|tries| if tries < 5 { Err(failure(FaultKind::ConnectionError)) } else { Ok(()) }).await;
        assert_eq!((opened, tries), (Ok(()), 5));
    }

    #[tokio::test]
    async fn one_that_does_not_come_up_is_given_up() {
        let (opened, _, took) = opened(|_| Err(failure(FaultKind::ConnectionError))).await;
        assert_eq!((opened, took), (Err(failure(FaultKind::ConnectionError)), PATIENCE));
    }

    #[tokio::test]
    async fn one_that_refuses_is_believed_at_once() {
        for kind in [FaultKind::CredentialsError, FaultKind::SqlError] {
            assert_eq!(opened(|_| Err(failure(kind))).await, (Err(failure(kind)), 1, Duration::ZERO));
        }
    }
}
