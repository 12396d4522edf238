//! Amounts: how often, and how long.

use std::fmt;

/// From `from` up to and including `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amounts {
    from: Option<u64>,
    to: Option<u64>,
}

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Times,
    /// Milliseconds, written as `200ms`, `2s`, `5m`, `1h` or `1d`.
    Milliseconds,
}

/// The units of a duration, the largest first.
const DURATIONS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Unit {
    /// The accepted forms, for a message.
    pub(super) fn forms(self) -> &'static str {
        match self {
            Self::Times => "a number (3), a limit (>3, <=3) or a range (2..4)",
            Self::Milliseconds => "a limit (>200ms, <2s, >=5m) or a range (1s..5s); the units are ms, s, m, h and d",
        }
    }

    fn read(self, text: &str) -> Option<u64> {
        let (digits, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
        let factor = match self {
            Self::Times => unit.is_empty().then_some(1),
            Self::Milliseconds => {
                DURATIONS.into_iter().find(|(name, _)| unit.eq_ignore_ascii_case(name)).map(|(_, factor)| factor)
            }
        };
        digits.parse::<u64>().ok()?.checked_mul(factor?)
    }

    fn write(self, amount: u64) -> String {
        let largest = DURATIONS.into_iter().find(|(_, factor)| amount >= *factor && amount.is_multiple_of(*factor));
        match (self, largest) {
            (Self::Times, _) => amount.to_string(),
            (Self::Milliseconds, Some((unit, factor))) => format!("{}{unit}", amount / factor),
            (Self::Milliseconds, None) => "0ms".to_owned(),
        }
    }
}

impl Amounts {
    /// Reads `>N`, `>=N`, `<N`, `<=N`, `M..N`, `M..`, `..N`, and for times `N`.
    pub(super) fn read(text: &str, unit: Unit) -> Option<Self> {
        let limit = |sign: &str| text.strip_prefix(sign).map(|amount| unit.read(amount.trim_start()));
        if let Some(from) = limit(">=") {
            return Some(Self { from: Some(from?), to: None });
        }
        if let Some(to) = limit("<=") {
            return Some(Self { from: None, to: Some(to?) });
        }
        if let Some(below) = limit(">") {
            return Some(Self { from: Some(below?.checked_add(1)?), to: None });
        }
        if let Some(above) = limit("<") {
            return Some(Self { from: None, to: Some(above?.checked_sub(1)?) });
        }
        if let Some((from, to)) = text.split_once("..") {
            let end = |text: &str| if text.is_empty() { Some(None) } else { unit.read(text).map(Some) };
            let (from, to) = (end(from.trim_end())?, end(to.trim_start())?);
            let is_range = match (from, to) {
                (Some(from), Some(to)) => from <= to,
                (from, to) => from.is_some() || to.is_some(),
            };
            return is_range.then_some(Self { from, to });
        }
        // Nothing takes exactly as long as somebody writes.
        let exact = unit.read(text).filter(|_| unit == Unit::Times)?;
        Some(Self { from: Some(exact), to: Some(exact) })
    }

    pub(super) fn contains(self, amount: u64) -> bool {
        self.from.is_none_or(|from| amount >= from) && self.to.is_none_or(|to| amount <= to)
    }

    pub(super) fn write(self, unit: Unit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |amount: u64| unit.write(amount);
        match (self.from, self.to) {
            (Some(from), Some(to)) if from == to && unit == Unit::Times => f.write_str(&text(from)),
            (Some(from @ 1..), None) => write!(f, ">{}", text(from - 1)),
            (from, to) => write!(f, "{}..{}", from.map(text).unwrap_or_default(), to.map(text).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Shown(Amounts, Unit);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(self.1, f)
        }
    }

    fn amounts(from: Option<u64>, to: Option<u64>) -> Option<Amounts> {
        Some(Amounts { from, to })
    }

    #[test]
    fn limits_and_ranges_are_read() {
        let read = |text| Amounts::read(text, Unit::Milliseconds);
        assert_eq!(read(">200ms"), amounts(Some(201), None));
        assert_eq!(read(">=2s"), amounts(Some(2_000), None));
        assert_eq!(read("<1m"), amounts(None, Some(59_999)));
        assert_eq!(read("<=1H"), amounts(None, Some(3_600_000)));
        assert_eq!(read("1s..5s"), amounts(Some(1_000), Some(5_000)));
        assert_eq!(read("..1d"), amounts(None, Some(86_400_000)));
        assert_eq!(Amounts::read("3", Unit::Times), amounts(Some(3), Some(3)));
        assert_eq!(Amounts::read("2..4", Unit::Times), amounts(Some(2), Some(4)));
        for wrong in
            ["", "5", "2s", ">5", "ms", "5s..1s", "..", "<0ms", ">-1s", "1w", "> > 1s", "99999999999999999999d"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn amounts_are_displayed_and_read_back(
            text in "(>|<|>=|<=|)[0-9]{1,12}(ms|s|m|h|d)?(\\.\\.)?([0-9]{1,12}(ms|s|m|h|d)?)?",
            unit in prop_oneof![Just(Unit::Times), Just(Unit::Milliseconds)],
        ) {
            if let Some(read) = Amounts::read(&text, unit) {
                prop_assert_eq!(Amounts::read(&Shown(read, unit).to_string(), unit), Some(read));
            }
        }
    }
}
