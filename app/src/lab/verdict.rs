//! What a comparison shows, as far as its own figures show it.

use api::{FetchSpec, LabStyle, LabSummary, REQUESTS_LIMIT, RUN_LIMIT_MS};

use crate::lab::comparison::{Lane, Outcome};
use crate::lab::ratio::Ratio;
use crate::lab::words;
use crate::lab::words::brief;

/// `Same 10 requests: 20.0 s, or 2.0 s`, as soon as all have ended. Only measured times are in it.
pub fn headline(spec: &FetchSpec, lanes: &[Lane]) -> String {
    let things = words::things(spec);
    let times = || lanes.iter().filter_map(Lane::answered).map(|summary| summary.elapsed_us);
    match (times().max(), times().min()) {
        (Some(slowest), Some(fastest)) if !lanes.iter().any(Lane::is_open) && times().count() > 1 => {
            let (slowest, fastest) = (brief(slowest), brief(fastest));
            if slowest == fastest {
                words::headline_equal(&things, &fastest)
            } else {
                words::headline(&things, &slowest, &fastest)
            }
        }
        _ => words::headline_open(&things),
    }
}

/// How a lane's time compares: with the sequence, or with the slowest if there is no sequence. `None` until that has
/// ended, and if no other has.
pub fn versus(lanes: &[Lane], lane: &Lane) -> Option<String> {
    if lanes.iter().any(Lane::is_open) || lanes.iter().filter_map(Lane::answered).count() < 2 {
        return None;
    }
    let own = lane.answered()?.elapsed_us;
    let slowest = || lanes.iter().filter_map(Lane::answered).map(|summary| summary.elapsed_us).max();
    let (base, measure) = match of(lanes, LabStyle::Sequential) {
        Some(sequence) => (sequence.elapsed_us, words::BASELINE),
        None => (slowest()?, words::SLOWEST),
    };
    if base == own {
        return Some(measure.to_owned());
    }
    let (faster, slower) = (Ratio::of(base, own)?, Ratio::of(own, base)?);
    Some(if faster.is_faster() {
        words::faster(faster)
    } else if slower.is_faster() {
        words::slower(slower)
    } else {
        words::AS_SLOW.to_owned()
    })
}

/// The conclusion, once all runs have ended.
pub fn conclusion(spec: &FetchSpec, lanes: &[Lane]) -> Option<String> {
    let has_ended = lanes.iter().any(|lane| matches!(lane.outcome, Outcome::Ended(_)));
    if lanes.iter().any(Lane::is_open) || !has_ended {
        return None;
    }
    if !lanes.iter().any(|lane| lane.answered().is_some()) {
        return Some(words::NOTHING_ANSWERED.to_owned());
    }
    let sentences = [side_by_side(spec, lanes), threads_and_async(spec, lanes), failures(lanes), stopped(lanes)];
    Some(sentences.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// In sequence, against the fastest other style.
fn side_by_side(spec: &FetchSpec, lanes: &[Lane]) -> Option<String> {
    let others = lanes.iter().filter(|lane| lane.style != LabStyle::Sequential);
    let fastest = others.filter_map(Lane::answered).map(|summary| summary.elapsed_us).min();
    let sequence = lanes.iter().find(|lane| lane.style == LabStyle::Sequential)?;
    if let Outcome::TooLong(least_ms) = sequence.outcome {
        return Some(words::sequence_too_long(&words::things(spec), &brief(least_ms * 1_000), RUN_LIMIT_MS));
    }
    let (sequence, fastest) = (sequence.answered()?.elapsed_us, fastest?);
    let (slow, fast) = (brief(sequence), brief(fastest));
    Some(match Ratio::of(sequence, fastest)? {
        ratio if ratio.is_much_faster() => words::waiting_overlaps(ratio, &fast, &slow),
        ratio if ratio.is_faster() => words::waiting_overlaps_little(ratio, &fast, &slow),
        _ if spec.count == 1 => words::no_faster_alone(&fast, &slow),
        _ => words::no_faster(&fast, &slow),
    })
}

fn threads_and_async(spec: &FetchSpec, lanes: &[Lane]) -> Option<String> {
    let threads = of(lanes, LabStyle::Threads)?.elapsed_us;
    let tasks = of(lanes, LabStyle::Async)?.elapsed_us;
    let (threads_text, tasks_text) = (brief(threads), brief(tasks));
    if Ratio::of(tasks, threads)?.is_faster() {
        return Some(words::threads_faster(&threads_text, &tasks_text));
    }
    if Ratio::of(threads, tasks)?.is_faster() {
        return Some(if spec.workers < spec.count {
            words::few_threads(spec.workers, spec.count, &threads_text, &tasks_text)
        } else {
            words::async_faster(&threads_text, &tasks_text)
        });
    }
    let would_need_more = spec.count < REQUESTS_LIMIT && spec.workers >= spec.count && spec.count > 1;
    Some(if would_need_more { words::TIE_OF_FEW } else { words::TIE }.to_owned())
}

fn failures(lanes: &[Lane]) -> Option<String> {
    let ended = || {
        lanes.iter().filter_map(|lane| match &lane.outcome {
            Outcome::Ended(summary) => Some(summary),
            _ => None,
        })
    };
    let failed: u64 = ended().map(|summary| u64::from(summary.failed)).sum();
    let total: u64 = ended().map(|summary| u64::from(summary.failed + summary.done + summary.cancelled)).sum();
    (failed > 0).then(|| words::some_failed(failed, total))
}

fn stopped(lanes: &[Lane]) -> Option<String> {
    let is_stopped = |lane: &&Lane| matches!(lane.outcome, Outcome::Stopped { .. } | Outcome::Missing);
    let names: Vec<_> = lanes.iter().filter(is_stopped).map(|lane| words::style_name(lane.style)).collect();
    (!names.is_empty()).then(|| words::not_compared(&names))
}

fn of(lanes: &[Lane], style: LabStyle) -> Option<&LabSummary> {
    lanes.iter().find(|lane| lane.style == style)?.answered()
}

#[cfg(test)]
mod tests {
    use api::JobState;

    use super::*;
    use crate::ui::format::plain;

    fn ended(style: LabStyle, elapsed_ms: u64, failed: u32) -> Lane {
        let summary = LabSummary { elapsed_us: elapsed_ms * 1_000, done: 10 - failed, failed, ..LabSummary::default() };
        Lane { style, outcome: Outcome::Ended(summary) }
    }

    fn lanes(times_ms: [u64; 4]) -> Vec<Lane> {
        LabStyle::ALL.iter().zip(times_ms).map(|(&style, ms)| ended(style, ms, 0)).collect()
    }

    const FIRST: FetchSpec = FetchSpec::FIRST;

    #[test]
    fn the_usual_comparison() {
        let lanes = lanes([20_030, 2_004, 2_003, 2_008]);
        assert_eq!(plain(headline(&FIRST, &lanes)), "Same 10 requests: 20.0 s, or 2.0 s");
        let versus: Vec<_> = lanes.iter().filter_map(|lane| versus(&lanes, lane)).collect();
        assert_eq!(versus, ["baseline", "10× faster", "10× faster", "10× faster"]);
        let conclusion = plain(conclusion(&FIRST, &lanes).unwrap_or_default());
        assert!(conclusion.contains("10 times faster: 2.0 s instead of 20.0 s"), "{conclusion}");
        assert!(conclusion.contains("Threads and async tie here"), "{conclusion}");
    }

    #[test]
    fn fewer_threads_than_requests_wait_in_rounds() {
        let spec = FetchSpec { workers: 4, ..FIRST };
        let conclusion = plain(conclusion(&spec, &lanes([20_000, 6_000, 6_000, 2_000])).unwrap_or_default());
        assert!(conclusion.contains("4 threads"), "{conclusion}");
        assert!(conclusion.contains("6.0 s") && !conclusion.contains("tie"), "{conclusion}");
    }

    #[test]
    fn nothing_is_claimed_that_the_figures_do_not_show() {
        let text = |spec: &FetchSpec, lanes: &[Lane]| conclusion(spec, lanes).unwrap_or_default();
        let alone = FetchSpec { count: 1, ..FIRST };
        let equal = lanes([2_000, 2_001, 2_000, 2_002]);
        assert_eq!(plain(headline(&alone, &equal)), "Same 1 request: 2.0 s either way");
        assert!(text(&alone, &equal).contains("nothing to wait for beside"), "{}", text(&alone, &equal));
        let no_wait = lanes([10, 15, 15, 18]);
        assert!(text(&FIRST, &no_wait).contains("no faster here"), "{}", text(&FIRST, &no_wait));
        assert!(text(&FIRST, &no_wait).contains("Threads were faster than async"), "{}", text(&FIRST, &no_wait));
        assert_eq!(versus(&no_wait, &no_wait[3]).as_deref(), Some("1.8× slower"));
    }

    #[test]
    fn failures_and_missing_runs_are_named() {
        let mut some = lanes([20_000, 2_000, 2_000, 2_000]);
        some[1] = ended(LabStyle::Threads, 2_000, 3);
        some[3].outcome = Outcome::Stopped { state: JobState::Cancelled, error: None };
        let text = conclusion(&FIRST, &some).unwrap_or_default();
        assert!(text.contains("3 of 30 requests failed"), "{text}");
        assert!(text.contains("Async did not run to its end"), "{text}");
        let all_failed: Vec<_> = LabStyle::ALL.iter().map(|&style| ended(style, 5, 10)).collect();
        assert_eq!(conclusion(&FIRST, &all_failed).as_deref(), Some(words::NOTHING_ANSWERED));
        assert_eq!(headline(&FIRST, &all_failed), "Same 10 requests, four ways");
    }

    #[test]
    fn a_sequence_that_was_not_run_is_not_measured() {
        let many = FetchSpec { count: 1_000, workers: 100, ..FIRST };
        let mut lanes = lanes([0, 20_100, 20_100, 2_500]);
        lanes[0].outcome = Outcome::TooLong(2_000_000);
        assert_eq!(plain(headline(&many, &lanes)), "Same 1,000 requests: 20.1 s, or 2.5 s");
        let text = plain(conclusion(&many, &lanes).unwrap_or_default());
        assert!(text.contains("would take 33 min 20 s"), "{text}");
        assert_eq!(versus(&lanes, &lanes[3]).as_deref(), Some("8.0× faster"));
        assert_eq!(versus(&lanes, &lanes[0]), None);
        assert_eq!(versus(&lanes, &lanes[1]).as_deref(), Some("slowest"));
        for stopped in [1, 2] {
            lanes[stopped].outcome = Outcome::Stopped { state: api::JobState::Cancelled, error: None };
        }
        assert_eq!(versus(&lanes, &lanes[3]), None, "there is nothing to compare it with");
    }

    #[test]
    fn there_is_no_conclusion_before_the_end() {
        let mut lanes = lanes([20_000, 2_000, 2_000, 2_000]);
        lanes[0].outcome = Outcome::Running;
        assert_eq!(versus(&lanes, &lanes[1]), None);
        assert_eq!(
            (conclusion(&FIRST, &lanes), headline(&FIRST, &lanes)),
            (None, "Same 10 requests, four ways".to_owned())
        );
    }
}
