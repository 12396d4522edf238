//! The lines of an answer.

use api::{ApiError, ErrorCode, LogRow, LogSeq, ScanProgress};
use web_sys::AbortController;

use crate::{ndjson, url};

#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<LogRow>,
    /// How far was looked for them, in the last line.
    pub(super) looked: Option<ScanProgress>,
    /// The error that the stream has ended with, if it has.
    pub(super) failure: Option<ApiError>,
}

pub(super) fn parse(lines: &[Vec<u8>]) -> Answer {
    let mut answer = Answer { rows: Vec::with_capacity(lines.len()), ..Answer::default() };
    for line in lines {
        if let Ok(row) = serde_json::from_slice(line) {
            answer.rows.push(row);
        } else if let Ok(looked) = serde_json::from_slice(line) {
            answer.looked = Some(looked);
        } else {
            let unreadable = |_| ApiError::new(ErrorCode::Malformed, "The server sent a row that cannot be read.");
            answer.failure = Some(serde_json::from_slice::<ApiError>(line).unwrap_or_else(unreadable));
            break;
        }
    }
    answer
}

/// A single row, if there is one with this number.
pub async fn fetch_row(seq: LogSeq) -> Result<Option<LogRow>, ApiError> {
    let abort = AbortController::new().map_err(|_| ApiError::new(ErrorCode::Internal, "This browser is too old."))?;
    let before = seq.0.saturating_add(1).to_string();
    let url = url::with_query("/api/admin/log/rows", &[("before", Some(before.as_str())), ("limit", Some("1"))]);
    let mut lines = Vec::new();
    ndjson::read(&url, &abort.signal(), |more| lines.extend(more)).await?;
    let answer = parse(&lines);
    answer.failure.map_or(Ok(answer.rows.into_iter().find(|row| row.seq == seq)), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"seq":1,"search_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","job_id":1,"phrase":"a","letters":"a",
        "results":"{'a'}","ip":"","browser_string":"","user_agent":"","searched_at":0,"recorded_at":0}"#;

    fn of(lines: &[&str]) -> Answer {
        parse(&lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn an_error_at_the_end_keeps_the_rows_before_it() {
        let answer = of(&[ROW, r#"{"error":{"code":"unavailable","message":"Later.","field":null}}"#]);
        assert_eq!(answer.rows.len(), 1);
        assert_eq!(answer.failure.map(|error| error.code), Some(ErrorCode::Unavailable));
    }

    #[test]
    fn an_unreadable_line_is_an_error() {
        let answer = of(&["<html>"]);
        assert!(answer.rows.is_empty());
        assert_eq!(answer.failure.map(|error| error.code), Some(ErrorCode::Malformed));
    }

    #[test]
    fn the_last_line_says_how_far_was_looked() {
        let answer = of(&[ROW, r#"{"looked":{"from":9,"to":5,"end":1,"last":12,"is_done":false}}"#]);
        let looked = ScanProgress { from: LogSeq(9), to: LogSeq(5), end: LogSeq(1), last: LogSeq(12), is_done: false };
        assert_eq!((answer.rows.len(), answer.looked, answer.failure), (1, Some(looked), None));
    }
}
