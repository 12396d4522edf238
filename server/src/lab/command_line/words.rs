//! How the lab says what it says.

use std::io::{Write, stdout};
use std::time::Duration;

use serde::Serialize;

/// Whoever reads may have gone; that is no error of ours.
pub(super) fn print(text: &str) {
    let _ = stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush());
}

/// For those who read with a program.
pub(super) fn json_line(document: &impl Serialize) -> String {
    format!("{}\n", serde_json::to_string(document).expect("what the lab tells has a JSON form"))
}

pub(super) fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}
