//! The steps of a record on its way into the log: what stands on the receipt.

use api::{JobState, ReceiptState};

use crate::search::words;

/// The steps of a record, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Accepted,
    Waiting,
    Writing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Past,
    Now,
    /// The record has come this far and stands still.
    Held,
    Ahead,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Past => "past",
            Self::Now => "now",
            Self::Held => "held",
            Self::Ahead => "ahead",
        }
    }
}

impl Step {
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Waiting, Self::Writing];

    /// What every receipt promises.
    pub fn promise(self) -> &'static str {
        match self {
            Self::Accepted => words::SAFE_ON_DISK,
            Self::Waiting => words::WAITS_FOR_A_WORKER,
            Self::Writing => words::WRITTEN_TO_THE_LOG,
        }
    }

    /// The step that the record is in. `None` once it is written.
    fn of(state: &ReceiptState) -> Option<Self> {
        match state.state {
            // Its job does not exist yet, whatever state it will have.
            _ if state.spooled => Some(Self::Waiting),
            JobState::Scheduled | JobState::Waiting | JobState::Retrying => Some(Self::Waiting),
            JobState::Running => Some(Self::Writing),
            JobState::Done => None,
            // The job ended without a row, in the last step that it began.
            JobState::Dead | JobState::Cancelled => Some(Self::Writing),
        }
    }

    pub fn standing(self, state: Option<&ReceiptState>, is_over: bool) -> Standing {
        let reached = state.map_or(Some(Self::Waiting), Self::of);
        match reached {
            None => Standing::Past,
            Some(reached) if self < reached => Standing::Past,
            Some(reached) if self > reached => Standing::Ahead,
            // A pause does not stop what runs.
            Some(_) if is_over || self == Self::Waiting && state.is_some_and(|state| state.paused) => Standing::Held,
            Some(_) => Standing::Now,
        }
    }

    pub fn label(self, state: Option<&ReceiptState>, most_ahead: u64) -> String {
        let Some(state) = state else { return self.promise().to_owned() };
        let reached = Self::of(state);
        let is_past = reached.is_none_or(|reached| self < reached);
        match self {
            Self::Accepted => self.promise().to_owned(),
            Self::Waiting if is_past && most_ahead > 0 => words::waited_behind(most_ahead),
            Self::Waiting if is_past => words::WAITED.to_owned(),
            Self::Waiting if state.spooled => words::WAITS_FOR_THE_DATABASE.to_owned(),
            Self::Waiting if state.paused => words::PAUSED.to_owned(),
            Self::Waiting if state.state == JobState::Retrying => words::attempt_failed(state.attempt),
            Self::Waiting => words::ahead(state.ahead),
            Self::Writing if is_past => words::WRITTEN.to_owned(),
            Self::Writing if reached != Some(self) => self.promise().to_owned(),
            Self::Writing if state.state.is_final() => words::NOT_WRITTEN.to_owned(),
            Self::Writing if state.attempt > 1 => words::writing_again(state.attempt),
            Self::Writing => words::WRITING.to_owned(),
        }
    }

    /// When the step was over, in milliseconds after the acceptance; for the acceptance itself, how long it took.
    pub fn time(self, state: Option<&ReceiptState>, waited: Option<u32>) -> Option<i64> {
        let time = match self {
            Self::Accepted => return waited.map(i64::from),
            // Otherwise it is that of an attempt that failed.
            Self::Waiting => state?.started_at.filter(|_| self.standing(state, false) == Standing::Past),
            Self::Writing => state?.recorded_at,
        };
        // The worker may be faster than the answer to the visitor.
        let least = waited.map_or(0, i64::from);
        Some(time?.since(state?.accepted_at?).max(least))
    }
}

/// From acceptance to the row, in milliseconds.
pub fn log_took(state: &ReceiptState) -> Option<i64> {
    Some(state.recorded_at?.since(state.accepted_at?).max(0))
}

#[cfg(test)]
mod tests {
    use api::{LogSeq, TimeMs};

    use super::*;

    fn at(state: JobState) -> ReceiptState {
        ReceiptState {
            state,
            ahead: 1_204,
            attempt: 1,
            row: None,
            spooled: false,
            paused: false,
            accepted_at: Some(TimeMs(1_000)),
            started_at: None,
            recorded_at: None,
        }
    }

    fn labels(state: &ReceiptState) -> [String; 3] {
        Step::ALL.map(|step| step.label(Some(state), 22))
    }

    fn standings(state: &ReceiptState) -> [Standing; 3] {
        Step::ALL.map(|step| step.standing(Some(state), state.state.is_final() && state.row.is_none()))
    }

    #[test]
    fn labels_say_what_is_known() {
        let waiting = ["Accepted, safe on disk", "1,204 ahead of you", "Written to the log"];
        assert_eq!(labels(&at(JobState::Waiting)), waiting);
        let again = ReceiptState { attempt: 2, ..at(JobState::Running) };
        assert_eq!(labels(&again)[1..], ["Waited behind 22 others", "Writing (attempt 2)"]);
        let done = ReceiptState { row: Some(LogSeq(48_211)), ..at(JobState::Done) };
        assert_eq!(labels(&done)[1..], ["Waited behind 22 others", "Written by a worker"]);
        assert_eq!(Step::Waiting.label(Some(&done), 0), "Waited for a worker");
    }

    #[test]
    fn steps_ahead_promise_nothing() {
        assert_eq!(Step::ALL.map(|step| step.label(None, 0)), Step::ALL.map(Step::promise));
        assert_eq!(Step::ALL.map(|step| step.standing(None, false)), [Standing::Past, Standing::Now, Standing::Ahead]);
    }

    #[test]
    fn a_record_that_nobody_writes_does_not_pulse() {
        let paused = ReceiptState { paused: true, ..at(JobState::Waiting) };
        assert_eq!(Step::Waiting.label(Some(&paused), 0), "Writing is paused");
        assert_eq!(standings(&paused), [Standing::Past, Standing::Held, Standing::Ahead]);
        let running = ReceiptState { state: JobState::Running, ..paused };
        assert_eq!(standings(&running), [Standing::Past, Standing::Past, Standing::Now], "a pause stops no attempt");
        let dead = at(JobState::Dead);
        assert_eq!(standings(&dead), [Standing::Past, Standing::Past, Standing::Held]);
        assert_eq!(labels(&dead)[2], "Not written");
    }

    #[test]
    fn a_spooled_record_waits_for_the_database_and_then_for_a_worker() {
        let spooled = ReceiptState { spooled: true, ahead: 0, attempt: 0, ..at(JobState::Waiting) };
        assert_eq!(labels(&spooled)[1], "Safe on the server's disk, waiting for the database");
        assert_eq!(standings(&spooled), [Standing::Past, Standing::Now, Standing::Ahead]);
        let replayed = ReceiptState { spooled: false, ahead: 3, ..spooled };
        assert_eq!(labels(&replayed)[1], "3 ahead of you");
    }

    #[test]
    fn times_count_from_the_acceptance() {
        let state =
            ReceiptState { started_at: Some(TimeMs(2_200)), recorded_at: Some(TimeMs(7_000)), ..at(JobState::Done) };
        assert_eq!(Step::ALL.map(|step| step.time(Some(&state), Some(4))), [Some(4), Some(1_200), Some(6_000)]);
        assert_eq!(log_took(&state), Some(6_000));
        let again = ReceiptState { started_at: Some(TimeMs(2_200)), ..at(JobState::Retrying) };
        assert_eq!(Step::Waiting.time(Some(&again), Some(4)), None, "it waits for the next attempt");
        // A clock may have been set back in between.
        let earlier = ReceiptState { recorded_at: Some(TimeMs(0)), ..state };
        assert_eq!(log_took(&earlier), Some(0));
    }
}
