//! The ledger's equation: where accepted searches can be, in the order in which they are added up.

use api::{JobState, Ledger};

use crate::{url, wording};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Recorded,
    Scheduled,
    Waiting,
    Running,
    Retrying,
    Dead,
    Cancelled,
    Spooled,
}

impl Part {
    pub const ALL: [Self; 8] = [
        Self::Recorded,
        Self::Scheduled,
        Self::Waiting,
        Self::Running,
        Self::Retrying,
        Self::Dead,
        Self::Cancelled,
        Self::Spooled,
    ];

    #[must_use]
    pub fn count(self, ledger: &Ledger) -> u64 {
        match self {
            Self::Recorded => ledger.recorded,
            Self::Scheduled => ledger.scheduled,
            Self::Waiting => ledger.waiting,
            Self::Running => ledger.running,
            Self::Retrying => ledger.retrying,
            Self::Dead => ledger.dead,
            Self::Cancelled => ledger.cancelled,
            Self::Spooled => ledger.spooled,
        }
    }

    /// The state of these searches' jobs; none where they have no job yet.
    #[must_use]
    pub fn job_state(self) -> Option<JobState> {
        match self {
            Self::Recorded => Some(JobState::Done),
            Self::Scheduled => Some(JobState::Scheduled),
            Self::Waiting => Some(JobState::Waiting),
            Self::Running => Some(JobState::Running),
            Self::Retrying => Some(JobState::Retrying),
            Self::Dead => Some(JobState::Dead),
            Self::Cancelled => Some(JobState::Cancelled),
            Self::Spooled => None,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match (self, self.job_state()) {
            (Self::Recorded, _) => "recorded",
            (_, Some(state)) => state.as_str(),
            (_, None) => "spooled",
        }
    }

    /// The state whose colour they have.
    #[must_use]
    pub fn color(self) -> &'static str {
        self.job_state().map_or(self.as_str(), JobState::as_str)
    }

    /// Where one sees them.
    #[must_use]
    pub fn address(self) -> String {
        match (self, self.job_state()) {
            (Self::Recorded, _) => "/viewlog".to_owned(),
            (_, Some(state)) => url::with_query("/jobs", &[("state", Some(state.as_str()))]),
            // Further down on the same page.
            (_, None) => "#spool-title".to_owned(),
        }
    }
}

/// The equation as a sentence, for those who do not see the bar.
#[must_use]
pub fn sentence(ledger: &Ledger) -> String {
    let places = Part::ALL.map(|part| (part, part.count(ledger))).into_iter().filter(|&(_, count)| count > 0);
    let places: Vec<String> =
        places.map(|(part, count)| format!("{} {}", wording::number(count), part.as_str())).collect();
    let places = if places.is_empty() { "none anywhere".to_owned() } else { places.join(", ") };
    format!("{} accepted: {places}", wording::number(ledger.accepted))
}

/// What the drift says.
#[must_use]
pub fn verdict(drift: i64) -> String {
    let count = wording::number(drift.unsigned_abs());
    match drift {
        0 => "Drift 0: every accepted search is where it should be.".to_owned(),
        1 => "Drift 1: one accepted search is nowhere.".to_owned(),
        2.. => format!("Drift {count}: {count} accepted searches are nowhere."),
        // With the sign for minus, which is as wide as a digit.
        -1 => "Drift \u{2212}1: one search is in two places.".to_owned(),
        _ => format!("Drift \u{2212}{count}: {count} searches are in two places."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: Ledger = Ledger {
        accepted: 1_036,
        recorded: 1_000,
        scheduled: 1,
        waiting: 2,
        running: 3,
        retrying: 4,
        dead: 5,
        cancelled: 6,
        spooled: 15,
    };

    #[test]
    fn the_parts_add_up_to_what_was_accepted() {
        assert_eq!(LEDGER.drift(), 0);
        assert_eq!(Part::ALL.map(|part| part.count(&LEDGER)).into_iter().sum::<u64>(), LEDGER.accepted);
    }

    #[test]
    fn each_part_leads_to_where_its_searches_are() {
        assert_eq!(Part::Recorded.address(), "/viewlog");
        assert_eq!(Part::Dead.address(), "/jobs?state=dead");
        assert_eq!(Part::Spooled.address(), "#spool-title");
    }

    #[test]
    fn the_sentence_leaves_out_what_is_empty() {
        let quiet = Ledger { accepted: 1_016, recorded: 1_000, dead: 1, spooled: 15, ..Ledger::default() };
        assert_eq!(sentence(&quiet), "1,016 accepted: 1,000 recorded, 1 dead, 15 spooled");
        assert_eq!(sentence(&Ledger::default()), "0 accepted: none anywhere");
    }

    #[test]
    fn a_drift_says_in_which_direction() {
        assert_eq!(verdict(0), "Drift 0: every accepted search is where it should be.");
        assert_eq!(verdict(1), "Drift 1: one accepted search is nowhere.");
        assert_eq!(verdict(1_204), "Drift 1,204: 1,204 accepted searches are nowhere.");
        assert_eq!(verdict(-1), "Drift \u{2212}1: one search is in two places.");
        assert_eq!(verdict(-2), "Drift \u{2212}2: 2 searches are in two places.");
    }
}
