//! How many runs one address may start.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{ApiError, ErrorCode};
use store::Clock;

use crate::platform::limits::{Network, RateCounter, network, room_again_ms};

/// From one address: a person who tries things out, and compares all styles now and then; or a class behind one.
const PER_ADDRESS: usize = 60;
const WINDOW: Duration = Duration::from_secs(5 * 60);

pub struct StartLimit {
    clock: Arc<dyn Clock>,
    starts: Mutex<RateCounter<Network>>,
}

impl StartLimit {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, starts: Mutex::new(RateCounter::new(PER_ADDRESS, WINDOW)) }
    }

    /// Counts a start, unless there were too many lately.
    pub fn count(&self, address: IpAddr) -> Result<(), ApiError> {
        let (now, network) = (self.clock.steady(), network(address));
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let full = (!starts.has_room_for(&network, now)).then(room_again_ms);
        if let Some(wait_ms) = starts.wait_ms(&network, now).max(full) {
            let seconds = wait_ms / 1_000 + 1;
            let message = format!("You have started {PER_ADDRESS} runs within 5 min. Try again in {seconds} s.");
            return Err(ApiError::new(ErrorCode::TooMany, message));
        }
        starts.add(network, now);
        Ok(())
    }
}
