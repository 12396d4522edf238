//! The pool over time: how many connections were in use, and how many tasks waited for one.

use api::LabTrace;
use leptos::prelude::*;

use crate::lab::stream::RunStream;
use crate::lab::words::run as words;
use crate::ui::chart::axis::Scale;
use crate::ui::chart::steps::{self, Figure, Series, Step, StepChart};

const FIGURES: &[Figure] = &[
    Figure { title: words::CONNECTIONS, series: &[Series { label: words::IN_USE, name: "in_use", index: 0 }] },
    Figure {
        title: words::TASKS_WAITING,
        series: &[Series { label: words::TASKS_WAITING_LINE, name: "waiting", index: 1 }],
    },
];

#[component]
pub fn PoolChart(stream: RunStream) -> impl IntoView {
    let known_us = Memo::new(move |_| stream.trace.with(|trace| trace.latest_us));
    let scale =
        Memo::new(
            move |_| if stream.is_running() { Scale::growing(known_us.get(), 0) } else { Scale::to(known_us.get()) },
        );
    let steps = Memo::new(move |_| stream.trace.with(of_pool));
    view! {
        <section class="card" aria-labelledby="pool-chart-title">
            <h3 id="pool-chart-title">{words::POOL}</h3>
            <StepChart figures=FIGURES steps scale known_us />
        </section>
    }
}

fn of_pool(trace: &LabTrace) -> Vec<Step> {
    let steps = trace.pool.iter().map(|step| Step { at_us: step.at_us, counts: [step.in_use, step.waiting, 0] });
    steps::merged(steps.collect(), trace.latest_us)
}
