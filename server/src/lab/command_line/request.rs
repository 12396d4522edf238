//! `lab request`: the trap and its cure, side by side.

use std::fmt::{self, Display};
use std::time::Duration;

use anyhow::ensure;
use api::{LabEvent, LabFact, LabSpec, LabSummary, LabTrace, Lane, LaneStep, LaneTrace, RequestSpec};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{check, duration, follow, print_json, seconds, whole_ms};
use crate::lab::request::request;
use crate::lab::sandbox::Sandbox;
use crate::platform::output::{is_stderr_terminal, print, say};

#[derive(Clone, Debug, Args)]
pub struct LabRequest {
    /// How long the write takes
    #[arg(long, default_value = "15s", value_name = "TIME", value_parser = duration)]
    pub delay: Duration,
    /// Print one JSON document instead
    #[arg(long)]
    pub json: bool,
}

/// Runs the scenario and prints what happened to each search. Fails also if the row of the search that was made a job
/// has not arrived.
pub async fn lab_request(args: &LabRequest) -> anyhow::Result<()> {
    let spec = RequestSpec { delay_ms: whole_ms(args.delay) };
    check(&LabSpec::Request(spec.clone()))?;
    let sandbox = Sandbox::of_this_program()?;
    let run = async |sink| request(&spec, &sandbox, &sink, &CancellationToken::new()).await;
    let (summary, trace) = follow(run, |_, event| {
        if !args.json && is_stderr_terminal() {
            show_progress(event);
        }
    })
    .await;
    let summary = summary?;
    if args.json {
        let steps = |lane: &LaneTrace| -> Vec<_> {
            lane.steps.iter().map(|(at_us, step)| json!({"at_us": at_us, "step": step})).collect()
        };
        let lanes = trace.lanes.iter().map(|lane| json!({"lane": lane.lane, "steps": steps(lane)})).collect();
        print_json(&Document { spec: &spec, summary: &summary, lanes })?;
    } else {
        print(&RequestReport { trace: &trace, delay: args.delay }.to_string())?;
    }
    let has_row = |lane: &LaneTrace| lane.lane == Lane::Job && lane.time(LaneStep::RowThere).is_some();
    ensure!(trace.lanes.iter().any(has_row), "the row of the search that was made a job is not there");
    Ok(())
}

/// The spec and what happened. Times are microseconds since the run began.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    spec: &'a RequestSpec,
    #[serde(flatten)]
    summary: &'a LabSummary,
    /// Of each lane: its name, and its steps with their times.
    lanes: Vec<Value>,
}

fn show_progress(event: &LabEvent) {
    if let LabFact::Lane { lane, step } = &event.what {
        say(&format!("{:>7.2} s  {}: {}", seconds(event.at_us), lane.as_str(), step.as_str()));
    }
}

/// What happened to each search since it was sent, and what that means.
struct RequestReport<'a> {
    trace: &'a LabTrace,
    delay: Duration,
}

impl Display for RequestReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delay = humantime::format_duration(self.delay);
        writeln!(f, "The same search three times. Each time writing it down takes {delay}.")?;
        for lane in Lane::ALL.iter().filter_map(|lane| self.trace.lanes.iter().find(|known| known.lane == *lane)) {
            writeln!(f, "\n{}: {}", lane.lane.as_str(), method(lane.lane))?;
            let sent = lane.time(LaneStep::Sent).unwrap_or(0);
            for (at_us, step) in &lane.steps {
                writeln!(f, "{:>9.3} s  {}", seconds(at_us.saturating_sub(sent)), step.as_str())?;
            }
            writeln!(f, "  {}", conclusion(lane))?;
        }
        Ok(())
    }
}

fn method(lane: Lane) -> &'static str {
    match lane {
        Lane::Awaited => "the answer waits for the write",
        Lane::BareTask => "the write is handed to a task of the process, and the process is killed",
        Lane::Job => "the write is a durable job, and the process is killed",
    }
}

fn conclusion(lane: &LaneTrace) -> String {
    let since_sent = |step| Some(short_time(lane.time(step)?.saturating_sub(lane.time(LaneStep::Sent)?)));
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

fn short_time(us: u64) -> String {
    if us < 1_000_000 { format!("{} ms", us.div_ceil(1_000)) } else { format!("{:.2} s", seconds(us)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(steps: &[(u64, Lane, LaneStep)]) -> String {
        let mut trace = LabTrace::default();
        for &(at_us, lane, step) in steps {
            trace.apply(LabEvent { at_us, what: LabFact::Lane { lane, step } });
        }
        RequestReport { trace: &trace, delay: Duration::from_secs(15) }.to_string()
    }

    #[test]
    fn each_search_has_its_times_since_it_was_sent_and_a_conclusion() {
        let text = report(&[
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
    fn a_row_that_never_comes_is_reported_as_lost() {
        let steps = [(0, LaneStep::Sent), (9_000, LaneStep::Answered), (16_000_000, LaneStep::RowGone)];
        let text = report(&steps.map(|(at_us, step)| (at_us, Lane::BareTask, step)));
        assert!(text.ends_with("after 9 ms. The row died with the process: it will never come.\n"), "{text}");
    }

    #[test]
    fn lanes_are_in_the_order_of_the_lesson() {
        let sent = LaneStep::Sent;
        let text = report(&[(0, Lane::Job, sent), (0, Lane::BareTask, sent), (0, Lane::Awaited, sent)]);
        let position = |lane: &str| text.find(lane).expect("it is in the report");
        assert!(
            position("\nawaited") < position("\nbare task") && position("\nbare task") < position("\njob"),
            "{text}"
        );
    }
}
