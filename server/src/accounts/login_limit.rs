//! Limits on guessing passwords, by account and by address.
//!
//! An attacker must not be able to lock out the owner. So the limit that counts an account's
//! failures from everywhere does not hold for addresses from which its owner has logged in.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{ApiError, ErrorCode, TimeMs};
use store::Clock;

use super::password::LONGEST_NAME;

/// Failures within this time count.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// From one address, for one account: a person who mistypes.
const PER_ACCOUNT_AND_ADDRESS: usize = 5;
/// From one address, for all accounts: one who tries names.
const PER_ADDRESS: usize = 20;
/// From everywhere, for one account: one who has many addresses.
const PER_ACCOUNT: usize = 50;
/// How many counters are kept at most; an attacker with many addresses must not fill our memory.
const COUNTERS: usize = 10_000;

pub struct LoginLimit {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The times of the failures that still count, oldest first.
    failures: HashMap<Counter, Vec<TimeMs>>,
    known: HashSet<(String, Network)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counter {
    AccountAndAddress(String, Network),
    Address(Network),
    Account(String),
}

/// An IPv4 address, or the /64 of an IPv6 address: what one person usually has.
type Network = u64;

impl LoginLimit {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Whether another attempt may be made. Counts as a failure until [`LoginLimit::succeeded`]
    /// says otherwise: so attempts made at the same moment cannot slip through together.
    pub fn attempt(&self, name: &str, address: IpAddr) -> Result<(), ApiError> {
        let now = self.clock.steady();
        let (name, network) = (counted(name), network(address));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut limits = vec![
            (Counter::AccountAndAddress(name.clone(), network), PER_ACCOUNT_AND_ADDRESS),
            (Counter::Address(network), PER_ADDRESS),
        ];
        if !state.known.contains(&(name.clone(), network)) {
            limits.push((Counter::Account(name), PER_ACCOUNT));
        }
        let wait_ms = limits.iter().filter_map(|(counter, limit)| state.wait_ms(counter, *limit, now)).max();
        if let Some(wait_ms) = wait_ms {
            let minutes = wait_ms / 60_000 + 1;
            let message = format!("Too many failed attempts. Try again in {minutes} min.");
            return Err(ApiError::new(ErrorCode::TooMany, message));
        }
        state.make_room(now);
        for (counter, _) in limits {
            state.failures.entry(counter).or_default().push(now);
        }
        Ok(())
    }

    /// Forgets what counted against this account at this address.
    pub fn succeeded(&self, name: &str, address: IpAddr) {
        let (name, network) = (counted(name), network(address));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures.remove(&Counter::AccountAndAddress(name.clone(), network));
        for counter in [Counter::Address(network), Counter::Account(name.clone())] {
            if let Some(failures) = state.failures.get_mut(&counter) {
                failures.pop();
            }
        }
        if state.known.len() < COUNTERS {
            state.known.insert((name, network));
        }
    }
}

impl State {
    /// How long until the counter is below its limit; none where it is.
    fn wait_ms(&mut self, counter: &Counter, limit: usize, now: TimeMs) -> Option<i64> {
        let failures = self.failures.get_mut(counter)?;
        failures.retain(|&at| at.after(WINDOW) > now);
        let deciding = failures.len().checked_sub(limit)?;
        Some(failures[deciding].after(WINDOW).since(now))
    }

    fn make_room(&mut self, now: TimeMs) {
        if self.failures.len() < COUNTERS {
            return;
        }
        self.failures.retain(|_, failures| failures.last().is_some_and(|at| at.after(WINDOW) > now));
        if self.failures.len() >= COUNTERS {
            // So many attackers at once that counting them by address is no use any more.
            self.failures.retain(|counter, _| matches!(counter, Counter::Account(_)));
        }
    }
}

/// The name under which failures are counted. No account's name is longer; one that is would
/// only be kept to fill our memory.
fn counted(name: &str) -> String {
    name.chars().take(LONGEST_NAME).flat_map(char::to_lowercase).collect()
}

fn network(address: IpAddr) -> Network {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    struct StillClock(Mutex<TimeMs>);

    #[async_trait]
    impl Clock for StillClock {
        fn wall(&self) -> TimeMs {
            self.steady()
        }

        fn steady(&self) -> TimeMs {
            *self.0.lock().expect("not poisoned")
        }

        async fn sleep_until(&self, _: TimeMs) {
            std::future::pending().await
        }
    }

    fn limit() -> (LoginLimit, Arc<StillClock>) {
        let clock = Arc::new(StillClock(Mutex::new(TimeMs(1_000_000))));
        (LoginLimit::new(clock.clone()), clock)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn a_sixth_guess_has_to_wait() {
        let (limit, clock) = limit();
        for _ in 0..PER_ACCOUNT_AND_ADDRESS {
            limit.attempt("ada", address(1)).expect("allowed");
        }
        let refused = limit.attempt("ADA", address(1)).expect_err("refused");
        assert_eq!(refused.code, ErrorCode::TooMany);
        limit.attempt("ada", address(2)).expect("another address is not punished");
        *clock.0.lock().expect("not poisoned") = TimeMs(1_000_000).after(WINDOW);
        limit.attempt("ada", address(1)).expect("allowed again");
    }

    #[test]
    fn success_forgives() {
        let (limit, _) = limit();
        for _ in 0..3 * PER_ADDRESS {
            limit.attempt("ada", address(1)).expect("allowed");
            limit.succeeded("ada", address(1));
        }
    }

    #[test]
    fn many_addresses_stop_at_the_accounts_limit_but_do_not_lock_out_the_owner() {
        let (limit, _) = limit();
        limit.attempt("ada", address(200)).expect("allowed");
        limit.succeeded("ada", address(200));
        let allowed = (0..100).filter(|&last| limit.attempt("ada", address(last)).is_ok()).count();
        assert_eq!(allowed, PER_ACCOUNT);
        limit.attempt("ada", address(200)).expect("the owner's own address");
    }

    #[test]
    fn names_are_kept_no_longer_than_an_account_can_have_them() {
        let (limit, _) = limit();
        let endless = "Ä".repeat(60_000);
        for _ in 0..PER_ACCOUNT_AND_ADDRESS {
            limit.attempt(&endless, address(1)).expect("allowed");
        }
        assert!(limit.attempt(&endless, address(1)).is_err(), "it is counted all the same");
        limit.attempt(&"b".repeat(60_000), address(1)).expect("another name");
        let state = limit.state.lock().expect("not poisoned");
        for counter in state.failures.keys() {
            if let Counter::AccountAndAddress(name, _) | Counter::Account(name) = counter {
                assert_eq!(name.chars().count(), LONGEST_NAME);
            }
        }
    }

    #[test]
    fn one_address_cannot_try_every_name() {
        let (limit, _) = limit();
        let allowed = (0..100).filter(|n| limit.attempt(&format!("name{n}"), address(1)).is_ok()).count();
        assert_eq!(allowed, PER_ADDRESS);
    }
}
