//! The connections of a pool over time, as stepped lines.

use std::fmt::Write as _;

use super::scale::Scale;

/// More steps than this are not told apart on any screen.
const STEPS_LIMIT: usize = 800;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStep {
    pub at_us: u64,
    pub in_use: u32,
    pub idle: u32,
    pub waiting: u32,
}

/// What the trace tells of the pool. Of more than can be drawn, each stretch of time tells the most that were in use
/// and that waited in it, and the fewest that were idle.
#[must_use]
pub fn steps(pool: &[(u64, u32, u32, u32)], end_us: u64) -> Vec<PoolStep> {
    let all = pool.iter().map(|&(at_us, in_use, idle, waiting)| PoolStep { at_us, in_use, idle, waiting });
    if pool.len() <= STEPS_LIMIT {
        return all.collect();
    }
    let width = (end_us / STEPS_LIMIT as u64).max(1);
    let mut steps: Vec<PoolStep> = Vec::with_capacity(STEPS_LIMIT + 1);
    for step in all {
        match steps.last_mut() {
            Some(last) if last.at_us / width == step.at_us / width => {
                last.in_use = last.in_use.max(step.in_use);
                last.idle = last.idle.min(step.idle);
                last.waiting = last.waiting.max(step.waiting);
            }
            _ => steps.push(step),
        }
    }
    steps
}

/// How the pool stood at a moment: as the last step before it says.
#[must_use]
pub fn at(steps: &[PoolStep], us: u64) -> Option<PoolStep> {
    let after = steps.partition_point(|step| step.at_us <= us);
    after.checked_sub(1).and_then(|last| steps.get(last)).copied()
}

/// A stepped line to the end of what is told, on a field of 1,000 by 100 units in which `most` touches the top.
#[must_use]
pub fn line(steps: &[PoolStep], value: fn(&PoolStep) -> u32, most: u32, scale: Scale, told_us: u64) -> String {
    let mut path = String::new();
    for step in steps {
        let (x, y) = (x(scale, step.at_us), y(value(step), most));
        // Each step begins where the one before ends: first across, then up or down.
        let _ = if path.is_empty() { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
    }
    if !path.is_empty() {
        let _ = write!(path, "H{:.1}", x(scale, told_us));
    }
    path
}

/// The same as a field that reaches down to the axis.
#[must_use]
pub fn field(steps: &[PoolStep], value: fn(&PoolStep) -> u32, most: u32, scale: Scale, told_us: u64) -> String {
    let line = line(steps, value, most, scale, told_us);
    match (steps.first(), line.is_empty()) {
        (Some(first), false) => format!("{line}V100H{:.1}Z", x(scale, first.at_us)),
        _ => line,
    }
}

/// A round number that `value` does not exceed, for the top of an axis.
#[must_use]
pub fn top(value: u32) -> u32 {
    let mut power = 1_u32;
    loop {
        for factor in [1, 2, 3, 4, 5, 8] {
            let top = power.saturating_mul(factor);
            if top >= value {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn x(scale: Scale, us: u64) -> f64 {
    scale.share(us) * 1_000.0
}

fn y(value: u32, most: u32) -> f64 {
    100.0 - f64::from(value.min(most)) / f64::from(most.max(1)) * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: [(u64, u32, u32, u32); 3] = [(0, 0, 2, 0), (500, 2, 0, 5), (1_500, 1, 1, 0)];

    #[test]
    fn lines_go_across_and_then_up_or_down() {
        let scale = Scale::to(2_000);
        let steps = steps(&POOL, 2_000);
        assert_eq!(line(&steps, |step| step.in_use, 2, scale, 2_000), "M0.0 100.0H250.0V0.0H750.0V50.0H1000.0");
        assert_eq!(line(&[], |step| step.in_use, 2, scale, 2_000), "");
        assert!(field(&steps, |step| step.idle, 2, scale, 2_000).ends_with("H1000.0V100H0.0Z"));
    }

    #[test]
    fn a_moment_has_the_values_of_the_step_before_it() {
        let steps = steps(&POOL, 2_000);
        assert_eq!(at(&steps, 499).map(|step| step.in_use), Some(0));
        assert_eq!(at(&steps, 500).map(|step| step.in_use), Some(2));
        assert_eq!(at(&steps, 9_999).map(|step| step.in_use), Some(1));
        assert_eq!(at(&[], 1), None);
    }

    #[test]
    fn many_steps_become_as_many_as_can_be_seen_and_keep_their_peaks() {
        let many: Vec<_> = (0..20_000_u64).map(|us| (us, u32::from(us == 7_777) * 8, 8, 3)).collect();
        let steps = steps(&many, 20_000);
        assert!(steps.len() <= STEPS_LIMIT + 1, "{}", steps.len());
        assert_eq!(steps.iter().map(|step| step.in_use).max(), Some(8));
        assert_eq!(steps.last().map(|step| step.waiting), Some(3));
    }

    #[test]
    fn tops_are_round_and_not_far_above() {
        assert_eq!([0, 1, 6, 8, 92, 100, 101, 2_500].map(top), [1, 1, 8, 8, 100, 100, 200, 3_000]);
    }
}
