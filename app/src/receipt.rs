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
            // Its job is not there yet, whatever state it will have.
            _ if state.spooled => Self::Waiting,
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
            (Self::Waiting, Some(state)) if state.spooled => {
                "safe on the server's disk, waiting for the database".to_owned()
            }
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

/// Whether the record lies in the spool, as a page sees it that was there all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpoolStay {
    Never,
    Lasts,
    Over,
}

impl SpoolStay {
    /// What it is after `earlier`, by the latest news.
    #[must_use]
    pub fn after(earlier: Self, is_spooled: bool) -> Self {
        match (earlier, is_spooled) {
            (_, true) => Self::Lasts,
            (Self::Never, false) => Self::Never,
            (Self::Lasts | Self::Over, false) => Self::Over,
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
    fn a_spooled_record_waits_for_the_database_and_then_for_a_worker() {
        let spooled = ReceiptState { spooled: true, ahead: 0, attempt: 0, ..at(JobState::Waiting) };
        assert_eq!(Step::of(&spooled), Step::Waiting);
        let labels = Step::ALL.map(|step| step.label(Some(&spooled)));
        let waiting = "safe on the server's disk, waiting for the database";
        assert_eq!(labels, ["accepted", waiting, "writing", "recorded"]);
        let replayed = ReceiptState { spooled: false, ahead: 3, ..spooled };
        assert_eq!(Step::Waiting.label(Some(&replayed)), "waiting (3 ahead)");
    }

    #[test]
    fn a_stay_in_the_spool_is_remembered_when_it_is_over() {
        let after =
            |news: &[bool]| news.iter().fold(SpoolStay::Never, |earlier, &news| SpoolStay::after(earlier, news));
        assert_eq!(after(&[false, false]), SpoolStay::Never);
        assert_eq!(after(&[true, true]), SpoolStay::Lasts);
        assert_eq!(after(&[true, false, false]), SpoolStay::Over);
        assert_eq!(after(&[false, true]), SpoolStay::Lasts, "the receipt knows better than the answer did");
    }

    #[test]
    fn steps_not_reached_promise_nothing() {
        let labels = Step::ALL.map(|step| step.label(None));
        assert_eq!(labels, ["accepted", "waiting", "writing", "recorded"]);
        assert_eq!(Step::Recorded.label(Some(&at(JobState::Running))), "recorded");
    }
}
