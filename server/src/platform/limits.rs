//! Limits on concurrency, and on event rates per key.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use api::TimeMs;
use prometheus_client::metrics::gauge::Gauge;

/// Increments a gauge until it is dropped.
pub struct Counted(Gauge);

impl Counted {
    pub fn on(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }

    /// The same, if the gauge is below `limit`.
    pub fn below(limit: u32, gauge: &Gauge) -> Option<Self> {
        let before = gauge.inc();
        let counted = Self(gauge.clone());
        (before < i64::from(limit)).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The rate-limit key of an address: IPv4, or the /64 of IPv6, which is what one person usually has.
pub type Network = u64;

/// 64:ff9b::/96, behind which NAT64 shows all of IPv4 (RFC 6052).
const NAT64: u128 = 0x0064_ff9b << 96;

pub fn network(address: IpAddr) -> Network {
    match address.to_canonical() {
        IpAddr::V6(v6) if v6.to_bits() >> 32 == NAT64 >> 32 => u64::try_from(v6.to_bits() ^ NAT64).unwrap_or(u64::MAX),
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or(u64::MAX),
    }
}

/// The most keys that are counted: an attacker with many addresses must not fill our memory.
pub const MOST_KEYS: usize = 10_000;
/// Minimum interval between removals of expired keys. Otherwise every attempt would search a full map.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// How long to wait if the map is full, in milliseconds.
pub fn room_again_ms() -> i64 {
    i64::try_from(PRUNE_EVERY.as_millis()).unwrap_or(i64::MAX)
}

#[derive(Debug)]
pub struct RateCounter<K> {
    /// How many events within the window reach the limit.
    limit: usize,
    /// Older events do not count.
    window: Duration,
    /// The times of each key's events, oldest first.
    times: HashMap<K, Vec<TimeMs>>,
    pruned_at: Option<TimeMs>,
}

impl<K: Eq + Hash> RateCounter<K> {
    pub fn new(limit: usize, window: Duration) -> Self {
        Self { limit, window, times: HashMap::new(), pruned_at: None }
    }

    /// How long until the key is below its limit. `None` if it is now.
    pub fn wait_ms(&mut self, key: &K, now: TimeMs) -> Option<i64> {
        let times = self.times.get_mut(key)?;
        times.retain(|&at| at.after(self.window) > now);
        let deciding = times.len().checked_sub(self.limit)?;
        Some(times[deciding].after(self.window).since(now))
    }

    /// Whether the key is counted already, or can be added without forgetting another key's count.
    pub fn has_room_for(&mut self, key: &K, now: TimeMs) -> bool {
        if self.times.len() < MOST_KEYS || self.times.contains_key(key) {
            return true;
        }
        if self.pruned_at.is_none_or(|at| at.after(PRUNE_EVERY) <= now) {
            let window = self.window;
            self.times.retain(|_, times| times.last().is_some_and(|at| at.after(window) > now));
            self.pruned_at = Some(now);
        }
        self.times.len() < MOST_KEYS
    }

    pub fn add(&mut self, key: K, now: TimeMs) {
        self.times.entry(key).or_default().push(now);
    }

    /// Removes the event that was added at `at`.
    pub fn take_back(&mut self, key: &K, at: TimeMs) {
        let Some(times) = self.times.get_mut(key) else { return };
        if let Some(index) = times.iter().rposition(|&other| other == at) {
            times.remove(index);
        }
        if times.is_empty() {
            self.times.remove(key);
        }
    }

    pub fn forget(&mut self, key: &K) {
        self.times.remove(key);
    }

    #[cfg(test)]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.times.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: TimeMs = TimeMs(1_000_000);
    const WINDOW: Duration = Duration::from_secs(15 * 60);

    fn full() -> RateCounter<usize> {
        let mut counts = RateCounter::new(2, WINDOW);
        for key in 0..MOST_KEYS {
            assert!(counts.has_room_for(&key, START));
            counts.add(key, START);
        }
        counts
    }

    #[test]
    fn a_network_is_what_one_person_usually_has() {
        let network = |text: &str| super::network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        // One address in three spellings, the last behind NAT64.
        assert_eq!(network("198.51.100.7"), network("::ffff:198.51.100.7"));
        assert_eq!(network("198.51.100.7"), network("64:ff9b::198.51.100.7"));
        assert_ne!(network("64:ff9b::198.51.100.8"), network("64:ff9b::198.51.100.7"));
    }

    #[test]
    fn counts_a_bounded_number_of_keys_and_forgets_none() {
        let mut counts = full();
        assert!(!counts.has_room_for(&MOST_KEYS, START));
        assert!(counts.has_room_for(&0, START), "it is counted already");
        counts.add(0, START);
        assert_eq!(counts.wait_ms(&0, START), Some(15 * 60 * 1_000));
        assert_eq!(counts.keys().len(), MOST_KEYS);
    }

    #[test]
    fn removes_expired_keys_but_not_at_each_attempt() {
        let mut counts = full();
        let almost = START.after(WINDOW - PRUNE_EVERY / 2);
        assert!(!counts.has_room_for(&MOST_KEYS, almost));
        assert!(!counts.has_room_for(&MOST_KEYS, START.after(WINDOW)), "expired keys were removed half a minute ago");
        assert!(counts.has_room_for(&MOST_KEYS, almost.after(PRUNE_EVERY)));
        assert_eq!(counts.keys().len(), 0);
    }

    #[test]
    fn takes_back_only_the_event_of_that_time() {
        let mut counts = RateCounter::new(2, WINDOW);
        let later = START.after(Duration::from_secs(60));
        counts.add("ada", START);
        counts.add("ada", later);
        counts.take_back(&"ada", START);
        counts.take_back(&"ada", START);
        counts.add("ada", later);
        assert_eq!(
            counts.wait_ms(&"ada", later),
            Some(15 * 60 * 1_000),
            "the two events that are left are the later ones"
        );
        counts.take_back(&"ada", later);
        counts.take_back(&"ada", later);
        assert_eq!(counts.keys().len(), 0, "a key without failures takes no room");
    }
}
