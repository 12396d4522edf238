//! The browser's clock and time zone, and ids that are made from the time.

use api::{SearchId, TimeMs};
use js_sys::{Date, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::JsValue;

pub fn now() -> TimeMs {
    // Whole milliseconds since 1970 fit an i64 for 292 million years.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    TimeMs(Date::now() as i64)
}

/// A new id for a search or a run of the lab.
pub fn new_id() -> SearchId {
    let mut random = [0; 16];
    let crypto = window().crypto().expect("browsers that run wasm have crypto");
    let bytes = Uint8Array::new_with_length(16);
    // Fails only for more than 65,536 bytes.
    let _ = crypto.get_random_values_with_js_u8_array(&bytes);
    bytes.copy_to(&mut random);
    SearchId::from_parts(now().0.unsigned_abs(), u128::from_be_bytes(random))
}

/// `time` in the visitor's time zone: `2026-11-22 08:05:58`.
pub fn local(time: TimeMs) -> String {
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

/// Parses a date and time as [`local`] writes them, in the visitor's time zone, or with an offset. The seconds, or the
/// whole time of day, may be missing.
pub fn parse_local(text: &str) -> Option<TimeMs> {
    let mut text = text.trim().replacen(' ', "T", 1);
    if text.len() == "2026-11-22".len() {
        // JavaScript reads a date alone as UTC.
        text.push_str("T00:00");
    }
    let ms = Date::parse(&text);
    #[expect(clippy::cast_possible_truncation, reason = "dates are whole milliseconds, and within an i64")]
    ms.is_finite().then_some(TimeMs(ms as i64))
}

/// `time` for machines: `2026-11-22T08:05:58.123Z`; empty if JavaScript cannot represent it.
pub fn iso(time: TimeMs) -> String {
    let date = date(time);
    if date.get_time().is_nan() { String::new() } else { date.to_iso_string().into() }
}

fn date(TimeMs(ms): TimeMs) -> Date {
    #[expect(clippy::cast_precision_loss, reason = "JavaScript's dates are doubles")]
    Date::new(&JsValue::from_f64(ms as f64))
}
