//! The runs so far, side by side.

use api::{JobState, LabRun, LabRunId, LabSpec, TimeMs};

use super::{span, words};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedRun {
    pub id: LabRunId,
    pub title: String,
    pub state: JobState,
    pub created_at: TimeMs,
    /// None until it has ended by itself.
    pub elapsed_us: Option<u64>,
    /// Its elapsed time in thousandths of the longest.
    pub thousandths: u64,
    /// How much faster than its items one after the other.
    pub against_sum: Option<String>,
    /// How much faster than the slowest run with the same work.
    pub against_slowest: Option<String>,
    /// Those of its items that failed.
    pub failed: u32,
}

/// `runs` as they come, each with what it is compared to.
#[must_use]
pub fn compare(runs: &[LabRun]) -> Vec<ComparedRun> {
    let longest = runs.iter().filter_map(elapsed).max().unwrap_or_default().max(1);
    runs.iter().map(|run| compared(run, runs, longest)).collect()
}

fn compared(run: &LabRun, runs: &[LabRun], longest: u64) -> ComparedRun {
    let elapsed_us = elapsed(run);
    let is_fetch = matches!(run.spec, LabSpec::Fetch(_));
    let like = runs.iter().filter(|other| is_like(&run.spec, &other.spec)).filter_map(elapsed);
    let slowest = if is_fetch && like.clone().count() > 1 { like.max() } else { None };
    let work = run.summary.as_ref().filter(|_| is_fetch).map(|summary| summary.work_us);
    let times = |whole: Option<u64>| whole.zip(elapsed_us).and_then(|(whole, part)| span::times(whole, part));
    ComparedRun {
        id: run.id,
        title: words::title(&run.spec),
        state: run.state,
        created_at: run.created_at,
        elapsed_us,
        thousandths: elapsed_us.map_or(0, |elapsed| elapsed.saturating_mul(1_000) / longest),
        against_sum: times(work),
        against_slowest: times(slowest),
        failed: run.summary.as_ref().map_or(0, |summary| summary.failed),
    }
}

fn elapsed(run: &LabRun) -> Option<u64> {
    run.summary.as_ref().map(|summary| summary.elapsed_us)
}

/// Whether two runs do the same work, in whatever style.
fn is_like(one: &LabSpec, other: &LabSpec) -> bool {
    match (one, other) {
        (LabSpec::Fetch(one), LabSpec::Fetch(other)) => {
            (one.work, one.count, one.latency_ms, one.jitter_ms)
                == (other.work, other.count, other.latency_ms, other.jitter_ms)
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use api::{FetchSpec, JobId, LabOrder, LabStyle, LabSummary, LabWork};

    use super::*;

    fn run(style: LabStyle, count: u32, elapsed_ms: Option<u64>) -> LabRun {
        LabRun {
            id: LabRunId::from_parts(1, 1),
            job: JobId(1),
            spec: LabSpec::Fetch(FetchSpec {
                work: LabWork::Second,
                style,
                count,
                workers: 10,
                latency_ms: 2_000,
                jitter_ms: 0,
                order: LabOrder::Input,
                timeout_ms: None,
            }),
            state: JobState::Done,
            ahead: 0,
            created_at: TimeMs(0),
            finished_at: None,
            percent: 100,
            summary: elapsed_ms.map(|ms| LabSummary {
                elapsed_us: ms * 1_000,
                work_us: 20_000_000,
                ..LabSummary::default()
            }),
            error: None,
            can_cancel: false,
        }
    }

    #[test]
    fn runs_with_the_same_work_are_compared_in_whatever_style() {
        let runs = [
            run(LabStyle::Async, 10, Some(2_000)),
            run(LabStyle::Sequential, 10, Some(20_000)),
            run(LabStyle::Async, 100, Some(4_000)),
        ];
        let compared = compare(&runs);
        let texts = |texts: [&Option<String>; 3]| texts.map(|text| text.clone().unwrap_or_default());
        assert_eq!(
            texts([0, 1, 2].map(|index: usize| &compared[index].against_slowest)),
            ["10.0×", "1.0×", ""],
            "nothing is like the third"
        );
        assert_eq!(texts([0, 1, 2].map(|index: usize| &compared[index].against_sum)), ["10.0×", "1.0×", "5.0×"]);
        assert_eq!(compared.iter().map(|run| run.thousandths).collect::<Vec<_>>(), [100, 1_000, 200]);
    }

    #[test]
    fn a_run_that_has_not_ended_is_compared_to_nothing() {
        let compared = compare(&[run(LabStyle::Async, 10, None), run(LabStyle::Async, 10, Some(2_000))]);
        assert_eq!((compared[0].elapsed_us, compared[0].thousandths), (None, 0));
        assert_eq!((compared[0].against_sum.clone(), compared[1].against_slowest.clone()), (None, None));
    }
}
