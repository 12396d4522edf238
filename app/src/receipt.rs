//! How far a search's log record has come.

use api::{JobState, ReceiptState};

use crate::wording;

/// The record's way, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Accepted,
    Waiting,
    Writing,
    Recorded,
}

impl Step {
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Waiting, Self::Writing, Self::Recorded];

    #[must_use]
    pub fn of(state: &ReceiptState) -> Self {
        match state.state {
            JobState::Scheduled | JobState::Waiting | JobState::Retrying => Self::Waiting,
            JobState::Running => Self::Writing,
            JobState::Done => Self::Recorded,
            // These end without a row; the last step that was begun is where they stand.
            JobState::Dead | JobState::Cancelled => Self::Writing,
        }
    }

    /// What the step is called, with what is known of it once it is reached.
    #[must_use]
    pub fn label(self, state: Option<&ReceiptState>) -> String {
        let reached = state.filter(|state| Self::of(state) == self);
        match (self, reached) {
            (Self::Accepted, _) => "accepted".to_owned(),
            (Self::Waiting, Some(state)) if state.state == JobState::Retrying => {
                format!("waiting to try again (after attempt {})", state.attempt)
            }
            (Self::Waiting, Some(state)) => format!("waiting ({} ahead)", wording::number(state.ahead)),
            (Self::Waiting, None) => "waiting".to_owned(),
            (Self::Writing, Some(state)) if !state.state.is_final() => format!("writing (attempt {})", state.attempt),
            (Self::Writing, _) => "writing".to_owned(),
            (Self::Recorded, state) => match state.and_then(|state| state.row) {
                Some(row) => format!("recorded as row {}", wording::row_number(row)),
                None => "recorded".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use api::LogSeq;

    use super::*;

    fn at(state: JobState) -> ReceiptState {
        ReceiptState { state, ahead: 1_204, attempt: 1, row: None, spooled: false }
    }

    #[test]
    fn labels_tell_what_is_known() {
        assert_eq!(Step::Waiting.label(Some(&at(JobState::Waiting))), "waiting (1,204 ahead)");
        assert_eq!(Step::Writing.label(Some(&at(JobState::Running))), "writing (attempt 1)");
        let done = ReceiptState { row: Some(LogSeq(48_211)), ..at(JobState::Done) };
        assert_eq!(Step::Recorded.label(Some(&done)), "recorded as row 48,211");
    }

    #[test]
    fn steps_not_reached_promise_nothing() {
        let labels = Step::ALL.map(|step| step.label(None));
        assert_eq!(labels, ["accepted", "waiting", "writing", "recorded"]);
        assert_eq!(Step::Recorded.label(Some(&at(JobState::Running))), "recorded");
    }
}
