//! How long answers took, as quantiles of all of them.

use serde::{Deserialize, Serialize};

/// In microseconds. All are zero where nothing was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    pub p50_us: u32,
    pub p90_us: u32,
    pub p99_us: u32,
    pub p999_us: u32,
    pub max_us: u32,
}

impl Latency {
    /// Of every single one: what is rare is what is looked for.
    #[must_use]
    pub fn of(mut each_us: Vec<u32>) -> Self {
        each_us.sort_unstable();
        let at = |per_mille: usize| {
            let rank = (each_us.len() * per_mille).div_ceil(1000).max(1);
            each_us.get(rank - 1).copied().unwrap_or_default()
        };
        Self { p50_us: at(500), p90_us: at(900), p99_us: at(990), p999_us: at(999), max_us: at(1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_least_that_so_many_do_not_exceed() {
        let latency = Latency::of((1..=1000).rev().collect());
        let expected = Latency { p50_us: 500, p90_us: 900, p99_us: 990, p999_us: 999, max_us: 1000 };
        assert_eq!(latency, expected);
        assert_eq!(Latency::of(vec![7]), Latency { p50_us: 7, p90_us: 7, p99_us: 7, p999_us: 7, max_us: 7 });
        assert_eq!(Latency::of(Vec::new()), Latency::default());
    }
}
