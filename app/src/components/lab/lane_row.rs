//! One way of writing a search's log down: what happened, when, and what came of it.

use api::{LaneStep, LaneTrace};
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::lab::feed::RunFeed;
use crate::lab::scale::Scale;
use crate::lab::{lanes, span};

/// Signs on the line are at least this share of it apart.
const SIGNS_APART: f64 = 0.04;

#[component]
pub fn LaneRow(
    feed: RunFeed,
    /// The lane in its own time, and when that began in the run's.
    lane: Memo<(LaneTrace, u64)>,
    scale: Memo<Scale>,
) -> impl IntoView {
    let name = lane.with_untracked(|(lane, _)| lane.lane);
    let trace = Memo::new(move |_| lane.with(|(lane, _)| lane.clone()));
    let id = format!("lane-{name:?}");
    // From the question to the answer somebody waits.
    let waits = move || {
        let (lane, sent) = lane.get();
        lanes::time(&lane, LaneStep::Sent)?;
        let end = lanes::time(&lane, LaneStep::Answered).unwrap_or_else(|| {
            if feed.is_running() { feed.now_us.get().saturating_sub(sent) } else { scale.get().end_us() }
        });
        Some(scale.get().percent(end))
    };
    let signs = move || {
        let scale = scale.get();
        trace.with(|trace| {
            let places: Vec<f64> = trace.steps.iter().map(|&(at_us, _)| scale.share(at_us)).collect();
            let places = lanes::spread(&places, SIGNS_APART);
            let signs = trace.steps.iter().zip(places).map(|(&(_, step), place)| {
                let sign = lanes::sign(step);
                view! {
                    <span class="lane_sign" data-state=sign.as_str() style:left=format!("{:.2}%", place * 100.0)>
                        <Icon sign=sign_of(step) />
                    </span>
                }
            });
            signs.collect_view()
        })
    };
    let steps = move || trace.with(|trace| trace.steps.iter().map(|&(at_us, step)| told(at_us, step)).collect_view());
    view! {
        <li class="lane" aria-labelledby=id.clone()>
            <div class="lane_head">
                <h4 id=id.clone()>{lanes::title(name)}</h4>
                <p class="muted">{lanes::explanation(name)}</p>
            </div>
            <div class="lane_track" aria-hidden="true">
                <span class="lane_waits" style:width=move || waits().unwrap_or_else(|| "0".to_owned())></span>
                {signs}
            </div>
            <ol class="lane_steps">{steps}</ol>
            <p class="lane_conclusion" aria-live="polite">{move || trace.with(lanes::conclusion)}</p>
        </li>
    }
}

fn told(at_us: u64, step: LaneStep) -> impl IntoView {
    view! {
        <li class="lane_step" data-state=lanes::sign(step).as_str()>
            <Icon sign=sign_of(step) />
            {step.label()}
            " "
            <span class="muted">{(at_us > 0).then(|| span::measured(at_us))}</span>
        </li>
    }
}

fn sign_of(step: LaneStep) -> Sign {
    match step {
        LaneStep::Sent => Sign::Up,
        LaneStep::Answered => Sign::Down,
        LaneStep::Killed => Sign::Close,
        other => Sign::State(lanes::sign(other)),
    }
}
