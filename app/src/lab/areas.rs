//! The drawing of a style with many requests: how many are in flight at a time.

use api::FetchSpec;
use leptos::prelude::*;

use crate::lab::multiples::at_a_time;
use crate::lab::stream::RunStream;
use crate::lab::{flight, words};
use crate::ui::chart::axis::Scale;
use crate::ui::chart::steps::{self, Step};
use crate::ui::format::number;

/// Many requests: those in flight as an area, and those that have not begun as a line. All styles share the vertical
/// axis too, so that equal areas are equal waiting.
#[component]
pub fn AreaPlot(spec: FetchSpec, stream: Option<RunStream>, scale: Memo<Scale>) -> impl IntoView {
    let count = spec.count;
    let sketch = expected(&spec);
    let expected = move || {
        let is_over = stream.is_some_and(RunStream::has_run_to_its_end);
        let end_us = sketch[1].at_us;
        if is_over { String::new() } else { steps::area_path(&sketch, flight::IN_FLIGHT, count, scale.get(), end_us) }
    };
    let steps = Memo::new(move |_| stream.map(|stream| stream.trace.with(flight::of_items)).unwrap_or_default());
    let known_us = move || stream.map_or(0, |stream| stream.trace.with(|trace| trace.latest_us));
    let area = move || steps.with(|steps| steps::area_path(steps, flight::IN_FLIGHT, count, scale.get(), known_us()));
    let line = move || steps.with(|steps| not_begun(steps, count, scale.get(), known_us()));
    let most = move || {
        let is_over = stream.is_some_and(|stream| !stream.is_running());
        steps.with(|steps| is_over.then(|| Most::of(steps, count, scale.get())).flatten())
    };
    let most = Memo::new(move |_| most());
    let label = move || {
        most.get().map(|Most { text, place, left, bottom }| {
            view! {
                <span class="area_most" aria-hidden="true" data-place=place style:left=left style:bottom=bottom>{text}</span>
            }
        })
    };
    view! {
        <span class="step_top" aria-hidden="true">{number(count.into())}</span>
        <span class="step_zero" aria-hidden="true">"0"</span>
        <svg
            class="area_plot"
            viewBox=format!("0 0 {} {}", steps::WIDTH, steps::HEIGHT)
            preserveAspectRatio="none"
            aria-hidden="true"
        >
            <path data-bar="expected" d=expected />
            <path data-bar="not_begun" d=line />
            <path data-bar="flight" d=area />
        </svg>
        {label}
    }
}

/// What would happen if each answer came exactly when it should.
fn expected(spec: &FetchSpec) -> [Step; 2] {
    let step = |at_us, in_flight| Step { at_us, counts: [in_flight, 0, 0] };
    [step(0, at_a_time(spec)), step(spec.min_duration_ms() * 1_000, 0)]
}

/// The line of the requests that have not begun. It ends where all have.
fn not_begun(steps: &[Step], count: u32, scale: Scale, known_us: u64) -> String {
    let end = steps.iter().position(|step| step.counts[flight::NOT_BEGUN] == 0);
    let (steps, end_us) = end.map_or((steps, known_us), |end| (&steps[..=end], steps[end].at_us));
    steps::line_path(steps, flight::NOT_BEGUN, count, scale, end_us)
}

/// A label for the height of an area.
#[derive(Clone, PartialEq)]
struct Most {
    text: String,
    /// `above`, `beside` or `inside` the area, for the style sheet.
    place: &'static str,
    left: String,
    bottom: String,
}

impl Most {
    fn of(steps: &[Step], count: u32, scale: Scale) -> Option<Self> {
        // The same as in style/lab.css.
        const HEIGHT: u32 = 96;
        let most = steps::highest(steps, flight::IN_FLIGHT);
        let end = scale.share(steps.last()?.at_us);
        let height = HEIGHT * most / count.max(1);
        let (place, bottom) = match height {
            0..48 => ("above", height + 4),
            _ if end < 0.7 => ("beside", height / 2),
            _ => ("inside", height / 2),
        };
        // Above a low area it stands at the left, where the line of what has not begun is at its top.
        let left = if place == "above" { 0.0 } else { end };
        let left = format!("calc(var(--gutter) + (100% - var(--gutter)) * {left:.3})");
        (most > 0).then(|| Self { text: words::at_a_time(most), place, left, bottom: format!("{bottom}px") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(at_us: u64, in_flight: u32, not_begun: u32) -> Step {
        Step { at_us, counts: [in_flight, not_begun, 0] }
    }

    #[test]
    fn a_sketch_is_as_high_as_requests_wait_at_a_time() {
        let spec = FetchSpec { count: 100, workers: 50, style: api::LabStyle::Threads, ..FetchSpec::FIRST };
        let area = steps::area_path(&expected(&spec), flight::IN_FLIGHT, 100, Scale::to(8_000_000), 4_000_000);
        assert_eq!(area, "M0.0 50.0H500.0V100.0H500.0V100H0.0Z");
    }

    #[test]
    fn the_line_ends_where_all_have_begun() {
        let steps = [step(0, 0, 2), step(500, 2, 0), step(1_500, 1, 0)];
        let line = not_begun(&steps, 2, Scale::to(2_000), 2_000);
        assert_eq!(line, "M0.0 0.0H250.0V100.0H250.0");
    }

    #[test]
    fn a_label_has_its_room() {
        let place = |most, end_us| {
            let steps = [step(0, 0, 100), step(1, most, 0), step(end_us, 0, 0)];
            Most::of(&steps, 100, Scale::to(10_000)).map(|most| most.place)
        };
        assert_eq!(
            [place(10, 9_000), place(100, 2_000), place(100, 9_000), place(0, 9_000)],
            [Some("above"), Some("beside"), Some("inside"), None]
        );
    }
}
