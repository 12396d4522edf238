//! Times as written in a log filter: absolute, local, or relative to now.

use std::fmt;

use crate::TimeMs;
use crate::calendar::{date_of, day_of, days_in};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// A time zone, known by its offsets.
pub trait TimeZone {
    /// By how many milliseconds local time is ahead of UTC at `at`.
    fn offset_ms(&self, at: TimeMs) -> i64;
}

/// The zone without an offset.
#[derive(Clone, Copy, Debug)]
pub struct Utc;

impl TimeZone for Utc {
    fn offset_ms(&self, _: TimeMs) -> i64 {
        0
    }
}

/// The instants at which clocks show `local_ms`, counted as if it were UTC. Two when clocks are set back; when they are
/// set forward over it, the instant at which they would have shown it.
fn instants(local_ms: i64, zone: &dyn TimeZone) -> (TimeMs, TimeMs) {
    // No offset is a day or more: these lie before and after the instant, and a change of the offset between them.
    let offsets = [local_ms - DAY_MS, local_ms + DAY_MS].map(|ms| zone.offset_ms(TimeMs(ms)));
    let instants = offsets.map(|offset_ms| TimeMs(local_ms - offset_ms));
    let [is_first, is_second] = [0, 1].map(|index| zone.offset_ms(instants[index]) == offsets[index]);
    match (is_first, is_second) {
        (true, true) => (instants[0].min(instants[1]), instants[0].max(instants[1])),
        (false, true) => (instants[1], instants[1]),
        (true, false) | (false, false) => (instants[0], instants[0]),
    }
}

/// What a text names: from `start` up to, but not including, `end`. A date is a day, `08:05` a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPeriod {
    pub start: LogTime,
    /// The same as `start` if the text says how long ago.
    pub end: LogTime,
}

impl LogPeriod {
    /// The accepted forms, for a message.
    pub(crate) const FORMS: &str =
        "how long ago (30s, 15m, 1h, 2d, 1w) or a time (2026-11-22, 2026-11-22 08:05, 2026-11-22T08:05:58+01:00)";

    /// Reads `30s`, `15m`, `1h`, `2d` or `1w`, a date, or a date and time of RFC 3339. Seconds and offset are optional.
    /// Without an offset, the time is in `zone`.
    pub fn parse(text: &str, zone: &dyn TimeZone) -> Option<Self> {
        if let Some(ago) = ago(text) {
            return Some(Self { start: ago, end: ago });
        }
        let Written { local_ms, unit_ms, offset_ms } = written(text)?;
        let (start, end) = match offset_ms {
            Some(offset_ms) => (TimeMs(local_ms - offset_ms), TimeMs(local_ms + unit_ms - offset_ms)),
            None => (instants(local_ms, zone).0, instants(local_ms + unit_ms, zone).1),
        };
        let years = day_of(0, 1, 1) * DAY_MS..day_of(10_000, 1, 1) * DAY_MS;
        // In the hour that clocks skip, the period would end where the gap does, and so before it begins.
        let end = if start < end { end } else { TimeMs(start.0 + unit_ms) };
        let end = TimeMs(end.0.min(years.end - 1));
        years.contains(&start.0).then_some(Self { start: LogTime::At(start), end: LogTime::At(end) })
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

/// Displays a form that [`LogPeriod::parse`] reads, in UTC.
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

/// A date, or a date and time, as it stands there.
struct Written {
    /// As if it were UTC.
    local_ms: i64,
    /// The length of the smallest part that is written.
    unit_ms: i64,
    offset_ms: Option<i64>,
}

fn written(text: &str) -> Option<Written> {
    let mut reader = Reader(text);
    let (year, month, day) = (reader.number(4)?, reader.after('-', 2)?, reader.after('-', 2)?);
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let (mut ms, mut unit_ms, mut offset_ms) = (day_of(year, month, day) * DAY_MS, DAY_MS, None);
    if reader.skip(&['T', 't', ' ']) {
        let (hour, minute) = (reader.number(2)?, reader.after(':', 2)?);
        unit_ms = MINUTE_MS;
        let mut second = 0;
        if reader.0.starts_with(':') {
            (second, unit_ms) = (reader.after(':', 2)?, 1_000);
        }
        // A leap second counts as the second before it, because system clocks do not have leap seconds.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        ms += (hour * 60 + minute) * MINUTE_MS + second.min(59) * 1_000;
        if unit_ms == 1_000 && reader.skip(&['.']) {
            (ms, unit_ms) = (ms + reader.thousandths()?, 1);
        }
        if !reader.0.is_empty() {
            reader.skip(&[' ']);
            offset_ms = Some(reader.offset_minutes()? * MINUTE_MS);
        }
    }
    reader.0.is_empty().then_some(Written { local_ms: ms, unit_ms, offset_ms })
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
        if self.skip(&['Z', 'z']) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        match parse(text) {
            Some(LogTime::At(TimeMs(ms))) => ms,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn parse(text: &str) -> Option<LogTime> {
        LogPeriod::parse(text, &Utc).map(|period| period.start)
    }

    /// An hour ahead of UTC; two hours from the start of 28 March 2027 01:00 UTC to 31 October 2027 01:00 UTC.
    struct Summery;

    impl TimeZone for Summery {
        fn offset_ms(&self, at: TimeMs) -> i64 {
            let is_summer = (parse_ms("2027-03-28T01:00Z")..parse_ms("2027-10-31T01:00Z")).contains(&at.0);
            (if is_summer { 2 } else { 1 }) * 60 * MINUTE_MS
        }
    }

    fn parse_ms(text: &str) -> i64 {
        written(text).expect("a time").local_ms
    }

    fn period(text: &str, zone: &dyn TimeZone) -> (i64, i64) {
        match LogPeriod::parse(text, zone) {
            Some(LogPeriod { start: LogTime::At(start), end: LogTime::At(end) }) => (start.0, end.0),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_time_without_an_offset_is_local_and_lasts_as_long_as_its_smallest_part() {
        for (text, start, end) in [
            ("2026-11-22", "2026-11-21T23:00Z", "2026-11-22T23:00Z"),
            ("2026-11-22 08:05", "2026-11-22T07:05Z", "2026-11-22T07:06Z"),
            ("2026-11-22T08:05:58", "2026-11-22T07:05:58Z", "2026-11-22T07:05:59Z"),
            ("2026-11-22T08:05:58.5", "2026-11-22T07:05:58.500Z", "2026-11-22T07:05:58.501Z"),
            ("2026-11-22T08:05Z", "2026-11-22T08:05Z", "2026-11-22T08:06Z"),
            ("2026-11-22 08:05 +01:00", "2026-11-22T07:05Z", "2026-11-22T07:06Z"),
            ("2026-11-22T08:05-05:30", "2026-11-22T13:35Z", "2026-11-22T13:36Z"),
            ("2028-02-29", "2028-02-28T23:00Z", "2028-02-29T23:00Z"),
            // Clocks are set forward from 02:00 to 03:00, and back from 03:00 to 02:00.
            ("2027-03-28", "2027-03-27T23:00Z", "2027-03-28T22:00Z"),
            ("2027-03-28 01:59:59", "2027-03-28T00:59:59Z", "2027-03-28T01:00Z"),
            ("2027-03-28 02:30", "2027-03-28T01:30Z", "2027-03-28T01:31Z"),
            ("2027-03-28 02:59", "2027-03-28T01:59Z", "2027-03-28T02:00Z"),
            ("2027-03-28 03:00", "2027-03-28T01:00Z", "2027-03-28T01:01Z"),
            ("2027-10-31", "2027-10-30T22:00Z", "2027-10-31T23:00Z"),
            ("2027-10-31 02:30", "2027-10-31T00:30Z", "2027-10-31T01:31Z"),
            ("2027-10-31 03:00", "2027-10-31T02:00Z", "2027-10-31T02:01Z"),
        ] {
            assert_eq!(period(text, &Summery), (parse_ms(start), parse_ms(end)), "{text}");
        }
    }

    #[test]
    fn local_times_stay_within_the_years_that_can_be_written() {
        assert!(LogPeriod::parse("0000-01-01", &Summery).is_none(), "it begins in the year before");
        assert_eq!(period("9999-12-31", &Utc).1, at("9999-12-31T23:59:59.999Z"));
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
            "2026-11-22 08:05 PM",
            "2026-11-22 08:05 ",
            "2026-11-22 8:05",
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
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn relative_times_are_resolved_from_now() {
        let now = TimeMs(1_795_334_758_123);
        let before = |text: &str| parse(text).expect("a duration").resolve(now).0 - now.0;
        assert_eq!(
            ["30s", "15m", "1h", "2d", "1w"].map(before),
            [-30_000, -900_000, -3_600_000, -172_800_000, -604_800_000]
        );
        assert_eq!(parse("4294967295w").map(|time| time.resolve(TimeMs(i64::MIN))), Some(TimeMs(i64::MIN)));
    }

    proptest! {
        #[test]
        fn a_displayed_time_is_read_back(ms in -62_167_219_200_000..253_402_300_800_000_i64) {
            let time = LogTime::At(TimeMs(ms));
            prop_assert_eq!(parse(&time.to_string()), Some(time));
        }

        #[test]
        fn an_instant_is_within_the_second_that_local_clocks_show(ms in 1_700_000_000_000..1_900_000_000_000_i64) {
            let local = LogTime::At(TimeMs(ms + Summery.offset_ms(TimeMs(ms)))).to_string();
            let (second, _) = local.split_at("2026-11-22T08:05:58".len());
            let (start, end) = period(&second.replace('T', " "), &Summery);
            prop_assert!((start..end).contains(&ms), "{second}: {start}..{end}");
        }

        #[test]
        fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), "[0-9TZ:.+ -]{0,30}"]) {
            if let Some(time) = parse(&text) {
                prop_assert_eq!(parse(&time.to_string()), Some(time));
            }
        }
    }
}
