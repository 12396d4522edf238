//! Counts over time, as areas under stepped lines.

use std::fmt::Write as _;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::ui::chart::axis::{Scale, TimeAxis};
use crate::ui::chart::reading::{FiguresTable, FoldedTable, Slider};
use crate::ui::format::{measured, number};
use crate::ui::words;

/// The width and the height of a drawing, in its own units.
pub const WIDTH: u32 = 1_000;
pub const HEIGHT: u32 = 100;
/// The most counts of a chart.
const COUNTS: usize = 3;
/// More steps than this cannot be distinguished on any screen.
const MAX_STEPS: usize = 800;
/// The rows of the table.
const ROWS: u64 = 20;

/// The counts from this moment on, until the next step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub at_us: u64,
    pub counts: [u32; COUNTS],
}

/// One of the counts.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    pub label: &'static str,
    /// The name in the style sheet.
    pub name: &'static str,
    /// Its index in [`Step::counts`].
    pub index: usize,
}

/// A drawing with the series that share its vertical axis.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub title: &'static str,
    pub series: &'static [Series],
}

/// Figures above each other on one time axis, a slider for the counts of a moment, and all as a table.
#[component]
pub fn StepChart(
    figures: &'static [Figure],
    steps: Memo<Vec<Step>>,
    scale: Memo<Scale>,
    /// The time of the last event: nothing is drawn behind it.
    known_us: Memo<u64>,
) -> impl IntoView {
    // In thousandths of the axis.
    let inspected = RwSignal::new(None::<u64>);
    let figures_view = figures.iter().map(|&figure| view! { <StepFigure figure steps scale known_us inspected /> });
    view! {
        <div class="step_chart">
            {figures_view.collect_view()}
            <TimeAxis scale />
            <MomentSlider figures steps scale inspected />
            <StepTable figures steps scale />
        </div>
    }
}

fn all(figures: &'static [Figure]) -> impl Iterator<Item = Series> {
    figures.iter().flat_map(|figure| figure.series.iter().copied())
}

#[component]
fn StepFigure(
    figure: Figure,
    steps: Memo<Vec<Step>>,
    scale: Memo<Scale>,
    known_us: Memo<u64>,
    inspected: RwSignal<Option<u64>>,
) -> impl IntoView {
    let Figure { title, series } = figure;
    let top = Memo::new(move |_| {
        steps.with(|steps| top(series.iter().map(|line| highest(steps, line.index)).max().unwrap_or(0)))
    });
    let paths = move |&Series { name, index, .. }: &Series| {
        let line = move || steps.with(|steps| line_path(steps, index, top.get(), scale.get(), known_us.get()));
        let area = move || steps.with(|steps| area_path(steps, index, top.get(), scale.get(), known_us.get()));
        view! {
            <path class="step_area" data-series=name d=area />
            <path class="step_line" data-series=name d=line />
        }
    };
    let entry = |line: &Series| {
        view! {
            <li data-series=line.name>
                <svg class="step_sample" viewBox="0 0 24 8" aria-hidden="true">
                    <path class="step_line" data-series=line.name d="M0 4H24" />
                </svg>
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
    let cursor = move || inspected.get().map(|x| format!("M{x} 0V{HEIGHT}"));
    view! {
        <figure class="step_lines">
            <figcaption>
                <span>{title}</span>
                <ul class="step_legend">{series.iter().map(entry).collect_view()}</ul>
            </figcaption>
            <div class="step_plot">
                <span class="step_top" aria-hidden="true">{move || number(top.get().into())}</span>
                <span class="step_zero" aria-hidden="true">"0"</span>
                <svg
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                    aria-hidden="true"
                    on:mousemove=point
                >
                    {series.iter().map(paths).collect_view()}
                    <path class="step_cursor" d=cursor />
                </svg>
            </div>
        </figure>
    }
}

/// The counts at the moment that the pointer or the slider selects.
#[component]
fn MomentSlider(
    figures: &'static [Figure],
    steps: Memo<Vec<Step>>,
    scale: Memo<Scale>,
    inspected: RwSignal<Option<u64>>,
) -> impl IntoView {
    let text = move || {
        let moment = inspected.get().map(|thousandths| scale.get().at_thousandth(thousandths));
        let found = moment.and_then(|us| Some((us, steps.with(|steps| at(steps, us))?)));
        found.map_or_else(
            || words::POINT_AT_CHART.to_owned(),
            |(us, step)| {
                let counts =
                    all(figures).map(|line| format!("{} {}", number(step.counts[line.index].into()), line.label));
                words::at_moment(&measured(us), &counts.collect::<Vec<_>>().join(", "))
            },
        )
    };
    view! {
        <Slider
            label=words::MOMENT
            min="0"
            max="1000"
            step="5"
            value=Signal::derive(move || inspected.get().unwrap_or_default().to_string())
            text=Signal::derive(text)
            on_input=Callback::new(move |thousandths| inspected.set(thousandths))
        />
    }
}

#[component]
fn StepTable(figures: &'static [Figure], steps: Memo<Vec<Step>>, scale: Memo<Scale>) -> impl IntoView {
    let columns = move || ["at"].into_iter().chain(all(figures).map(|line| line.label)).collect::<Vec<_>>();
    let rows = move || {
        let scale = scale.get();
        let moments = (0..=ROWS).map(move |row| scale.at_thousandth(row * 1_000 / ROWS));
        steps.with(|steps| {
            let rows = moments.filter_map(|us| Some((us, at(steps, us)?))).map(|(us, step)| {
                let counts = all(figures).map(|line| view! { <td>{number(step.counts[line.index].into())}</td> });
                view! { <tr><th scope="row">{measured(us)}</th>{counts.collect_view()}</tr> }
            });
            rows.collect_view()
        })
    };
    view! {
        <FoldedTable class="table_view" summary=words::SAME_AS_TABLE is_open=RwSignal::new(false)>
            <FiguresTable columns=columns()>{rows}</FiguresTable>
        </FoldedTable>
    }
}

/// At most as many steps as can be drawn. Each stretch of time that is too short becomes one step, with the highest of
/// its counts. The last step remains as it is: the lines end there.
pub fn merged(mut steps: Vec<Step>, end_us: u64) -> Vec<Step> {
    if steps.len() <= MAX_STEPS {
        return steps;
    }
    let end = steps.pop();
    let width = (end_us / MAX_STEPS as u64).max(1);
    let mut merged: Vec<Step> = Vec::with_capacity(MAX_STEPS + 1);
    for step in steps {
        match merged.last_mut() {
            Some(last) if last.at_us / width == step.at_us / width => {
                for (kept, new) in last.counts.iter_mut().zip(step.counts) {
                    *kept = new.max(*kept);
                }
            }
            _ => merged.push(step),
        }
    }
    merged.extend(end);
    merged
}

/// The last step before a moment.
fn at(steps: &[Step], us: u64) -> Option<Step> {
    let after = steps.partition_point(|step| step.at_us <= us);
    after.checked_sub(1).and_then(|last| steps.get(last)).copied()
}

pub fn highest(steps: &[Step], index: usize) -> u32 {
    steps.iter().map(|step| step.counts[index]).max().unwrap_or_default()
}

/// A stepped line to the last event, in a field in which `top` touches the upper edge.
pub fn line_path(steps: &[Step], index: usize, top: u32, scale: Scale, known_us: u64) -> String {
    let mut path = String::new();
    for step in steps {
        let (x, y) = (x(scale, step.at_us), y(step.counts[index], top));
        // First across to the step's time, then up or down to its value.
        let _ = if path.is_empty() { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
    }
    if !path.is_empty() {
        let _ = write!(path, "H{:.1}", x(scale, known_us));
    }
    path
}

/// The area below the line.
pub fn area_path(steps: &[Step], index: usize, top: u32, scale: Scale, known_us: u64) -> String {
    let line = line_path(steps, index, top, scale, known_us);
    match (steps.first(), line.is_empty()) {
        (Some(first), false) => format!("{line}V{HEIGHT}H{:.1}Z", x(scale, first.at_us)),
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
    scale.share(us) * f64::from(WIDTH)
}

fn y(value: u32, top: u32) -> f64 {
    let height = f64::from(HEIGHT);
    height - f64::from(value.min(top)) / f64::from(top.max(1)) * height
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(at_us: u64, first: u32, second: u32) -> Step {
        Step { at_us, counts: [first, second, 0] }
    }

    const STEPS: [Step; 3] = [step(0, 0, 2), step(500, 2, 0), step(1_500, 1, 1)];

    #[test]
    fn lines_go_across_and_then_up_or_down() {
        let scale = Scale::to(2_000);
        assert_eq!(line_path(&STEPS, 0, 2, scale, 2_000), "M0.0 100.0H250.0V0.0H750.0V50.0H1000.0");
        assert_eq!(line_path(&[], 0, 2, scale, 2_000), "");
        assert!(area_path(&STEPS, 1, 2, scale, 2_000).ends_with("H1000.0V100H0.0Z"));
    }

    #[test]
    fn a_moment_has_the_counts_of_the_last_step() {
        assert_eq!(at(&STEPS, 499).map(|step| step.counts[0]), Some(0));
        assert_eq!(at(&STEPS, 500).map(|step| step.counts[0]), Some(2));
        assert_eq!(at(&STEPS, 9_999).map(|step| step.counts[0]), Some(1));
        assert_eq!(at(&[], 1), None);
    }

    #[test]
    fn many_steps_are_merged_and_keep_their_highest_and_last_counts() {
        let many = (0..20_000_u64).map(|us| step(us, u32::from(us == 7_777) * 8, 1));
        let steps = merged(many.collect(), 20_000);
        assert!(steps.len() <= MAX_STEPS + 2, "{}", steps.len());
        let (falls, end) = ((1..=20_000_u32).map(|left| step(u64::from(left) / 100, 20_000 - left, 0)), [0, 0, 0]);
        assert_eq!(merged(falls.collect(), 200).last().map(|step| step.counts), Some(end));
        assert_eq!(highest(&steps, 0), 8);
    }

    #[test]
    fn tops_are_round_and_not_far_above() {
        assert_eq!([0, 1, 6, 8, 92, 100, 101, 2_500].map(top), [1, 1, 8, 8, 100, 100, 200, 3_000]);
    }
}
