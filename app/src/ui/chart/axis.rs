//! A time axis: its scale, its marks, and grid lines through the drawing below.

use leptos::prelude::*;

use crate::ui::format::configured;

#[component]
pub fn TimeAxis(scale: Memo<Scale>) -> impl IntoView {
    let marks = move || {
        let scale = scale.get();
        let marks = scale.marks().into_iter().map(move |us| {
            // At the right edge the label is left of its line.
            let is_last = scale.share(us) > 0.92;
            view! {
                <span class="time_mark" data-last=is_last.then_some("") style:left=scale.percent(us)>
                    <span>{if us == 0 { "0".to_owned() } else { configured(us / 1_000) }}</span>
                </span>
            }
        });
        marks.collect_view()
    };
    view! { <div class="time_axis" aria-hidden="true"><div class="time_marks">{marks}</div></div> }
}

/// The most marks of an axis.
const MARKS: u64 = 6;
/// The shortest axis: 1 ms.
const SHORTEST_US: u64 = 1_000;

/// An axis from 0 to an end, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    end_us: u64,
}

impl Scale {
    /// For a run that has ended.
    pub fn to(end_us: u64) -> Self {
        Self { end_us: end_us.max(SHORTEST_US) }
    }

    /// For a run in progress: as long as expected, then longer in steps, so that the drawing does not shrink
    /// constantly.
    pub fn growing(now_us: u64, expected_us: u64) -> Self {
        if now_us < expected_us {
            return Self::to(expected_us);
        }
        let step = Self::to(now_us).step();
        Self::to(now_us.div_ceil(step) * step)
    }

    pub fn end_us(self) -> u64 {
        self.end_us
    }

    /// The share of the axis before this moment, from 0 to 1.
    pub fn share(self, us: u64) -> f64 {
        // Runs are far shorter than 2^53 µs.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let share = us.min(self.end_us) as f64 / self.end_us as f64;
        share
    }

    /// The same in percent, as CSS.
    pub fn percent(self, us: u64) -> String {
        format!("{:.3}%", self.share(us) * 100.0)
    }

    /// The same in a drawing that is this wide, in its own units.
    pub fn x(self, us: u64, width: u32) -> u32 {
        // A share lies between 0 and 1.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
        let x = (self.share(us) * f64::from(width)).round() as u32;
        x
    }

    /// The moment at this share of the axis.
    pub fn at_thousandth(self, thousandths: u64) -> u64 {
        self.end_us.saturating_mul(thousandths.min(1_000)) / 1_000
    }

    /// Round moments from 0 to the end.
    pub fn marks(self) -> Vec<u64> {
        let step = self.step();
        (0..=self.end_us / step).map(|index| index * step).collect()
    }

    /// The smallest of 1, 2, 5, 10, 20, 50 ms, ... that makes no more marks than fit.
    fn step(self) -> u64 {
        let mut power = SHORTEST_US;
        loop {
            for step in [power, 2 * power, 5 * power] {
                if self.end_us / step < MARKS {
                    return step;
                }
            }
            power = power.saturating_mul(10);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_round() {
        let marks = |end| Scale::to(end).marks().into_iter().map(|us| us / 1_000).collect::<Vec<_>>();
        assert_eq!(marks(20_013_000), [0, 5_000, 10_000, 15_000, 20_000]);
        assert_eq!(marks(2_100_000), [0, 500, 1_000, 1_500, 2_000]);
        assert_eq!(marks(0), [0, 1]);
    }

    #[test]
    fn an_axis_grows_in_steps() {
        assert_eq!(Scale::growing(3, 2_000_000), Scale::to(2_000_000));
        assert_eq!(Scale::growing(2_000_001, 2_000_000), Scale::to(2_500_000));
        assert_eq!(Scale::growing(2_400_000, 2_000_000), Scale::to(2_500_000));
    }

    proptest! {
        #[test]
        fn every_axis_has_some_marks_within_it(end in 0_u64..1_000_000_000_000) {
            let scale = Scale::to(end);
            let marks = scale.marks();
            prop_assert!((2..=6).contains(&marks.len()), "{marks:?}");
            prop_assert!(marks.iter().all(|&us| us <= scale.end_us()));
        }

        #[test]
        fn moments_are_within_the_axis(end in 0_u64..1_000_000_000_000, at in any::<u64>()) {
            let share = Scale::to(end).share(at);
            prop_assert!((0.0..=1.0).contains(&share));
        }
    }
}
