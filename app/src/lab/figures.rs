//! A run's figures: from its summary, or from its events until there is one.

use api::{FetchSpec, LabRun, LabSpec, LabSummary, LabTrace, PoolStep, PoolSummary};
use leptos::prelude::*;

use crate::lab::ratio::Ratio;
use crate::lab::stream::RunStream;
use crate::lab::words::brief;
use crate::lab::words::run::{ELAPSED, tile};
use crate::lab::{bars, failures};
use crate::ui::format::{measured, number};

/// A label, a value and a remark.
type Tile = (&'static str, String, String);

#[component]
pub fn RunTiles(stream: RunStream) -> impl IntoView {
    let tiles = move || {
        let run = stream.run.get();
        let now_us = stream.now_us.get();
        stream.trace.with(|trace| {
            let figures = Figures::of(&run, trace, now_us);
            match &run.spec {
                LabSpec::Fetch(spec) => {
                    let mut tiles = of_items(&figures, tile::of_requests);
                    tiles.push((
                        tile::FAILED,
                        number(figures.summary.failed.into()),
                        failures::summary(&failures::by_kind(&trace.items)),
                    ));
                    tiles.push(speed_up(spec, run.summary.as_ref()));
                    tiles
                }
                LabSpec::Database(_) => {
                    let mut tiles = of_items(&figures, tile::of_tasks);
                    tiles.extend(of_pool(run.summary.as_ref().and_then(|summary| summary.pool), &trace.pool));
                    tiles
                }
                // The lanes show all that there is.
                LabSpec::Request(_) => vec![],
            }
        })
    };
    let count = stream.run.with_untracked(|run| match run.spec {
        LabSpec::Fetch(_) | LabSpec::Database(_) => 4,
        LabSpec::Request(_) => 0,
    });
    // The tiles stay and only their texts change, so that a ticking clock rebuilds nothing.
    let tiles = Memo::new(move |_| tiles());
    let tile = move |index: usize| {
        let part = move |choose: fn(&Tile) -> String| move || tiles.with(|tiles| tiles.get(index).map(choose));
        view! {
            <div class="lab_tile">
                <dt>{part(|tile| tile.0.to_owned())}</dt>
                <dd>{part(|tile| tile.1.clone())}</dd>
                <dd class="lab_tile_remark">{part(|tile| tile.2.clone())}</dd>
            </div>
        }
    };
    (count > 0).then(|| {
        view! { <dl class="lab_tiles">{(0..count).map(tile).collect_view()}</dl> }
    })
}

fn elapsed(summary: &LabSummary) -> Tile {
    (ELAPSED, measured(summary.elapsed_us), String::new())
}

fn of_items(Figures { summary, total, .. }: &Figures, of_all: fn(u64) -> String) -> Vec<Tile> {
    let total = (*total > 0).then(|| of_all(*total));
    let cancelled = (summary.cancelled > 0).then(|| tile::cancelled(summary.cancelled));
    let remark = total.into_iter().chain(cancelled).collect::<Vec<_>>().join(", ");
    vec![elapsed(summary), (tile::DONE, number(summary.done.into()), remark)]
}

/// Compared with the requests one by one: the waits that this run measured may be longer, because many at a time slow
/// each other down.
fn speed_up(spec: &FetchSpec, summary: Option<&LabSummary>) -> Tile {
    let one_by_one_us = one_by_one_us(spec);
    let elapsed_us =
        summary.filter(|summary| summary.done > 0 && summary.cancelled == 0).map(|summary| summary.elapsed_us);
    let times = elapsed_us.and_then(|elapsed_us| Ratio::of(one_by_one_us, elapsed_us)).map(tile::times);
    (tile::SPEED_UP, times.unwrap_or_else(|| "–".to_owned()), tile::one_by_one(&brief(one_by_one_us)))
}

/// How long the requests would take in sequence, in microseconds.
pub fn one_by_one_us(spec: &FetchSpec) -> u64 {
    let each_ms = spec.timeout_ms.map_or(spec.latency_ms, |timeout_ms| timeout_ms.min(spec.latency_ms));
    u64::from(spec.count) * u64::from(each_ms) * 1_000
}

/// From the summary, or from the events until there is one.
fn of_pool(summary: Option<PoolSummary>, events: &[PoolStep]) -> Vec<Tile> {
    let most_waiting = events.iter().map(|step| step.waiting).max().unwrap_or_default();
    let refused = summary.filter(|pool| pool.refused > 0).map(|pool| tile::refused(pool.refused));
    let remark = [Some(tile::NOT_GIVEN_BACK.to_owned()), refused].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let text = |of: fn(PoolSummary) -> String| summary.map_or_else(|| "–".to_owned(), of);
    vec![
        (
            tile::LONGEST_WAIT,
            text(|pool| measured(pool.longest_wait_us)),
            tile::most_waited(summary.map_or(most_waiting, |pool| pool.most_waiting)),
        ),
        (tile::LEAKED, text(|pool| number(pool.leaked.into())), remark),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    pub summary: LabSummary,
    pub total: u64,
    /// From 0 to 100.
    pub percent: u8,
}

impl Figures {
    pub fn of(run: &LabRun, trace: &LabTrace, now_us: u64) -> Self {
        let total = trace.items.len() as u64;
        let summary = run.summary.clone().unwrap_or_else(|| {
            let worked = trace.items.iter().filter_map(|item| bars::worked(item, now_us));
            let work_us = worked.map(|(start, end)| end - start).sum();
            LabSummary { elapsed_us: now_us, work_us, ..trace.summary() }
        });
        let ended = u64::from(summary.done + summary.failed + summary.cancelled) * 100 / total.max(1);
        let percent = u8::try_from(ended.min(100)).unwrap_or(100);
        // Either may lag behind: the events come in batches, and the job reports its progress from time to time.
        let percent = if run.summary.is_some() { 100 } else { percent.max(run.percent.min(100)) };
        Self { summary, total, percent }
    }
}

#[cfg(test)]
mod tests {
    use api::{JobId, JobState, LabEvent, LabFact, LabRunId, RequestSpec, TimeMs};

    use super::*;
    use crate::ui::format::plain;

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
            trace.apply(LabEvent { at_us, what });
        }
        trace
    }

    #[test]
    fn events_count_until_there_is_a_summary() {
        let figures = Figures::of(&run(10, None), &trace(), 15);
        let Figures { summary, total, percent } = figures;
        assert_eq!((summary.elapsed_us, summary.done, total, summary.work_us), (15, 1, 4, 15));
        assert_eq!(percent, 25, "one of four");
        assert_eq!(Figures::of(&run(40, None), &trace(), 15).percent, 40, "the job knows more");
        let summary = LabSummary { elapsed_us: 99, done: 4, work_us: 300, ..LabSummary::default() };
        let figures = Figures::of(&run(40, Some(summary.clone())), &trace(), 15);
        assert_eq!((figures.summary, figures.percent), (summary, 100));
    }

    #[test]
    fn a_crowd_is_compared_with_requests_that_nobody_slows() {
        let spec = FetchSpec { count: 1_000, latency_ms: 1_000, ..FetchSpec::FIRST };
        let summary =
            LabSummary { elapsed_us: 1_520_000, work_us: 1_290_000_000, done: 1_000, ..LabSummary::default() };
        let (_, times, remark) = speed_up(&spec, Some(&summary));
        assert_eq!((&*times, &*plain(remark)), ("658×", "which would take 16 min 40 s"));
        assert_eq!(speed_up(&spec, None).1, "–", "it is known at the end");
        let impatient = FetchSpec { timeout_ms: Some(500), ..spec };
        assert_eq!(one_by_one_us(&impatient), 500_000_000);
    }

    #[test]
    fn a_run_without_items_is_as_far_as_its_job() {
        assert_eq!(Figures::of(&run(30, None), &LabTrace::default(), 0).percent, 30);
    }
}
