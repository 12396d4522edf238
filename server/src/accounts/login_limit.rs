//! Limits on guessing passwords, by account and by address.
//!
//! An attacker must not be able to lock out the owner. Addresses from which an account's owner has logged in are
//! therefore exempt from two limits: the account's failures from all addresses, and the number of keys that are
//! counted. They are kept in memory only: after a restart, an owner under attack may have to wait like everyone else.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::{ApiError, ErrorCode, TimeMs};
use store::Clock;

use super::name;
use crate::platform::limits::{MOST_KEYS, Network, RateCounter, network, room_again_ms};

/// Only failures within this time count.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Failures allowed per account and address: a person may mistype.
const PER_ACCOUNT_AND_ADDRESS: usize = 5;
/// Failures allowed per address, over all accounts: limits guessing names.
const PER_ADDRESS: usize = 20;
/// Failures allowed per account, over all addresses: limits attackers with many addresses.
const PER_ACCOUNT: usize = 50;

pub struct LoginLimit {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    by_account_and_address: RateCounter<(String, Network)>,
    by_address: RateCounter<Network>,
    by_account: RateCounter<String>,
    known: HashSet<(String, Network)>,
}

/// A login attempt in progress. It counts as a failure until it succeeds or is taken back.
#[derive(Debug)]
pub struct Attempt {
    name: String,
    /// `None` if the address is not known. Such attempts are counted by account alone: their senders have nothing else in
    /// common.
    network: Option<Network>,
    at: TimeMs,
    /// False if the owner has logged in from this address before.
    is_counted_by_account: bool,
}

impl LoginLimit {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State {
            by_account_and_address: RateCounter::new(PER_ACCOUNT_AND_ADDRESS, WINDOW),
            by_address: RateCounter::new(PER_ADDRESS, WINDOW),
            by_account: RateCounter::new(PER_ACCOUNT, WINDOW),
            known: HashSet::new(),
        };
        Self { clock, state: Mutex::new(state) }
    }

    /// Begins an attempt, unless there were too many failures. It counts as a failure from now on, so that concurrent
    /// attempts cannot all pass.
    pub fn attempt(&self, name: &str, address: impl Into<Option<IpAddr>>) -> Result<Attempt, ApiError> {
        let now = self.clock.steady();
        let mut state = self.state();
        let network = address.into().map(network);
        let mut attempt = Attempt { name: name::key(name), network, at: now, is_counted_by_account: true };
        attempt.is_counted_by_account = attempt.pair().is_none_or(|pair| !state.known.contains(&pair));
        if let Some(wait_ms) = state.wait_ms(&attempt) {
            let minutes = wait_ms / 60_000 + 1;
            let message = format!("Too many failed attempts. Try again in {minutes} min.");
            return Err(ApiError::new(ErrorCode::TooMany, message).retry_after_ms(wait_ms));
        }
        if let Some((pair, network)) = attempt.pair().zip(network) {
            state.by_account_and_address.add(pair, now);
            state.by_address.add(network, now);
        }
        if attempt.is_counted_by_account {
            state.by_account.add(attempt.name.clone(), now);
        }
        Ok(attempt)
    }

    /// The password was right: clears the failures of this account at this address.
    pub fn succeeded(&self, attempt: Attempt) {
        let mut state = self.state();
        state.take_back(&attempt);
        let Some(pair) = attempt.pair() else { return };
        state.by_account_and_address.forget(&pair);
        if state.known.len() < MOST_KEYS {
            state.known.insert(pair);
        }
    }

    /// The password could not be checked: the attempt does not count.
    pub fn take_back(&self, attempt: &Attempt) {
        self.state().take_back(attempt);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    fn pair(&self) -> Option<(String, Network)> {
        self.network.map(|network| (self.name.clone(), network))
    }
}

impl State {
    /// How long until the attempt is allowed. `None` if it is allowed now.
    fn wait_ms(&mut self, attempt: &Attempt) -> Option<i64> {
        let (address, now) = (attempt.pair().zip(attempt.network), attempt.at);
        let own = address.as_ref().and_then(|(pair, network)| {
            self.by_account_and_address.wait_ms(pair, now).max(self.by_address.wait_ms(network, now))
        });
        if !attempt.is_counted_by_account {
            // Counted even without room: there are no more of these than known pairs.
            return own;
        }
        // Forgetting failures to make room would let an attacker with many addresses or names disable the limits.
        let has_room = address.is_none_or(|(pair, network)| {
            self.by_account_and_address.has_room_for(&pair, now) && self.by_address.has_room_for(&network, now)
        }) && self.by_account.has_room_for(&attempt.name, now);
        let full = (!has_room).then(room_again_ms);
        own.max(self.by_account.wait_ms(&attempt.name, now)).max(full)
    }

    fn take_back(&mut self, attempt: &Attempt) {
        if let Some((pair, network)) = attempt.pair().zip(attempt.network) {
            self.by_account_and_address.take_back(&pair, attempt.at);
            self.by_address.take_back(&network, attempt.at);
        }
        if attempt.is_counted_by_account {
            self.by_account.take_back(&attempt.name, attempt.at);
        }
    }
}

#[cfg(test)]
mod tests;
