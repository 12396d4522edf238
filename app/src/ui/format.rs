//! Numbers, sizes and times as people read them.

pub use api::grouped as number;
use api::{LogSeq, TimeMs};
use leptos::prelude::*;

use crate::platform::{context, time};

/// A log row's number, with separators and without a minus sign.
pub fn row_number(LogSeq(seq): LogSeq) -> String {
    number(seq.unsigned_abs())
}

/// `count` things: `1 row`, `1,234 rows`.
pub fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", number(count as u64))
}

/// `42%`.
pub fn percent(percent: u8) -> String {
    format!("{percent}%")
}

/// A size in its largest fitting unit, rounded down: `512 B`, `1.5 KiB`, `64 MiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut whole, mut rest, mut unit) = (bytes, 0, "B");
    for larger in UNITS {
        if whole < 1_024 {
            break;
        }
        (whole, rest, unit) = (whole / 1_024, whole % 1_024, larger);
    }
    match whole {
        // Bytes have no fraction, and two digits need none.
        ..10 if bytes >= 1_024 => format!("{whole}.{} {unit}", rest * 10 / 1_024),
        _ => format!("{} {unit}", number(whole)),
    }
}

/// A length of time in its largest fitting units: `340 ms`, `1.2 s`, `2 min 5 s`, `3 h 20 min`.
pub fn duration(ms: i64) -> String {
    let seconds = ms / 1_000;
    unbroken(match ms {
        ..1_000 => format!("{} ms", ms.max(0)),
        1_000..60_000 => format!("{seconds}.{} s", ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600_000..86_400_000 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    })
}

/// A number and its unit stay on one line.
fn unbroken(time: String) -> String {
    time.replace(' ', NO_BREAK)
}

const NO_BREAK: &str = "\u{a0}";

/// A measured time span, finer than [`duration`] for comparison: `0.4 ms`, `340 ms`, `2.01 s`, `1 min 5 s`. Rounded down.
pub fn measured(us: u64) -> String {
    let ms = us / 1_000;
    unbroken(match us {
        ..10_000 => format!("{ms}.{} ms", us % 1_000 / 100),
        10_000..1_000_000 => format!("{ms} ms"),
        1_000_000..60_000_000 => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
        _ => duration(i64::try_from(ms).unwrap_or(i64::MAX)),
    })
}

/// A configured time span, without needless digits: `250 ms`, `2 s`, `1.5 s`.
pub fn configured(ms: u64) -> String {
    unbroken(match (ms, ms % 1_000) {
        (..1_000, _) => format!("{ms} ms"),
        (_, 0) => format!("{} s", ms / 1_000),
        (_, rest) => format!("{}.{} s", ms / 1_000, format!("{rest:03}").trim_end_matches('0')),
    })
}

/// A text for comparison in tests: its no-break spaces are spaces.
#[cfg(test)]
pub fn plain(text: impl AsRef<str>) -> String {
    text.as_ref().replace(NO_BREAK, " ")
}

/// The distance of `time` from `now`, roughly: `just now`, `12 s ago`, `in 3 min`.
pub fn relative(time: TimeMs, now: TimeMs) -> String {
    let ahead = time.since(now);
    let behind = now.since(time);
    if ahead > 1_000 {
        return format!("in {}", rough(ahead));
    }
    // The two clocks may differ by some seconds; finer texts would be a guess.
    if behind < 5_000 { "just now".to_owned() } else { format!("{} ago", rough(behind)) }
}

/// A length of time in its largest unit: `12 s`, `3 min`, `5 h`.
pub fn rough(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A time relative to now. Its title is the exact time, which stands on paper instead.
#[component]
pub fn TimeAgo(time: TimeMs) -> impl IntoView {
    let now = context::now();
    // A memo, because most ticks do not change the text of an old time.
    let text = Memo::new(move |_| relative(time, now.get()));
    view! {
        <time class="time_ago" datetime=time::iso(time) title=time::local_with_offset(time)>
            <span>{move || text.get()}</span>
        </time>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted() {
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }

    #[test]
    fn sizes_have_their_largest_unit() {
        let small = [0, 9, 1_023, 1_024, 1_536, 10_239].map(bytes);
        assert_eq!(small, ["0 B", "9 B", "1,023 B", "1.0 KiB", "1.5 KiB", "9.9 KiB"]);
        let large = [10_240, 1_048_575, 64 << 20, 58 << 30, (1 << 40) + (900 << 30), u64::MAX].map(bytes);
        assert_eq!(large, ["10 KiB", "1,023 KiB", "64 MiB", "58 GiB", "1.8 TiB", "15 EiB"]);
    }

    #[test]
    fn durations_keep_two_units_at_most() {
        let texts = [-5, 340, 1_250, 59_999, 125_000, 12_000_000, 100_000_000].map(duration).map(plain);
        assert_eq!(texts, ["0 ms", "340 ms", "1.2 s", "59.9 s", "2 min 5 s", "3 h 20 min", "1 d 3 h"]);
        assert_eq!(duration(125_000), "2\u{a0}min\u{a0}5\u{a0}s", "on one line");
    }

    #[test]
    fn times_are_relative_to_now() {
        let now = TimeMs(1_000_000_000);
        let at = |offset: i64| relative(TimeMs(now.0 + offset), now);
        assert_eq!([at(0), at(-4_999), at(900)], ["just now", "just now", "just now"]);
        assert_eq!([at(-12_000), at(-3_600_000), at(180_000)], ["12 s ago", "1 h ago", "in 3 min"]);
    }

    #[test]
    fn measured_spans_keep_three_digits_or_so() {
        let spans =
            [0, 450, 9_999, 10_000, 999_999, 1_000_000, 2_018_000, 15_009_999, 65_000_000].map(measured).map(plain);
        assert_eq!(
            spans,
            ["0.0 ms", "0.4 ms", "9.9 ms", "10 ms", "999 ms", "1.00 s", "2.01 s", "15.00 s", "1 min 5 s"]
        );
    }

    #[test]
    fn configured_spans_have_no_needless_digits() {
        assert_eq!(
            [0, 250, 1_000, 1_500, 2_010, 15_000].map(configured).map(plain),
            ["0 ms", "250 ms", "1 s", "1.5 s", "2.01 s", "15 s"]
        );
    }
}
