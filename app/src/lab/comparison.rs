//! A comparison: the same requests in every style, as runs whose ids belong together.

use api::{
    ApiError, ErrorCode, FetchSpec, JobState, LabOrder, LabRun, LabRunId, LabSpec, LabStyle, LabSummary, SearchId,
};

use crate::lab::words::form as words;
use crate::platform::url;

/// The order in which the runs take place. The long one is last: by then everybody sees how short the others were.
pub const STARTED: [LabStyle; 4] = [LabStyle::Async, LabStyle::Threads, LabStyle::Futures, LabStyle::Sequential];

/// The runs of a comparison have this id but for its last two bits, which say the style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparisonId(u128);

const STYLE_BITS: u128 = 0b11;

impl ComparisonId {
    /// The comparison that this run would belong to.
    pub fn of(run: LabRunId) -> Self {
        Self(run.0 & !STYLE_BITS)
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::of)
    }

    pub fn run(self, style: LabStyle) -> LabRunId {
        SearchId(self.0 | position(style))
    }

    /// The address of the page that shows it.
    pub fn address(self) -> String {
        url::with_query("/lab", &[("compare", Some(&SearchId(self.0).to_string()))])
    }
}

fn position(style: LabStyle) -> u128 {
    LabStyle::ALL.iter().zip(0..).find(|(known, _)| **known == style).map_or(0, |(_, position)| position)
}

/// The newest comparison among these runs, newest first, that is going on or has run to its end: one that was cancelled
/// shows nothing to others. A run that merely has such an id is none.
pub fn newest(runs: &[LabRun]) -> Option<ComparisonId> {
    let is_part =
        |run: &LabRun, id: ComparisonId| matches!(&run.spec, LabSpec::Fetch(spec) if id.run(spec.style) == run.id);
    let goes_to_its_end = |run: &LabRun| run.state == JobState::Done || !run.state.is_final();
    let is_shown = |id: &ComparisonId| {
        let parts = || runs.iter().filter(|run| is_part(run, *id));
        parts().count() > 1 && parts().all(goes_to_its_end)
    };
    runs.iter().map(|run| ComparisonId::of(run.id)).find(is_shown)
}

/// The same work in another style.
pub fn in_style(spec: &FetchSpec, style: LabStyle) -> FetchSpec {
    FetchSpec { style, order: LabOrder::Input, ..spec.clone() }
}

/// The work in each style that can run, in the order in which they take place. Fails with the error of a field, or if
/// there would be nothing to compare.
pub fn specs(spec: &FetchSpec) -> Result<Vec<FetchSpec>, ApiError> {
    let styles = STARTED.map(|style| in_style(spec, style));
    // No style is faster: an error here is that of the work itself.
    LabSpec::Fetch(in_style(spec, LabStyle::Async)).check()?;
    let is_short = |spec: &FetchSpec| LabSpec::Fetch(spec.clone()).check().is_ok();
    let specs: Vec<FetchSpec> = styles.into_iter().filter(is_short).collect();
    if specs.len() > 1 {
        return Ok(specs);
    }
    Err(ApiError::at(ErrorCode::Invalid, "workers", words::NOTHING_TO_COMPARE))
}

/// One style of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub style: LabStyle,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not started: it would take at least so many milliseconds, longer than a run may take.
    TooLong(u64),
    /// It was never started, or its run was deleted.
    Missing,
    /// How many jobs will start before it.
    Waiting(u64),
    Running,
    Ended(LabSummary),
    /// It ended before its work did: cancelled, or dead of this error.
    Stopped {
        state: JobState,
        error: Option<String>,
    },
}

impl Lane {
    pub fn new(spec: &FetchSpec, style: LabStyle, run: Option<&LabRun>) -> Self {
        let spec = in_style(spec, style);
        let outcome = match run.map(|run| (run.state, run.ahead, run)) {
            None if LabSpec::Fetch(spec.clone()).check().is_err() => Outcome::TooLong(spec.min_duration_ms()),
            None => Outcome::Missing,
            Some((JobState::Done, _, LabRun { summary: Some(summary), .. })) => Outcome::Ended(summary.clone()),
            Some((JobState::Running, ..)) => Outcome::Running,
            Some((state, _, run)) if state.is_final() => Outcome::Stopped { state, error: run.error.clone() },
            Some((_, ahead, _)) => Outcome::Waiting(ahead),
        };
        Self { style, outcome }
    }

    /// The summary of a run that has ended with at least one answer.
    pub fn answered(&self) -> Option<&LabSummary> {
        match &self.outcome {
            Outcome::Ended(summary) if summary.done > 0 => Some(summary),
            _ => None,
        }
    }

    pub fn is_open(&self) -> bool {
        matches!(self.outcome, Outcome::Waiting(_) | Outcome::Running)
    }

    /// Whether how long it should take is still of interest: it has not run to its end.
    pub fn is_expected(&self) -> bool {
        self.is_open() || matches!(self.outcome, Outcome::Stopped { .. })
    }

    fn has_begun(&self) -> bool {
        matches!(self.outcome, Outcome::Running | Outcome::Ended(_))
    }
}

/// Where a waiting style stands among those that are run, and their number, from 1. `None` until one of them has begun:
/// then the runs of others may be ahead.
pub fn turn(lanes: &[Lane], style: LabStyle) -> Option<Turn> {
    let is_run = |lane: &&Lane| !matches!(lane.outcome, Outcome::TooLong(_) | Outcome::Missing);
    let of = |style: LabStyle| lanes.iter().filter(is_run).find(|lane| lane.style == style);
    let order: Vec<&Lane> = STARTED.into_iter().filter_map(of).collect();
    let position = order.iter().position(|lane| lane.style == style)?;
    let is_next = !order[..position].iter().any(|lane| matches!(lane.outcome, Outcome::Waiting(_)));
    let has_begun = order.iter().any(|lane| lane.has_begun());
    has_begun.then(|| Turn { position: position + 1, total: order.len(), is_next })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub position: usize,
    pub total: usize,
    pub is_next: bool,
}

#[cfg(test)]
mod tests {
    use api::{JobId, TimeMs};

    use super::*;

    const ID: ComparisonId = ComparisonId(0b1000);

    fn run(id: LabRunId, style: LabStyle) -> LabRun {
        LabRun {
            id,
            job: JobId(1),
            spec: LabSpec::Fetch(in_style(&FetchSpec::FIRST, style)),
            state: JobState::Done,
            ahead: 0,
            created_at: TimeMs(0),
            finished_at: None,
            percent: 100,
            summary: Some(LabSummary { done: 10, ..LabSummary::default() }),
            error: None,
            can_cancel: false,
        }
    }

    #[test]
    fn runs_belong_together_by_their_ids() {
        let ids = LabStyle::ALL.map(|style| ID.run(style));
        assert_eq!(ids.map(|id| id.0), [0b1000, 0b1001, 0b1010, 0b1011]);
        assert!(ids.into_iter().all(|id| ComparisonId::of(id) == ID));
        let address = ID.address();
        assert_eq!(address.split_once('=').and_then(|(_, id)| ComparisonId::parse(id)), Some(ID));
        assert_eq!(ComparisonId::parse("x"), None);
    }

    #[test]
    fn a_run_that_failed_says_why() {
        let failed = LabRun {
            state: JobState::Dead,
            summary: None,
            error: Some("no".to_owned()),
            ..run(ID.run(LabStyle::Async), LabStyle::Async)
        };
        let lane = Lane::new(&FetchSpec::FIRST, LabStyle::Async, Some(&failed));
        assert_eq!(lane.outcome, Outcome::Stopped { state: JobState::Dead, error: Some("no".to_owned()) });
        assert!(!lane.is_open());
    }

    #[test]
    fn one_run_is_no_comparison() {
        let single = run(SearchId(0b1_0011), LabStyle::Async);
        let pair = [LabStyle::Threads, LabStyle::Async].map(|style| run(ID.run(style), style));
        assert_eq!(newest(std::slice::from_ref(&single)), None);
        let runs: Vec<LabRun> = [single].into_iter().chain(pair.clone()).collect();
        assert_eq!(newest(&runs), Some(ID));
        let other_style = [pair[0].clone(), run(ID.run(LabStyle::Async), LabStyle::Futures)];
        assert_eq!(newest(&other_style), None, "its id says another style");
    }

    #[test]
    fn a_comparison_that_was_cancelled_is_not_the_newest() {
        let pair = |id: ComparisonId, states: [JobState; 2]| {
            let styles = [LabStyle::Threads, LabStyle::Async].into_iter().zip(states);
            styles.map(move |(style, state)| LabRun { state, ..run(id.run(style), style) })
        };
        let later = ComparisonId(0b1_0000);
        let found = |states| {
            let runs: Vec<LabRun> = pair(later, states).chain(pair(ID, [JobState::Done; 2])).collect();
            newest(&runs)
        };
        use JobState::{Cancelled, Dead, Done, Running, Waiting};
        assert_eq!([[Done, Done], [Running, Waiting], [Waiting, Waiting]].map(found), [Some(later); 3]);
        assert_eq!([[Cancelled, Cancelled], [Cancelled, Done], [Done, Dead]].map(found), [Some(ID); 3]);
    }

    #[test]
    fn each_waiting_style_knows_its_turn() {
        let lanes = |first: Outcome| {
            let rest = STARTED.into_iter().skip(1).map(|style| Lane { style, outcome: Outcome::Waiting(1) });
            [Lane { style: LabStyle::Async, outcome: first }].into_iter().chain(rest).collect::<Vec<_>>()
        };
        let turns = |lanes: &[Lane]| STARTED.map(|style| turn(lanes, style).map(|turn| (turn.position, turn.is_next)));
        let running = lanes(Outcome::Running);
        assert_eq!(turns(&running)[1..], [Some((2, true)), Some((3, false)), Some((4, false))]);
        assert_eq!(turns(&lanes(Outcome::Waiting(1))), [None; 4]);
    }

    #[test]
    fn what_would_take_too_long_is_left_out() {
        let styles =
            |spec: &FetchSpec| specs(spec).map(|specs| specs.iter().map(|spec| spec.style).collect::<Vec<_>>());
        assert_eq!(styles(&FetchSpec::FIRST), Ok(STARTED.to_vec()));
        let many = FetchSpec { count: 1_000, workers: 100, ..FetchSpec::FIRST };
        assert_eq!(styles(&many), Ok(vec![LabStyle::Async, LabStyle::Threads, LabStyle::Futures]));
        let lane = Lane::new(&many, LabStyle::Sequential, None);
        assert_eq!(lane.outcome, Outcome::TooLong(2_000_000));
        let field = |spec| styles(&spec).map_err(|error| error.field);
        assert_eq!(field(FetchSpec { workers: 1, ..many }), Err(Some("workers".to_owned())), "nothing to compare");
        assert_eq!(field(FetchSpec { count: 0, ..FetchSpec::FIRST }), Err(Some("count".to_owned())));
    }
}
