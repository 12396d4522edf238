//! Many requests over time: how many were in flight, and how many had not begun.

use api::{ItemTrace, LabTrace};
use leptos::prelude::*;

use crate::lab::bars;
use crate::lab::legend::StateLegend;
use crate::lab::stream::RunStream;
use crate::lab::words::run as words;
use crate::ui::chart::axis::Scale;
use crate::ui::chart::steps::{self, Figure, Series, Step, StepChart};

/// The indexes of the counts in [`Step::counts`].
pub const IN_FLIGHT: usize = 0;
pub const NOT_BEGUN: usize = 1;
const ENDED: usize = 2;

const FIGURES: &[Figure] = &[Figure {
    title: words::REQUESTS,
    series: &[
        Series { label: words::FLIGHT_LINES[0], name: "in_flight", index: IN_FLIGHT },
        Series { label: words::FLIGHT_LINES[1], name: "waiting", index: NOT_BEGUN },
        Series { label: words::FLIGHT_LINES[2], name: "ended", index: ENDED },
    ],
}];

#[component]
pub fn FlightChart(
    stream: RunStream,
    /// The shortest time that the run can take.
    expected_us: u64,
) -> impl IntoView {
    let known_us = Memo::new(move |_| stream.trace.with(|trace| trace.latest_us));
    let scale = Memo::new(move |_| {
        if stream.is_running() {
            return Scale::growing(known_us.get(), expected_us);
        }
        Scale::to(stream.trace.with(bars::end))
    });
    let steps = Memo::new(move |_| stream.trace.with(of_items));
    view! {
        <section class="card flight_chart" aria-labelledby="flight-title">
            <header class="waterfall_head">
                <h3 id="flight-title">{words::IN_FLIGHT}</h3>
                <StateLegend stream />
            </header>
            <StepChart figures=FIGURES steps scale known_us />
        </section>
    }
}

/// The counts at each start and end of an item.
pub fn of_items(trace: &LabTrace) -> Vec<Step> {
    if trace.items.is_empty() {
        return Vec::new();
    }
    let mut changes: Vec<(u64, [i32; 3])> = trace.items.iter().flat_map(changes).collect();
    changes.sort_unstable_by_key(|(at_us, _)| *at_us);
    let mut counts = [0, i32::try_from(trace.items.len()).unwrap_or(i32::MAX), 0];
    let unsigned = |counts: [i32; 3]| counts.map(|count| u32::try_from(count).unwrap_or_default());
    let mut steps = vec![Step { at_us: 0, counts: unsigned(counts) }];
    for (at_us, change) in changes {
        for (count, change) in counts.iter_mut().zip(change) {
            *count += change;
        }
        match steps.last_mut() {
            Some(last) if last.at_us == at_us => last.counts = unsigned(counts),
            _ => steps.push(Step { at_us, counts: unsigned(counts) }),
        }
    }
    steps::merged(steps, trace.latest_us)
}

/// What an item changes in the counts, and when.
fn changes(item: &ItemTrace) -> impl Iterator<Item = (u64, [i32; 3])> {
    let started = item.started_us.map(|us| (us, [1, -1, 0]));
    // An item that was cancelled before it began has never been in flight.
    let end = if item.started_us.is_none() { [0, -1, 1] } else { [-1, 0, 1] };
    started.into_iter().chain(item.ended_us.map(|us| (us, end)))
}

#[cfg(test)]
mod tests {
    use api::ItemState;

    use super::*;

    #[test]
    fn items_are_counted_at_each_start_and_end() {
        let item = |state, started_us, ended_us| ItemTrace { state, started_us, ended_us, ..ItemTrace::default() };
        let trace = LabTrace {
            items: vec![
                item(ItemState::Done, Some(0), Some(20)),
                item(ItemState::Running, Some(20), None),
                item(ItemState::Cancelled, None, Some(30)),
                item(ItemState::Pending, None, None),
            ],
            latest_us: 30,
            ..LabTrace::default()
        };
        let steps = of_items(&trace);
        let counts: Vec<_> = steps.iter().map(|step| (step.at_us, step.counts)).collect();
        assert_eq!(counts, [(0, [1, 3, 0]), (20, [1, 2, 1]), (30, [1, 1, 2])]);
        assert_eq!(of_items(&LabTrace::default()), []);
    }
}
