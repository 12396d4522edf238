//! A run's figures: as its summary has them, or until there is one as its events tell.

use api::{ItemState, LabRun, LabTrace};

use super::bars;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub elapsed_us: u64,
    pub total: u64,
    pub done: u64,
    pub failed: u64,
    pub cancelled: u64,
    /// The sum of all items' durations.
    pub work_us: u64,
    /// From 0 to 100.
    pub percent: u8,
}

impl Figures {
    #[must_use]
    pub fn of(run: &LabRun, trace: &LabTrace, now_us: u64) -> Self {
        let count = |state| trace.count(state) as u64;
        let total = trace.items.len() as u64;
        let told = Self {
            elapsed_us: now_us,
            total,
            done: count(ItemState::Done),
            failed: count(ItemState::Failed),
            cancelled: count(ItemState::Cancelled),
            work_us: trace
                .items
                .iter()
                .filter_map(|item| bars::worked(item, now_us))
                .map(|(start, end)| end - start)
                .sum(),
            percent: 0,
        };
        let figures = match &run.summary {
            Some(summary) => Self {
                elapsed_us: summary.elapsed_us,
                done: summary.done.into(),
                failed: summary.failed.into(),
                cancelled: summary.cancelled.into(),
                work_us: summary.work_us,
                ..told
            },
            None => told,
        };
        let ended = (figures.done + figures.failed + figures.cancelled) * 100 / total.max(1);
        let percent = u8::try_from(ended.min(100)).unwrap_or(100);
        // Both are late at times: the events by their batches, the job's progress by its reports.
        Self { percent: if run.summary.is_some() { 100 } else { percent.max(run.percent.min(100)) }, ..figures }
    }
}

#[cfg(test)]
mod tests {
    use api::{JobId, JobState, LabEvent, LabFact, LabRunId, LabSpec, LabSummary, RequestSpec, TimeMs};

    use super::*;

    fn run(percent: u8, summary: Option<LabSummary>) -> LabRun {
        LabRun {
            id: LabRunId::from_parts(1, 1),
            job: JobId(1),
            spec: LabSpec::Request(RequestSpec { delay_ms: 100 }),
            state: JobState::Running,
            ahead: 0,
            created_at: TimeMs(0),
            finished_at: None,
            percent,
            summary,
            error: None,
            can_cancel: false,
        }
    }

    fn trace() -> LabTrace {
        let mut trace = LabTrace::default();
        for (at_us, what) in [
            (0, LabFact::Began { labels: vec![String::new(); 4] }),
            (0, LabFact::Started { item: 0 }),
            (10, LabFact::Done { item: 0, text: String::new() }),
            (10, LabFact::Started { item: 1 }),
        ] {
            trace.take(LabEvent { at_us, what });
        }
        trace
    }

    #[test]
    fn events_tell_until_there_is_a_summary() {
        let figures = Figures::of(&run(10, None), &trace(), 15);
        assert_eq!((figures.elapsed_us, figures.done, figures.total, figures.work_us), (15, 1, 4, 15));
        assert_eq!(figures.percent, 25, "one of four");
        assert_eq!(Figures::of(&run(40, None), &trace(), 15).percent, 40, "the job knows more");
        let summary = LabSummary { elapsed_us: 99, done: 4, work_us: 300, ..LabSummary::default() };
        let figures = Figures::of(&run(40, Some(summary)), &trace(), 15);
        assert_eq!((figures.elapsed_us, figures.done, figures.work_us, figures.percent), (99, 4, 300, 100));
    }

    #[test]
    fn a_run_without_items_is_as_far_as_its_job() {
        assert_eq!(Figures::of(&run(30, None), &LabTrace::default(), 0).percent, 30);
    }
}
