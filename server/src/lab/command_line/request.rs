//! `lab request`: the trap and its cure, side by side.

use std::fmt::{self, Display};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use api::{LabEvent, LabFact, LabSummary, LabTrace, Lane, LaneStep, LaneTrace, RequestSpec};
use lab::EventSink;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::config::LabRequest;
use super::words::{json_line, print, seconds};
use crate::cli::CommandError;
use crate::lab::request::request;
use crate::lab::sandbox::Sandbox;

/// Runs the scenario and prints what happened to each of the searches. Fails also where the row of the one that was
/// made a job has not arrived.
pub async fn lab_request(asked: &LabRequest) -> Result<(), CommandError> {
    let spec = asked.spec().map_err(CommandError)?;
    let sandbox = Sandbox::of_this_program().map_err(CommandError)?;
    let (tell, mut events) = EventSink::begin();
    let run = async { request(&spec, &sandbox, &{ tell }, &CancellationToken::new()).await };
    let follow = async {
        let mut trace = LabTrace::default();
        while let Some(event) = events.recv().await {
            if !asked.json && stderr().is_terminal() {
                show_progress(&event);
            }
            trace.apply(event);
        }
        trace
    };
    let (summary, trace) = tokio::join!(run, follow);
    let summary = summary.map_err(CommandError)?;
    print(&if asked.json {
        let lanes = trace.lanes.iter().map(LaneDocument::of).collect();
        json_line(&Document { spec: &spec, summary: &summary, lanes })
    } else {
        Story { trace: &trace, delay: asked.delay }.to_string()
    });
    let arrived = trace.lanes.iter().any(|lane| lane.lane == Lane::Job && at(lane, LaneStep::RowThere).is_some());
    if arrived {
        Ok(())
    } else {
        Err(CommandError("the row of the search that was made a job is not there".to_owned()))
    }
}

/// What was asked for, and what happened. Times are microseconds since the run began.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    spec: &'a RequestSpec,
    #[serde(flatten)]
    summary: &'a LabSummary,
    lanes: Vec<LaneDocument>,
}

#[derive(Serialize)]
struct LaneDocument {
    lane: Lane,
    steps: Vec<StepDocument>,
}

#[derive(Serialize)]
struct StepDocument {
    at_us: u64,
    step: LaneStep,
}

impl LaneDocument {
    fn of(lane: &LaneTrace) -> Self {
        let steps = lane.steps.iter().map(|&(at_us, step)| StepDocument { at_us, step });
        Self { lane: lane.lane, steps: steps.collect() }
    }
}

fn show_progress(event: &LabEvent) {
    if let LabFact::Lane { lane, step } = &event.what {
        eprintln!("{:>7.2} s  {}: {}", seconds(event.at_us), lane.label(), step.label());
    }
}

/// What happened to each search, counted from the moment at which it was sent, and what that means.
struct Story<'a> {
    trace: &'a LabTrace,
    delay: Duration,
}

impl Display for Story<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delay = humantime::format_duration(self.delay);
        writeln!(f, "The same search three times. Each time writing it down takes {delay}.")?;
        for lane in Lane::ALL.iter().filter_map(|lane| self.trace.lanes.iter().find(|known| known.lane == *lane)) {
            writeln!(f, "\n{}: {}", lane.lane.label(), manner(lane.lane))?;
            let sent = at(lane, LaneStep::Sent).unwrap_or(0);
            for (at_us, step) in &lane.steps {
                writeln!(f, "{:>9.3} s  {}", seconds(at_us.saturating_sub(sent)), step.label())?;
            }
            writeln!(f, "  {}", conclusion(lane))?;
        }
        Ok(())
    }
}

fn manner(lane: Lane) -> &'static str {
    match lane {
        Lane::Awaited => "the answer waits for the write",
        Lane::BareTask => "the write is handed to a task of the process, and the process is killed",
        Lane::Job => "the write is a durable job, and the process is killed",
    }
}

fn conclusion(lane: &LaneTrace) -> String {
    let since_sent = |step| Some(moment(at(lane, step)?.saturating_sub(at(lane, LaneStep::Sent)?)));
    let Some(answered) = since_sent(LaneStep::Answered) else { return "Not answered.".to_owned() };
    match (lane.lane, since_sent(LaneStep::RowThere)) {
        (Lane::Awaited, _) => format!("The visitor waited {answered} for a row that only the operator reads."),
        (Lane::BareTask, None) => {
            format!("The visitor had the answer after {answered}. The row died with the process: it will never come.")
        }
        (Lane::BareTask, Some(row)) => {
            format!("The row was there after {row}, before the process was killed: choose a longer delay.")
        }
        (Lane::Job, Some(row)) => format!(
            "The visitor had the answer after {answered}. The row came after {row}, although the process was \
             killed."
        ),
        (Lane::Job, None) => format!("The visitor had the answer after {answered}, and the row did not come."),
    }
}

fn moment(us: u64) -> String {
    if us < 1_000_000 { format!("{} ms", us.div_ceil(1_000)) } else { format!("{:.2} s", seconds(us)) }
}

/// When this first happened.
fn at(lane: &LaneTrace, step: LaneStep) -> Option<u64> {
    lane.steps.iter().find(|(_, happened)| *happened == step).map(|(at_us, _)| *at_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(steps: &[(u64, Lane, LaneStep)]) -> String {
        let mut trace = LabTrace::default();
        for &(at_us, lane, step) in steps {
            trace.apply(LabEvent { at_us, what: LabFact::Lane { lane, step } });
        }
        Story { trace: &trace, delay: Duration::from_secs(15) }.to_string()
    }

    #[test]
    fn each_search_has_its_times_from_its_question_on_and_a_conclusion() {
        let text = story(&[
            (400_000, Lane::Job, LaneStep::Sent),
            (410_000, Lane::Job, LaneStep::Answered),
            (1_410_000, Lane::Job, LaneStep::Killed),
            (1_900_000, Lane::Job, LaneStep::Restarted),
            (17_000_000, Lane::Job, LaneStep::RowThere),
        ]);
        for line in ["takes 15s.", "    0.000 s  sent", "    0.010 s  answered", "   16.600 s  row there"] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.ends_with("The row came after 16.60 s, although the process was killed.\n"), "{text}");
    }

    #[test]
    fn a_row_that_never_comes_is_said_to_be_lost() {
        let steps = [(0, LaneStep::Sent), (9_000, LaneStep::Answered), (16_000_000, LaneStep::RowGone)];
        let text = story(&steps.map(|(at_us, step)| (at_us, Lane::BareTask, step)));
        assert!(text.ends_with("after 9 ms. The row died with the process: it will never come.\n"), "{text}");
    }

    #[test]
    fn the_order_is_that_of_the_lesson() {
        let sent = LaneStep::Sent;
        let text = story(&[(0, Lane::Job, sent), (0, Lane::BareTask, sent), (0, Lane::Awaited, sent)]);
        let place = |lane: &str| text.find(lane).expect("told");
        assert!(place("\nawaited") < place("\nbare task") && place("\nbare task") < place("\njob"), "{text}");
    }
}
