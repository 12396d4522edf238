//! The waiting lab on the command line.

mod database;
mod fetch;
mod request;
mod sandbox;

use std::time::Duration;

use serde::Serialize;

pub use database::lab_database;
pub use fetch::{lab_compare, lab_flags, lab_second};
pub use request::lab_request;
pub use sandbox::{begin_sandbox, sandbox};

/// For those who read with a program.
fn json_line(what: &impl Serialize) -> String {
    serde_json::to_string(what).expect("what the lab tells has a JSON form")
}

fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}
