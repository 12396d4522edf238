//! How many times faster something was. It is rounded here only, so that all sentences about it agree.

use std::fmt::{self, Display};

use crate::ui::format::number;

/// Rounded once to tenths, and once to a whole number for large ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    tenths: u64,
    whole: u64,
}

impl Ratio {
    /// How often `part_us` fits into `whole_us`; `None` if either is zero.
    pub fn of(whole_us: u64, part_us: u64) -> Option<Self> {
        let is_some = whole_us > 0 && part_us > 0;
        let rounded = |times: u64| whole_us.saturating_mul(times).saturating_add(part_us / 2) / part_us;
        is_some.then(|| Self { tenths: rounded(10), whole: rounded(1) })
    }

    /// What is shown as 1.0 is no faster.
    pub fn is_faster(self) -> bool {
        self.tenths > 10
    }

    /// Whether it is worth an explanation.
    pub fn is_much_faster(self) -> bool {
        self.tenths >= 15
    }
}

/// `8.3`, `10`, `412`.
impl Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tenths {
            tenths @ ..100 => write!(f, "{}.{}", tenths / 10, tenths % 10),
            _ => f.write_str(&number(self.whole)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_as_faster_counts_as_faster() {
        let ratio = |whole| Ratio::of(whole, 1_000).map(|ratio| (ratio.to_string(), ratio.is_faster()));
        let expect = |text: &str, is_faster| Some((text.to_owned(), is_faster));
        assert_eq!(
            [900, 1_000, 1_040, 1_049].map(ratio),
            [expect("0.9", false), expect("1.0", false), expect("1.0", false), expect("1.0", false)]
        );
        assert_eq!([1_050, 1_099, 1_100].map(ratio), [expect("1.1", true), expect("1.1", true), expect("1.1", true)]);
        let much = |whole| Ratio::of(whole, 1_000).is_some_and(Ratio::is_much_faster);
        assert_eq!([1_449, 1_450].map(much), [false, true]);
    }

    #[test]
    fn large_ratios_have_no_tenths() {
        let text = |whole, part| Ratio::of(whole, part).map(|ratio| ratio.to_string()).unwrap_or_default();
        assert_eq!([text(83, 10), text(99, 10), text(9_951, 1_000), text(10_400, 1_000)], ["8.3", "9.9", "10", "10"]);
        assert_eq!(text(10_450, 1_000), "10", "it is rounded once");
        assert_eq!([text(412_400, 1_000), text(5_000_000, 1)], ["412", "5,000,000"]);
        assert_eq!([text(5, 0), text(0, 5)], ["", ""]);
    }
}
