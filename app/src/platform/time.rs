//! The time, the visitor's time zone, and ids that are made from the time.

use std::cell::Cell;
use std::time::Duration;

use api::{SearchId, TimeMs, TimeZone};
use js_sys::{Array, Date, Intl, Object, Reflect, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

thread_local! {
    /// By how many milliseconds the server's clock is ahead of the browser's.
    static AHEAD_MS: Cell<i64> = const { Cell::new(0) };
}

/// A smaller difference may be the way of the message.
const DIFFERENCE_MS: u64 = 1_000;

/// The time by the server's clock, as far as the page knows it: whatever is shown happened by that clock, and the
/// visitor's may be wrong.
pub fn now() -> TimeMs {
    TimeMs(browser_now().0.saturating_add(AHEAD_MS.get()))
}

pub fn browser_now() -> TimeMs {
    // Whole milliseconds since 1970 fit an i64 for 292 million years.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    TimeMs(Date::now() as i64)
}

/// The browser's monotonic clock, in milliseconds since the page was loaded.
pub fn steady_ms() -> f64 {
    window().performance().map(|performance| performance.now()).unwrap_or_default()
}

/// Whole milliseconds since `then`, which is by [`steady_ms`]. 0 if it is to come.
pub fn since_ms(then: f64) -> u32 {
    whole(steady_ms() - then)
}

/// Seconds until `then`, which is by [`steady_ms`]. One that has begun counts.
pub fn seconds_until(then: f64) -> u32 {
    whole(((then - steady_ms()) / 1_000.0).ceil())
}

fn whole(number: f64) -> u32 {
    // A number below 0 becomes 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    let whole = number as u32;
    whole
}

/// The current time for relative times. It ticks every second.
#[derive(Clone, Copy)]
pub struct Clock(RwSignal<TimeMs>);

impl Clock {
    pub fn start() -> Self {
        let clock = Self(RwSignal::new(now()));
        // Relative times are shown in seconds at the finest.
        set_interval(move || clock.0.set(now()), Duration::from_secs(1));
        clock
    }

    /// Adopts the server's time, which has just arrived.
    pub fn hear(self, server: TimeMs) {
        let ahead_ms = server.0.saturating_sub(browser_now().0);
        if ahead_ms.abs_diff(AHEAD_MS.get()) > DIFFERENCE_MS {
            AHEAD_MS.set(ahead_ms);
            self.0.try_set(now());
        }
    }

    pub fn now(self) -> Signal<TimeMs> {
        self.0.into()
    }
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

/// The same with its distance from UTC, which readers elsewhere need: `2026-11-22 08:05:58 UTC+2`.
pub fn local_with_offset(time: TimeMs) -> String {
    format!("{} {}", local(time), offset_name(LocalZone.offset_ms(time) / 60_000))
}

/// `minutes` are to the east.
fn offset_name(minutes: i64) -> String {
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

/// The time of day of `time` in the visitor's time zone: `08:05`.
pub fn time_of_day(time: TimeMs) -> String {
    let date = date(time);
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

/// The visitor's time zone.
pub struct LocalZone;

impl TimeZone for LocalZone {
    fn offset_ms(&self, at: TimeMs) -> i64 {
        // JavaScript counts minutes to the west. NaN, beyond its years, becomes 0.
        #[expect(clippy::cast_possible_truncation, reason = "whole minutes of less than a day")]
        let minutes = date(at).get_timezone_offset() as i64;
        -minutes * 60_000
    }
}

/// The name of the visitor's time zone, for instance `America/New York`.
pub fn zone_name() -> String {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let name = Reflect::get(&options, &"timeZone".into()).ok().and_then(|name| name.as_string());
    name.map_or_else(|| "your local time".to_owned(), |name| name.replace('_', " "))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_named_after_utc() {
        assert_eq!([0, 120, -300, 330, -210].map(offset_name), ["UTC", "UTC+2", "UTC−5", "UTC+5:30", "UTC−3:30"]);
    }
}
