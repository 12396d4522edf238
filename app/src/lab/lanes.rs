//! The trap: three ways to write the log of a search, on one time axis.

use api::{JobState, Lane, LaneStep, LaneTrace};
use leptos::prelude::*;

use crate::lab::labels;
use crate::lab::stream::RunStream;
use crate::lab::time_axis::{Scale, TimeAxis};
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn LaneList(stream: RunStream, delay_ms: u32) -> impl IntoView {
    // Each lane has its own time, because the processes do not start at the same moment.
    let lanes = Lane::ALL.map(|lane| {
        Memo::new(move |_| {
            let known = stream.trace.with(|trace| trace.lanes.iter().find(|known| known.lane == lane).cloned());
            since_sent(&known.unwrap_or(LaneTrace { lane, steps: vec![] }))
        })
    });
    let scale = Memo::new(move |_| {
        let is_running = stream.is_running();
        let now_us = stream.now_us.get();
        let ends = lanes.iter().map(|lane| {
            lane.with(|(lane, sent)| match lane.steps.last() {
                Some(_) if is_running => now_us.saturating_sub(*sent),
                Some(&(at_us, _)) => at_us,
                None => 0,
            })
        });
        let end = ends.max().unwrap_or_default();
        if is_running { Scale::growing(end, u64::from(delay_ms) * 1_100) } else { Scale::to(end) }
    });
    view! {
        <section class="card lanes" aria-labelledby="lanes-title">
            <h3 id="lanes-title">"The same search, three times"</h3>
            <div class="lane_axis"><TimeAxis scale /></div>
            <ol class="lane_list">
                {lanes.map(|lane| view! { <LaneRow stream lane scale /> }).collect_view()}
            </ol>
        </section>
    }
}

/// The least distance between symbols, as a share of the axis.
const SYMBOL_GAP: f64 = 0.04;

#[component]
fn LaneRow(
    stream: RunStream,
    /// The lane in its own time, and when that began in the run's time.
    lane: Memo<(LaneTrace, u64)>,
    scale: Memo<Scale>,
) -> impl IntoView {
    let name = lane.with_untracked(|(lane, _)| lane.lane);
    let trace = Memo::new(move |_| lane.with(|(lane, _)| lane.clone()));
    let id = format!("lane-{name:?}");
    let (title, explanation) = explanation(name);
    // The visitor waits from the question to the answer.
    let waits = move || {
        let (lane, sent) = lane.get();
        lane.time(LaneStep::Sent)?;
        let end = lane.time(LaneStep::Answered).unwrap_or_else(|| {
            if stream.is_running() { stream.now_us.get().saturating_sub(sent) } else { scale.get().end_us() }
        });
        Some(scale.get().percent(end))
    };
    let symbols = move || {
        let scale = scale.get();
        trace.with(|trace| {
            let positions: Vec<f64> = trace.steps.iter().map(|&(at_us, _)| scale.share(at_us)).collect();
            let positions = spread(&positions, SYMBOL_GAP);
            let symbols = trace.steps.iter().zip(positions).map(|(&(_, step), position)| {
                let state = job_state(step);
                view! {
                    <span class="lane_symbol" data-state=state.as_str() style:left=format!("{:.2}%", position * 100.0)>
                        <Icon symbol=symbol(step) />
                    </span>
                }
            });
            symbols.collect_view()
        })
    };
    let steps =
        move || trace.with(|trace| trace.steps.iter().map(|&(at_us, step)| lane_step(at_us, step)).collect_view());
    view! {
        <li class="lane" aria-labelledby=id.clone()>
            <div class="lane_head">
                <h4 id=id.clone()>{title}</h4>
                <p class="muted">{explanation}</p>
            </div>
            <div class="lane_track" aria-hidden="true">
                <span class="lane_waits" style:width=move || waits().unwrap_or_else(|| "0".to_owned())></span>
                {symbols}
            </div>
            <ol class="lane_steps">{steps}</ol>
            <p class="lane_conclusion" aria-live="polite">{move || trace.with(conclusion)}</p>
        </li>
    }
}

fn lane_step(at_us: u64, step: LaneStep) -> impl IntoView {
    view! {
        <li class="lane_step" data-state=job_state(step).as_str()>
            <Icon symbol=symbol(step) />
            {step.as_str()}
            " "
            <span class="muted">{(at_us > 0).then(|| labels::measured(at_us))}</span>
        </li>
    }
}

fn symbol(step: LaneStep) -> Symbol {
    match step {
        LaneStep::Sent => Symbol::Up,
        LaneStep::Answered => Symbol::Down,
        LaneStep::Killed => Symbol::Close,
        other => Symbol::State(job_state(other)),
    }
}

/// The lane's title, and what is done in it.
fn explanation(lane: Lane) -> (&'static str, &'static str) {
    match lane {
        Lane::Awaited => ("Awaited", "The answer waits until the log row is written."),
        Lane::BareTask => ("Bare task", "The write is handed to a task of the process; the answer leaves at once."),
        Lane::Job => {
            ("Durable job", "The write becomes a job in the database; the answer leaves once that is on the disk.")
        }
    }
}

/// The job state that gives a step its colour and icon.
fn job_state(step: LaneStep) -> JobState {
    match step {
        LaneStep::Sent => JobState::Scheduled,
        LaneStep::Answered => JobState::Running,
        LaneStep::Killed | LaneStep::RowGone => JobState::Dead,
        LaneStep::Restarted => JobState::Retrying,
        LaneStep::RowThere => JobState::Done,
    }
}

/// The lane in its own time, which begins when its search is sent, and that moment in the run's time.
fn since_sent(lane: &LaneTrace) -> (LaneTrace, u64) {
    let sent = lane.time(LaneStep::Sent).unwrap_or_default();
    let steps = lane.steps.iter().map(|&(at_us, step)| (at_us.saturating_sub(sent), step)).collect();
    (LaneTrace { lane: lane.lane, steps }, sent)
}

/// A sentence about the visitor's wait and the row, as far as they are known.
fn conclusion(lane: &LaneTrace) -> String {
    let sent = lane.time(LaneStep::Sent).unwrap_or_default();
    let Some(answered) = lane.time(LaneStep::Answered) else {
        let is_sent = lane.time(LaneStep::Sent).is_some();
        return if is_sent { "The visitor waits for the answer…" } else { "Not sent yet." }.to_owned();
    };
    let restarted = lane.time(LaneStep::Restarted);
    let row = match (lane.time(LaneStep::RowThere), lane.time(LaneStep::RowGone)) {
        (Some(row), _) if restarted.is_some_and(|restarted| restarted <= row) => "arrived after the restart.",
        (Some(_), _) => "is in the log.",
        (None, Some(_)) => "is gone.",
        (None, None) => "is not in the log yet…",
    };
    format!("Answered after {}; its row {row}", labels::measured(answered.saturating_sub(sent)))
}

/// Moves positions on an axis (ascending shares from 0 to 1) apart, so that neighbours are at least `gap` apart if
/// there is room. No position leaves the axis.
fn spread(positions: &[f64], gap: f64) -> Vec<f64> {
    let mut spread: Vec<f64> = Vec::with_capacity(positions.len());
    for &position in positions {
        let least = spread.last().map_or(0.0, |before| before + gap);
        spread.push(position.max(least));
    }
    let mut most = 1.0_f64;
    for position in spread.iter_mut().rev() {
        *position = position.min(most).max(0.0);
        most = *position - gap;
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(lane: Lane, steps: &[(u64, LaneStep)]) -> LaneTrace {
        LaneTrace { lane, steps: steps.to_vec() }
    }

    #[test]
    fn conclusions_say_how_long_the_visitor_waited_and_where_the_row_is() {
        use LaneStep::{Answered, Killed, Restarted, RowGone, RowThere, Sent};
        let awaited = lane(Lane::Awaited, &[(10_000, Sent), (15_010_000, RowThere), (15_012_000, Answered)]);
        assert_eq!(conclusion(&awaited), "Answered after 15.00 s; its row is in the log.");
        let bare = [(10_000, Sent), (12_500, Answered), (500_000, Killed), (900_000, Restarted), (16_000_000, RowGone)];
        assert_eq!(conclusion(&lane(Lane::BareTask, &bare)), "Answered after 2.5 ms; its row is gone.");
        let job = [(0, Sent), (4_000, Answered), (500_000, Killed), (900_000, Restarted), (16_000_000, RowThere)];
        assert_eq!(conclusion(&lane(Lane::Job, &job)), "Answered after 4.0 ms; its row arrived after the restart.");
    }

    #[test]
    fn each_lane_begins_with_its_search() {
        let steps = [(1_200, LaneStep::Sent), (1_900, LaneStep::Answered)];
        let (shifted, sent) = since_sent(&lane(Lane::Job, &steps));
        assert_eq!(shifted.steps, [(0, LaneStep::Sent), (700, LaneStep::Answered)]);
        assert_eq!(sent, 1_200);
        assert_eq!(since_sent(&lane(Lane::Job, &[])), (lane(Lane::Job, &[]), 0));
    }

    #[test]
    fn an_unfinished_lane_says_what_it_waits_for() {
        assert_eq!(conclusion(&lane(Lane::Job, &[])), "Not sent yet.");
        let sent = (0, LaneStep::Sent);
        assert_eq!(conclusion(&lane(Lane::Job, &[sent])), "The visitor waits for the answer…");
        let answered = [sent, (4_000, LaneStep::Answered)];
        assert_eq!(conclusion(&lane(Lane::Job, &answered)), "Answered after 4.0 ms; its row is not in the log yet…");
    }

    #[test]
    fn symbols_do_not_cover_each_other() {
        let near = |spread: Vec<f64>, wanted: &[f64]| {
            assert_eq!(spread.len(), wanted.len());
            assert!(spread.iter().zip(wanted).all(|(is, wanted)| (is - wanted).abs() < 1e-9), "{spread:?}");
        };
        near(spread(&[0.0, 0.01, 0.5], 0.1), &[0.0, 0.1, 0.5]);
        near(spread(&[0.5, 0.95, 1.0, 1.0], 0.1), &[0.5, 0.8, 0.9, 1.0]);
        near(spread(&[], 0.1), &[]);
    }
}
