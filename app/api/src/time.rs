//! Times: on the wire, and as written in a log filter.

use std::fmt;

use serde::{Deserialize, Serialize};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeMs(pub i64);

impl TimeMs {
    /// The time `duration` later.
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The milliseconds from `earlier` to `self`, or 0 if `earlier` is later.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// A time as written in a log filter: absolute, or relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTime {
    At(TimeMs),
    Ago { count: u32, unit: Unit },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
}

impl LogTime {
    /// The accepted forms, for a message.
    pub(crate) const FORMS: &str = "how long ago (30s, 15m, 1h, 2d, 1w) or a time (2026-11-22, 2026-11-22T08:05Z)";

    /// Reads `30s`, `15m`, `1h`, `2d` or `1w`, a date, or a date and time of RFC 3339. Seconds and offset are optional.
    /// Without an offset, the time is UTC.
    pub fn parse(text: &str) -> Option<Self> {
        ago(text).or_else(|| time(text).map(Self::At))
    }

    /// The absolute time, relative to `now`.
    pub fn resolve(self, now: TimeMs) -> TimeMs {
        match self {
            Self::At(time) => time,
            Self::Ago { count, unit } => TimeMs(now.0.saturating_sub(i64::from(count) * unit.ms())),
        }
    }
}

impl Unit {
    const ALL: [Self; 5] = [Self::Seconds, Self::Minutes, Self::Hours, Self::Days, Self::Weeks];

    fn letter(self) -> char {
        match self {
            Self::Seconds => 's',
            Self::Minutes => 'm',
            Self::Hours => 'h',
            Self::Days => 'd',
            Self::Weeks => 'w',
        }
    }

    fn ms(self) -> i64 {
        match self {
            Self::Seconds => 1_000,
            Self::Minutes => MINUTE_MS,
            Self::Hours => 60 * MINUTE_MS,
            Self::Days => DAY_MS,
            Self::Weeks => 7 * DAY_MS,
        }
    }
}

/// Displays the form that `parse` reads, in UTC.
impl fmt::Display for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TimeMs(ms) = match self {
            Self::Ago { count, unit } => return write!(f, "{count}{}", unit.letter()),
            Self::At(time) => *time,
        };
        let (year, month, day) = date_of(ms.div_euclid(DAY_MS));
        let in_day = ms.rem_euclid(DAY_MS);
        let (hour, minute) = (in_day / (60 * MINUTE_MS), in_day / MINUTE_MS % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}", in_day / 1_000 % 60)?;
        match in_day % 1_000 {
            0 => f.write_str("Z"),
            fraction => write!(f, ".{fraction:03}Z"),
        }
    }
}

fn ago(text: &str) -> Option<LogTime> {
    let letter = text.chars().next_back()?;
    let unit = Unit::ALL.into_iter().find(|unit| unit.letter() == letter)?;
    let digits = text.strip_suffix(letter)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().map(|count| LogTime::Ago { count, unit })
}

fn time(text: &str) -> Option<TimeMs> {
    let mut reader = Reader(text);
    let (year, month, day) = (reader.number(4)?, reader.after('-', 2)?, reader.after('-', 2)?);
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let mut ms = day_of(year, month, day) * DAY_MS;
    if reader.skip(&['T', 't', ' ']) {
        let (hour, minute) = (reader.number(2)?, reader.after(':', 2)?);
        let second = if reader.0.starts_with(':') { reader.after(':', 2)? } else { 0 };
        // A leap second counts as the second before it, because system clocks do not have leap seconds.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        ms += (hour * 60 + minute) * MINUTE_MS + second.min(59) * 1_000;
        if reader.skip(&['.']) {
            ms += reader.thousandths()?;
        }
        ms -= reader.offset_minutes()? * MINUTE_MS;
    }
    // With its offset, the time must be within the years 0 to 9999.
    let is_in_range = (day_of(0, 1, 1)..day_of(10_000, 1, 1)).contains(&ms.div_euclid(DAY_MS));
    (reader.0.is_empty() && is_in_range).then_some(TimeMs(ms))
}

/// Reads from the start of the remaining text.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn skip(&mut self, any_of: &[char]) -> bool {
        let rest = self.0.strip_prefix(any_of);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// A number of exactly `digits` digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| number.parse().ok()).flatten()
    }

    fn after(&mut self, sign: char, digits: usize) -> Option<i64> {
        if self.skip(&[sign]) { self.number(digits) } else { None }
    }

    /// A fraction of a second in milliseconds, rounded down.
    fn thousandths(&mut self) -> Option<i64> {
        let end = self.0.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        (!digits.is_empty())
            .then(|| digits.bytes().chain(*b"00").take(3).fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0')))
    }

    fn offset_minutes(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.skip(&['Z', 'z']) {
            return Some(0);
        }
        let sign = if self.skip(&['-']) {
            -1
        } else if self.skip(&['+']) {
            1
        } else {
            return None;
        };
        let (hours, minutes) = (self.number(2)?, self.after(':', 2)?);
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of days since 1 January 1970. Years are counted from March, so that a leap day comes last.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + days_before_month((month + 9) % 12) + day - 1 - DAYS_TO_1970
}

/// The inverse of [`day_of`].
fn date_of(day: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let day = day + DAYS_TO_1970;
    let (cycle, day) = (day.div_euclid(DAYS_IN_400_YEARS), day.rem_euclid(DAYS_IN_400_YEARS));
    // Subtracts the leap days so far: one in 4 years, but not in 100, but in 400.
    let year = (day - day / 1_460 + day / 36_524 - day / (DAYS_IN_400_YEARS - 1)) / 365;
    let in_year = day - (year * 365 + year / 4 - year / 100);
    let month_from_march = (5 * in_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year + cycle * 400 + i64::from(month <= 2), month, in_year - days_before_month(month_from_march) + 1)
}

/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_468;

/// Days since 1 March. Five months in a row have 153 days.
fn days_before_month(month_from_march: i64) -> i64 {
    (153 * month_from_march + 2) / 5
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        match LogTime::parse(text) {
            Some(LogTime::At(TimeMs(ms))) => ms,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn rfc_3339_times_are_read() {
        assert_eq!(at("1970-01-01"), 0);
        assert_eq!(at("2026-11-22T08:05:58.123Z"), 1_795_334_758_123);
        assert_eq!(at("2026-11-22T08:05"), at("2026-11-22 08:05:00Z"));
        assert_eq!(at("2026-11-22T08:05:58.1239z"), at("2026-11-22t09:05:58.123+01:00"));
        assert_eq!(at("2026-11-22T00:00-05:30"), at("2026-11-22T05:30Z"));
        assert_eq!(at("2000-02-29"), 951_782_400_000);
        assert_eq!(at("2016-12-31T23:59:60Z"), at("2016-12-31T23:59:59Z"));
        assert_eq!(at("0000-01-01"), -62_167_219_200_000);
        assert_eq!(at("9999-12-31"), 253_402_214_400_000);
    }

    #[test]
    fn invalid_times_are_refused() {
        for text in [
            "",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-00-01",
            "2026-11-31",
            "2026-02-29",
            "1900-02-29",
            "2026-11-22T",
            "2026-11-22T24:00",
            "2026-11-22T08:60",
            "2026-11-22T08:05:61",
            "2026-11-22T08:05:00.Z",
            "2026-11-22Z",
            "2026-11-22T08:05+1",
            "2026-11-22T08:05+24:00",
            "2026-11-22T08:05Zx",
            "+026-11-22",
            "2026-11-2ä",
            "-1h",
            "h",
            "1",
            "1 h",
            "1y",
            "4294967296s",
            "9999-12-31T23:59-01:00",
            "0000-01-01T00:00+01:00",
        ] {
            assert_eq!(LogTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn relative_times_are_resolved_from_now() {
        let now = TimeMs(1_795_334_758_123);
        let before = |text: &str| LogTime::parse(text).expect("a duration").resolve(now).0 - now.0;
        assert_eq!(
            ["30s", "15m", "1h", "2d", "1w"].map(before),
            [-30_000, -900_000, -3_600_000, -172_800_000, -604_800_000]
        );
        assert_eq!(LogTime::parse("4294967295w").map(|time| time.resolve(TimeMs(i64::MIN))), Some(TimeMs(i64::MIN)));
    }

    proptest! {
        #[test]
        fn a_displayed_time_is_read_back(ms in -62_167_219_200_000..253_402_300_800_000_i64) {
            let time = LogTime::At(TimeMs(ms));
            prop_assert_eq!(LogTime::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn a_day_has_one_date(day in -719_528..2_932_897_i64) {
            let (year, month, of_month) = date_of(day);
            prop_assert_eq!(day_of(year, month, of_month), day);
            prop_assert!((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&of_month));
        }

        #[test]
        fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), "[0-9TZ:.+ -]{0,30}"]) {
            if let Some(time) = LogTime::parse(&text) {
                prop_assert_eq!(LogTime::parse(&time.to_string()), Some(time));
            }
        }
    }
}
