//! How the scenarios say what they say.

use std::io::{Write, stdout};
use std::time::Duration;

use api::ApiError;
use serde::Serialize;

use crate::commands::CommandError;

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

/// Fields are named as the flags are, but for what they say of units.
pub(super) fn out_of_bounds(error: ApiError) -> CommandError {
    let flag = error.field.as_deref().map(|field| match field.strip_suffix("_ms") {
        Some(flag) => format!("--{flag}, in milliseconds: "),
        None => format!("--{}: ", field.trim_end_matches("_per_batch")),
    });
    CommandError(format!("{}{}", flag.unwrap_or_default(), error.message))
}

#[cfg(test)]
mod tests {
    use api::ErrorCode;

    use super::*;

    #[test]
    fn who_asks_for_too_much_is_told_by_which_flag() {
        let said = |field| out_of_bounds(ApiError::at(ErrorCode::Invalid, field, "Choose.")).0;
        assert_eq!(said("hold_ms"), "--hold, in milliseconds: Choose.");
        assert_eq!(said("tasks_per_batch"), "--tasks: Choose.");
        assert_eq!(said("failing"), "--failing: Choose.");
    }
}
