//! The time: read from the browser in one place, and written for people.

use api::TimeMs;
use js_sys::Date;
use wasm_bindgen::JsValue;

/// The browser's clock, now.
#[must_use]
pub fn now() -> TimeMs {
    // Whole milliseconds since 1970 fit an i64 for 292 million years.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    TimeMs(Date::now() as i64)
}

/// `time` in the visitor's time zone: `2026-11-22 08:05:58`.
#[must_use]
pub fn exact(time: TimeMs) -> String {
    let date = date(time);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        date.get_full_year(),
        date.get_month() + 1,
        date.get_date(),
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds()
    )
}

/// Reads a date and a time as [`exact`] writes them, in the visitor's time zone, or with an offset; the seconds, or the
/// whole time of the day, may be missing.
#[must_use]
pub fn read(text: &str) -> Option<TimeMs> {
    let mut text = text.trim().replacen(' ', "T", 1);
    if text.len() == "2026-11-22".len() {
        // A date alone would be taken for UTC.
        text.push_str("T00:00");
    }
    let ms = Date::parse(&text);
    #[expect(clippy::cast_possible_truncation, reason = "dates are whole milliseconds, and within an i64")]
    ms.is_finite().then_some(TimeMs(ms as i64))
}

/// `time` for machines: `2026-11-22T08:05:58.123Z`.
#[must_use]
pub fn machine(time: TimeMs) -> String {
    // An impossible date is an exception in JavaScript: a row with a broken time must not end the page.
    let date = date(time);
    if date.get_time().is_nan() { String::new() } else { date.to_iso_string().into() }
}

fn date(TimeMs(ms): TimeMs) -> Date {
    #[expect(clippy::cast_precision_loss, reason = "JavaScript's dates are doubles")]
    Date::new(&JsValue::from_f64(ms as f64))
}
