//! The connections of a pool over time: in use, idle, and who waits for one.

use leptos::prelude::*;

use super::{PoolTable, StepLines, StepSeries, TimeAxis};
use crate::lab::feed::RunFeed;
use crate::lab::pool_steps::{self, PoolStep};
use crate::lab::scale::Scale;
use crate::lab::span;
use crate::wording::number;

#[component]
pub fn PoolChart(feed: RunFeed) -> impl IntoView {
    let told_us = Memo::new(move |_| feed.trace.with(|trace| trace.latest_us));
    let scale =
        Memo::new(move |_| if feed.is_running() { Scale::growing(told_us.get(), 0) } else { Scale::to(told_us.get()) });
    let steps = Memo::new(move |_| feed.trace.with(|trace| pool_steps::steps(&trace.pool, trace.latest_us)));
    let inspected = RwSignal::new(None::<u64>);
    view! {
        <section class="card pool_chart" aria-labelledby="pool-chart-title">
            <h3 id="pool-chart-title">"Connections over time"</h3>
            <StepLines
                title="Connections"
                series=&[
                    StepSeries { word: "in use", name: "in_use", value: |step| step.in_use },
                    StepSeries { word: "idle", name: "idle", value: |step| step.idle },
                ]
                steps scale told_us inspected
            />
            <StepLines
                title="Tasks waiting for one"
                series=&[StepSeries { word: "waiting", name: "waiting", value: |step| step.waiting }]
                steps scale told_us inspected
            />
            <TimeAxis scale />
            <MomentSlider steps scale inspected />
            <PoolTable steps scale />
        </section>
    }
}

/// The values at one moment: at the one that is pointed at, or that the slider stands at, in thousandths of the axis.
#[component]
fn MomentSlider(steps: Memo<Vec<PoolStep>>, scale: Memo<Scale>, inspected: RwSignal<Option<u64>>) -> impl IntoView {
    let said = move || {
        let moment = inspected.get().map(|thousandths| scale.get().at_thousandth(thousandths));
        let found = moment.and_then(|us| Some((us, steps.with(|steps| pool_steps::at(steps, us))?)));
        found.map_or_else(
            || "Point at the lines, or move the slider, for a moment's figures.".to_owned(),
            |(us, step)| {
                let [in_use, idle, waiting] = [step.in_use, step.idle, step.waiting].map(|count| number(count.into()));
                format!("At {}: {in_use} in use, {idle} idle, {waiting} waiting", span::measured(us))
            },
        )
    };
    view! {
        <div class="slider_row">
            <input
                type="range"
                min="0"
                max="1000"
                step="5"
                aria-label="Moment"
                aria-valuetext=said
                prop:value=move || inspected.get().unwrap_or_default().to_string()
                on:input:target=move |event| inspected.set(event.target().value().parse().ok())
            />
            <p class="slider_said">{said}</p>
        </div>
    }
}
