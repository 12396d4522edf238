//! How evenly frames followed each other.

/// Of the times between frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// Frames a second, by the median of the times.
    pub rate: f64,
    /// 99 of 100 followed within this time, in milliseconds.
    pub p99_ms: f64,
}

impl Pace {
    /// None without any frames.
    pub(super) fn of(mut times_ms: Vec<f64>) -> Option<Self> {
        times_ms.sort_by(f64::total_cmp);
        let at = |percent: usize| times_ms.get((times_ms.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Self { rate: 1000.0 / at(50)?, p99_ms: at(99)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_frame_of_fifty_shows_in_the_hundredth_part_only() {
        let mut times = vec![20.0; 50];
        times[7] = 90.0;
        assert_eq!(Pace::of(times), Some(Pace { rate: 50.0, p99_ms: 90.0 }));
        assert_eq!(Pace::of(vec![20.0; 200]), Some(Pace { rate: 50.0, p99_ms: 20.0 }));
        assert_eq!(Pace::of(Vec::new()), None);
    }
}
