//! Counts over time as stepped lines, one below the other in their own field.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::lab::pool_steps::{self, PoolStep};
use crate::lab::scale::Scale;
use crate::wording::number;

/// One line of the drawing.
#[derive(Clone, Copy, Debug)]
pub struct StepSeries {
    pub word: &'static str,
    /// By which the style sheet knows it.
    pub name: &'static str,
    pub value: fn(&PoolStep) -> u32,
}

#[component]
pub fn StepLines(
    title: &'static str,
    series: &'static [StepSeries],
    steps: Memo<Vec<PoolStep>>,
    scale: Memo<Scale>,
    /// Up to when something is known.
    told_us: Memo<u64>,
    /// The moment that is looked at, in thousandths of the axis.
    inspected: RwSignal<Option<u64>>,
) -> impl IntoView {
    let most = Memo::new(move |_| {
        let highest =
            steps.with(|steps| steps.iter().flat_map(|step| series.iter().map(|line| (line.value)(step))).max());
        pool_steps::top(highest.unwrap_or_default())
    });
    let line = move |line: &StepSeries| {
        let StepSeries { name, value, .. } = *line;
        let path = move || steps.with(|steps| pool_steps::line(steps, value, most.get(), scale.get(), told_us.get()));
        let field = move || steps.with(|steps| pool_steps::field(steps, value, most.get(), scale.get(), told_us.get()));
        view! {
            <path class="step_field" data-series=name d=field />
            <path class="step_line" data-series=name d=path />
        }
    };
    let entry = |line: &StepSeries| {
        view! {
            <li data-series=line.name>
                <svg class="step_sample" viewBox="0 0 24 8" aria-hidden="true"><path class="step_line" data-series=line.name d="M0 4H24" /></svg>
                {line.word}
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
                    {series.iter().map(line).collect_view()}
                    <path class="step_cursor" d=cursor />
                </svg>
            </div>
        </figure>
    }
}
