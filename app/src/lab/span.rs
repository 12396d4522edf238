//! Spans of time as the lab tells them: finer than elsewhere, because they are compared.

use crate::wording;

/// A measured span: `0.4 ms`, `340 ms`, `2.01 s`, `1 min 5 s`. Rounded down.
#[must_use]
pub fn measured(us: u64) -> String {
    let ms = us / 1_000;
    match us {
        ..10_000 => format!("{ms}.{} ms", us % 1_000 / 100),
        10_000..1_000_000 => format!("{ms} ms"),
        1_000_000..60_000_000 => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
        // Runs of weeks are not allowed.
        _ => wording::duration(ms.try_into().unwrap_or(i64::MAX)),
    }
}

/// A span that somebody has set, without digits that say nothing: `250 ms`, `2 s`, `1.5 s`.
#[must_use]
pub fn set(ms: u64) -> String {
    match (ms, ms % 1_000) {
        (..1_000, _) => format!("{ms} ms"),
        (_, 0) => format!("{} s", ms / 1_000),
        (_, rest) => format!("{}.{} s", ms / 1_000, format!("{rest:03}").trim_end_matches('0')),
    }
}

/// How many times `part` fits into `whole`: `9.9×`, `412×`; none where there is nothing to divide.
#[must_use]
pub fn times(whole_us: u64, part_us: u64) -> Option<String> {
    if whole_us == 0 || part_us == 0 {
        return None;
    }
    // Rounded to tenths.
    let tenths = whole_us.saturating_mul(10).saturating_add(part_us / 2) / part_us;
    Some(match tenths {
        ..1_000 => format!("{}.{}×", tenths / 10, tenths % 10),
        _ => format!("{}×", wording::number(tenths / 10)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_spans_keep_three_digits_or_so() {
        let spans = [0, 450, 9_999, 10_000, 999_999, 1_000_000, 2_018_000, 15_009_999, 65_000_000].map(measured);
        assert_eq!(
            spans,
            ["0.0 ms", "0.4 ms", "9.9 ms", "10 ms", "999 ms", "1.00 s", "2.01 s", "15.00 s", "1 min 5 s"]
        );
    }

    #[test]
    fn set_spans_are_told_as_they_were_set() {
        assert_eq!(
            [0, 250, 1_000, 1_500, 2_010, 15_000].map(set),
            ["0 ms", "250 ms", "1 s", "1.5 s", "2.01 s", "15 s"]
        );
    }

    #[test]
    fn speed_ups_are_rounded_and_never_divided_by_nothing() {
        let times = |whole, part| times(whole, part).unwrap_or_default();
        assert_eq!(
            [times(20, 2), times(199, 20), times(1, 3), times(412_400, 1_000)],
            ["10.0×", "10.0×", "0.3×", "412×"]
        );
        assert_eq!([times(5, 0), times(0, 5)], ["", ""]);
    }
}
