//! Limits on guessing passwords, by account and by address.
//!
//! An attacker must not be able to lock out the owner. So addresses from which an account's owner has logged in are exempt
//! from two limits: the count of the account's failures from everywhere, and the number of keys that are counted. They are
//! known only since this process started: after a restart, an owner under attack may have to wait like everybody else.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::{ApiError, ErrorCode, TimeMs};
use store::Clock;

use super::password::LONGEST_NAME;
use crate::platform::limits::{MOST_KEYS, Network, RateCounter, network, room_again_ms};

/// Failures within this time count.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// From one address, for one account: a person who mistypes.
const PER_ACCOUNT_AND_ADDRESS: usize = 5;
/// From one address, for all accounts: somebody who tries names.
const PER_ADDRESS: usize = 20;
/// From everywhere, for one account: somebody with many addresses.
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

/// An attempt that is being made. It counts as a failure until it has succeeded or is taken back.
#[derive(Debug)]
pub struct Attempt {
    name: String,
    network: Network,
    at: TimeMs,
    /// Not by account if the owner has logged in from there.
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

    /// Begins an attempt, unless there were too many failures. It counts as one from now on, so that attempts at the same
    /// moment cannot all pass.
    pub fn attempt(&self, name: &str, address: IpAddr) -> Result<Attempt, ApiError> {
        let now = self.clock.steady();
        let (name, network) = (counted(name), network(address));
        let mut state = self.state();
        let is_known = state.known.contains(&(name.clone(), network));
        let attempt = Attempt { name, network, at: now, is_counted_by_account: !is_known };
        if let Some(wait_ms) = state.wait_ms(&attempt) {
            let minutes = wait_ms / 60_000 + 1;
            let message = format!("Too many failed attempts. Try again in {minutes} min.");
            return Err(ApiError::new(ErrorCode::TooMany, message));
        }
        state.by_account_and_address.add(attempt.pair(), now);
        state.by_address.add(network, now);
        if attempt.is_counted_by_account {
            state.by_account.add(attempt.name.clone(), now);
        }
        Ok(attempt)
    }

    /// The password was right: forgets what counted against this account at this address.
    pub fn succeeded(&self, attempt: Attempt) {
        let mut state = self.state();
        state.take_back(&attempt);
        state.by_account_and_address.forget(&attempt.pair());
        if state.known.len() < MOST_KEYS {
            state.known.insert((attempt.name, attempt.network));
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
    fn pair(&self) -> (String, Network) {
        (self.name.clone(), self.network)
    }
}

impl State {
    /// How long until the attempt may be made; none where it may be made now.
    fn wait_ms(&mut self, attempt: &Attempt) -> Option<i64> {
        let (pair, now) = (attempt.pair(), attempt.at);
        let own = self.by_account_and_address.wait_ms(&pair, now).max(self.by_address.wait_ms(&attempt.network, now));
        if !attempt.is_counted_by_account {
            // Counted even where there is no room: these are no more than the known pairs.
            return own;
        }
        // Forgetting failures to make room would let an attacker with many addresses, or many names, switch the limits off.
        let has_room = self.by_account_and_address.has_room_for(&pair, now)
            && self.by_address.has_room_for(&attempt.network, now)
            && self.by_account.has_room_for(&attempt.name, now);
        let full = (!has_room).then(room_again_ms);
        own.max(self.by_account.wait_ms(&attempt.name, now)).max(full)
    }

    fn take_back(&mut self, attempt: &Attempt) {
        self.by_account_and_address.take_back(&attempt.pair(), attempt.at);
        self.by_address.take_back(&attempt.network, attempt.at);
        if attempt.is_counted_by_account {
            self.by_account.take_back(&attempt.name, attempt.at);
        }
    }
}

/// The name under which failures are counted, cut to the longest that an account can have: more would only fill our memory.
fn counted(name: &str) -> String {
    name.chars().take(LONGEST_NAME).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
