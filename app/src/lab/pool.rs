//! The connections of a pool over time: in use, idle, and waited for.

use std::fmt::Write as _;

use api::PoolStep;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::lab::fields::{FiguresTable, FoldedTable, Slider};
use crate::lab::labels;
use crate::lab::stream::RunStream;
use crate::lab::time_axis::{Scale, TimeAxis};
use crate::ui::format::number;

#[component]
pub fn PoolChart(stream: RunStream) -> impl IntoView {
    let known_us = Memo::new(move |_| stream.trace.with(|trace| trace.latest_us));
    let scale =
        Memo::new(
            move |_| if stream.is_running() { Scale::growing(known_us.get(), 0) } else { Scale::to(known_us.get()) },
        );
    let steps = Memo::new(move |_| stream.trace.with(|trace| steps(&trace.pool, trace.latest_us)));
    let inspected = RwSignal::new(None::<u64>);
    view! {
        <section class="card pool_chart" aria-labelledby="pool-chart-title">
            <h3 id="pool-chart-title">"Connections over time"</h3>
            <StepLines
                title="Connections"
                series=&[
                    StepSeries { label: "in use", name: "in_use", value: |step| step.in_use },
                    StepSeries { label: "idle", name: "idle", value: |step| step.idle },
                ]
                steps scale known_us inspected
            />
            <StepLines
                title="Tasks waiting for one"
                series=&[StepSeries { label: "waiting", name: "waiting", value: |step| step.waiting }]
                steps scale known_us inspected
            />
            <TimeAxis scale />
            <MomentSlider steps scale inspected />
            <PoolTable steps scale />
        </section>
    }
}

/// The values at the moment that the pointer or the slider selects, in thousandths of the axis.
#[component]
fn MomentSlider(steps: Memo<Vec<PoolStep>>, scale: Memo<Scale>, inspected: RwSignal<Option<u64>>) -> impl IntoView {
    let text = move || {
        let moment = inspected.get().map(|thousandths| scale.get().at_thousandth(thousandths));
        let found = moment.and_then(|us| Some((us, steps.with(|steps| at(steps, us))?)));
        found.map_or_else(
            || "Point at the lines, or move the slider, for a moment's figures.".to_owned(),
            |(us, step)| {
                let [in_use, idle, waiting] = [step.in_use, step.idle, step.waiting].map(|count| number(count.into()));
                format!("At {}: {in_use} in use, {idle} idle, {waiting} waiting", labels::measured(us))
            },
        )
    };
    view! {
        <Slider
            label="Moment"
            min="0"
            max="1000"
            step="5"
            value=Signal::derive(move || inspected.get().unwrap_or_default().to_string())
            text=Signal::derive(text)
            on_input=Callback::new(move |thousandths| inspected.set(thousandths))
        />
    }
}

/// One line of a drawing.
#[derive(Clone, Copy, Debug)]
struct StepSeries {
    label: &'static str,
    /// The name in the style sheet.
    name: &'static str,
    value: fn(&PoolStep) -> u32,
}

#[component]
fn StepLines(
    title: &'static str,
    series: &'static [StepSeries],
    steps: Memo<Vec<PoolStep>>,
    scale: Memo<Scale>,
    /// The time of the last event.
    known_us: Memo<u64>,
    /// The selected moment, in thousandths of the axis.
    inspected: RwSignal<Option<u64>>,
) -> impl IntoView {
    let most = Memo::new(move |_| {
        let highest =
            steps.with(|steps| steps.iter().flat_map(|step| series.iter().map(|line| (line.value)(step))).max());
        top(highest.unwrap_or_default())
    });
    let paths = move |&StepSeries { name, value, .. }: &StepSeries| {
        let line = move || steps.with(|steps| line_path(steps, value, most.get(), scale.get(), known_us.get()));
        let area = move || steps.with(|steps| area_path(steps, value, most.get(), scale.get(), known_us.get()));
        view! {
            <path class="step_area" data-series=name d=area />
            <path class="step_line" data-series=name d=line />
        }
    };
    let entry = |line: &StepSeries| {
        view! {
            <li data-series=line.name>
                <svg class="step_sample" viewBox="0 0 24 8" aria-hidden="true"><path class="step_line" data-series=line.name d="M0 4H24" /></svg>
                {line.label}
            </li>
        }
    };
    let point = move |event: MouseEvent| {
        let width =
            event.target().and_then(|target| target.dyn_into::<Element>().ok()).map_or(0, |field| field.client_width());
        let x = u64::try_from(event.offset_x()).unwrap_or_default();
        inspected.set(Some(x * 1_000 / u64::try_from(width).unwrap_or_default().max(1)));
    };
    let cursor = move || inspected.get().map(|x| format!("M{x} 0V100"));
    view! {
        <figure class="step_lines">
            <figcaption>
                <span>{title}</span>
                <ul class="step_legend">{series.iter().map(entry).collect_view()}</ul>
            </figcaption>
            <div class="step_plot">
                <span class="step_top" aria-hidden="true">{move || number(most.get().into())}</span>
                <span class="step_zero" aria-hidden="true">"0"</span>
                <svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true" on:mousemove=point>
                    {series.iter().map(paths).collect_view()}
                    <path class="step_cursor" d=cursor />
                </svg>
            </div>
        </figure>
    }
}

/// The rows of the table.
const ROWS: u64 = 20;

#[component]
fn PoolTable(steps: Memo<Vec<PoolStep>>, scale: Memo<Scale>) -> impl IntoView {
    let rows = move || {
        let scale = scale.get();
        let moments = (0..=ROWS).map(move |row| scale.at_thousandth(row * 1_000 / ROWS));
        steps.with(|steps| {
            let rows = moments.filter_map(|us| Some((us, at(steps, us)?))).map(|(us, step)| {
                view! {
                    <tr>
                        <th scope="row">{labels::measured(us)}</th>
                        <td>{step.in_use}</td>
                        <td>{step.idle}</td>
                        <td>{step.waiting}</td>
                    </tr>
                }
            });
            rows.collect_view()
        })
    };
    view! {
        <FoldedTable class="table_view" summary="The same as a table" is_open=RwSignal::new(false)>
            <FiguresTable columns=&["At", "In use", "Idle", "Waiting"]>{rows}</FiguresTable>
        </FoldedTable>
    }
}

/// More steps than this cannot be distinguished on any screen.
const MAX_STEPS: usize = 800;

/// The steps of the pool. If there are more than can be drawn, each stretch of time becomes one step, with the most
/// connections in use and tasks waiting, and the fewest idle connections.
fn steps(pool: &[PoolStep], end_us: u64) -> Vec<PoolStep> {
    if pool.len() <= MAX_STEPS {
        return pool.to_vec();
    }
    let width = (end_us / MAX_STEPS as u64).max(1);
    let mut steps: Vec<PoolStep> = Vec::with_capacity(MAX_STEPS + 1);
    for &step in pool {
        match steps.last_mut() {
            Some(last) if last.at_us / width == step.at_us / width => {
                last.in_use = last.in_use.max(step.in_use);
                last.idle = last.idle.min(step.idle);
                last.waiting = last.waiting.max(step.waiting);
            }
            _ => steps.push(step),
        }
    }
    steps
}

/// The last step before a moment.
fn at(steps: &[PoolStep], us: u64) -> Option<PoolStep> {
    let after = steps.partition_point(|step| step.at_us <= us);
    after.checked_sub(1).and_then(|last| steps.get(last)).copied()
}

/// A stepped line to the last event, in a field of 1,000 by 100 units in which `most` touches the top.
fn line_path(steps: &[PoolStep], value: fn(&PoolStep) -> u32, most: u32, scale: Scale, known_us: u64) -> String {
    let mut path = String::new();
    for step in steps {
        let (x, y) = (x(scale, step.at_us), y(value(step), most));
        // First across to the step's time, then up or down to its value.
        let _ = if path.is_empty() { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
    }
    if !path.is_empty() {
        let _ = write!(path, "H{:.1}", x(scale, known_us));
    }
    path
}

/// The area below the line.
fn area_path(steps: &[PoolStep], value: fn(&PoolStep) -> u32, most: u32, scale: Scale, known_us: u64) -> String {
    let line = line_path(steps, value, most, scale, known_us);
    match (steps.first(), line.is_empty()) {
        (Some(first), false) => format!("{line}V100H{:.1}Z", x(scale, first.at_us)),
        _ => line,
    }
}

/// A round number that is at least `value`, for the top of an axis.
fn top(value: u32) -> u32 {
    let mut power = 1_u32;
    loop {
        for factor in [1, 2, 3, 4, 5, 8] {
            let top = power.saturating_mul(factor);
            if top >= value {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn x(scale: Scale, us: u64) -> f64 {
    scale.share(us) * 1_000.0
}

fn y(value: u32, most: u32) -> f64 {
    100.0 - f64::from(value.min(most)) / f64::from(most.max(1)) * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(at_us: u64, in_use: u32, idle: u32, waiting: u32) -> PoolStep {
        PoolStep { at_us, in_use, idle, waiting }
    }

    const POOL: [PoolStep; 3] = [step(0, 0, 2, 0), step(500, 2, 0, 5), step(1_500, 1, 1, 0)];

    #[test]
    fn lines_go_across_and_then_up_or_down() {
        let scale = Scale::to(2_000);
        let steps = steps(&POOL, 2_000);
        assert_eq!(line_path(&steps, |step| step.in_use, 2, scale, 2_000), "M0.0 100.0H250.0V0.0H750.0V50.0H1000.0");
        assert_eq!(line_path(&[], |step| step.in_use, 2, scale, 2_000), "");
        assert!(area_path(&steps, |step| step.idle, 2, scale, 2_000).ends_with("H1000.0V100H0.0Z"));
    }

    #[test]
    fn a_moment_has_the_values_of_the_last_step() {
        let steps = steps(&POOL, 2_000);
        assert_eq!(at(&steps, 499).map(|step| step.in_use), Some(0));
        assert_eq!(at(&steps, 500).map(|step| step.in_use), Some(2));
        assert_eq!(at(&steps, 9_999).map(|step| step.in_use), Some(1));
        assert_eq!(at(&[], 1), None);
    }

    #[test]
    fn many_steps_are_merged_and_keep_their_peaks() {
        let many: Vec<_> = (0..20_000_u64).map(|us| step(us, u32::from(us == 7_777) * 8, 8, 3)).collect();
        let steps = steps(&many, 20_000);
        assert!(steps.len() <= MAX_STEPS + 1, "{}", steps.len());
        assert_eq!(steps.iter().map(|step| step.in_use).max(), Some(8));
        assert_eq!(steps.last().map(|step| step.waiting), Some(3));
    }

    #[test]
    fn tops_are_round_and_not_far_above() {
        assert_eq!([0, 1, 6, 8, 92, 100, 101, 2_500].map(top), [1, 1, 8, 8, 100, 100, 200, 3_000]);
    }
}
