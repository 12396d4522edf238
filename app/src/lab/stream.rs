//! Follows one run: its state, its events, and its clock.

use std::time::Duration;

use api::{ItemState, JobState, LabEvent, LabFact, LabRun, LabSpec, LabTrace, LabWork, TimeMs};
use leptos::prelude::*;

use crate::platform::sse::{EventStream, StreamState};
use crate::platform::{context, time, url};

/// How often the run is drawn for visitors who prefer reduced motion.
const REDUCED_MOTION: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
pub struct RunStream {
    /// As the server said it last, or as its events say it by now.
    pub run: Memo<LabRun>,
    /// As the server said it last.
    known: RwSignal<LabRun>,
    pub trace: RwSignal<LabTrace>,
    /// The run's own time, in microseconds. It advances while the run is running and its events arrive.
    pub now_us: RwSignal<u64>,
    /// Whether the server has said that the run is over, and all its events have arrived.
    pub is_complete: RwSignal<bool>,
    /// How often the run has begun: again if its worker has stopped.
    begun: RwSignal<u32>,
    clock: StoredValue<RunClock>,
    /// Events that have arrived and are not in the trace yet.
    buffer: StoredValue<Vec<LabEvent>>,
    /// How many parts have arrived. They are numbered from 1 without gaps.
    parts: StoredValue<u32>,
    connection: RwSignal<StreamState>,
    is_drawing: StoredValue<bool>,
    is_resting: StoredValue<bool>,
    events: EventStream,
}

/// Follows `run` as long as the calling component is shown, or until it has ended.
pub fn follow(run: LabRun) -> RunStream {
    let stream = RunStream::new(run);
    stream.open();
    stream
}

/// Follows runs that take place one after the other, each once the one before it has ended. A browser has only a few
/// connections, and each stream takes one.
pub fn follow_in_turn(runs: impl IntoIterator<Item = LabRun>) -> Vec<RunStream> {
    let streams: Vec<RunStream> = runs.into_iter().map(RunStream::new).collect();
    let all = streams.clone();
    Effect::new(move |_| {
        let next = all.iter().find(|stream| !stream.is_complete.get() && !stream.events.is_gone.get());
        if let Some(stream) = next.filter(|stream| !stream.events.is_open()) {
            stream.open();
        }
    });
    streams
}

impl RunStream {
    fn new(run: LabRun) -> Self {
        let (known, trace) = (RwSignal::new(run), RwSignal::new(LabTrace::default()));
        let stream = Self {
            run: Memo::new(move |_| known.with(|run| trace.with(|trace| settled(run, trace)))),
            known,
            trace,
            now_us: RwSignal::new(0),
            is_complete: RwSignal::new(false),
            begun: RwSignal::new(0),
            clock: StoredValue::new(RunClock::default()),
            buffer: StoredValue::new(Vec::new()),
            parts: StoredValue::new(0),
            connection: context::connection(),
            is_drawing: StoredValue::new(false),
            is_resting: StoredValue::new(false),
            events: EventStream::new(),
        };
        // The clock stands still while there are no news, and runs again with the stream.
        Effect::new(move |_| {
            stream.connection.track();
            stream.draw_soon();
        });
        stream
    }

    fn open(self) {
        let id = self.run.with_untracked(|run| run.id);
        let address = move || {
            let after = self.parts.get_value().to_string();
            url::with_query(&format!("/api/lab/runs/{id}/events"), &[("after", Some(after.as_str()))])
        };
        self.events.open(address, move |event, data| self.deliver(event, &data));
    }

    /// Since when a run that had not ended by then has no news, by the server's clock.
    pub fn is_cut_off(self) -> Option<TimeMs> {
        let is_followed = self.events.is_open() && self.is_running();
        match self.connection.get() {
            StreamState::Reconnecting(since) if is_followed => since,
            StreamState::Outdated(since) | StreamState::Silent(since) if is_followed => Some(since),
            _ => None,
        }
    }

    /// Whether it has ended, and was not stopped.
    pub fn has_run_to_its_end(self) -> bool {
        let was_stopped = self.run.with(|run| matches!(run.state, JobState::Cancelled | JobState::Dead));
        !self.is_running() && !was_stopped
    }

    /// Whether what is drawn is not the run's first beginning.
    pub fn has_begun_again(self) -> bool {
        self.begun.get() > 1
    }

    /// Whether the run's items are flags, and not only numbers.
    pub fn has_flags(self) -> bool {
        self.run.with_untracked(|run| matches!(&run.spec, LabSpec::Fetch(spec) if spec.work == LabWork::Flags))
    }

    /// Whether the run's clock advances.
    pub fn is_running(self) -> bool {
        let has_ended = self.trace.with(|trace| trace.has_ended);
        !has_ended && self.run.with(|run| !run.state.is_final())
    }

    fn deliver(self, event: &str, data: &str) {
        if event == "run" {
            let Ok(run) = serde_json::from_str::<LabRun>(data) else { return };
            let is_final = run.state.is_final();
            if self.known.with_untracked(|known| *known != run) {
                self.known.set(run);
            }
            if is_final {
                // The server ends the stream here; left open, the browser would reconnect for ever.
                self.events.close();
                self.is_complete.set(true);
            }
            self.draw_soon();
        } else {
            let Ok(events) = serde_json::from_str::<Vec<LabEvent>>(data) else { return };
            let received_us = browser_us();
            self.clock.update_value(|clock| {
                for event in &events {
                    if matches!(event.what, LabFact::Began { .. }) {
                        self.begun.update(|begun| *begun += 1);
                        *clock = RunClock::default();
                    }
                    clock.receive(event.at_us, received_us);
                }
            });
            self.buffer.update_value(|buffer| buffer.extend(events));
            self.parts.update_value(|parts| *parts += 1);
            self.draw_soon();
        }
    }

    /// Draws at most once a frame.
    fn draw_soon(self) {
        if self.is_drawing.try_get_value() == Some(false) {
            self.is_drawing.set_value(true);
            request_animation_frame(move || self.draw());
        }
    }

    fn draw(self) {
        // The page may be gone by the next frame.
        let Some(events) = self.buffer.try_update_value(std::mem::take) else { return };
        self.is_drawing.set_value(false);
        if !events.is_empty() {
            self.trace.update(|trace| events.into_iter().for_each(|event| trace.apply(event)));
        }
        let is_live = self.connection.with_untracked(|state| *state == StreamState::Live);
        let (is_running, clock) = (is_live && untrack(|| self.is_running()), self.clock.get_value());
        self.now_us.set(if is_running { clock.now(browser_us()) } else { clock.latest() });
        let has_begun = self.trace.with_untracked(|trace| *trace != LabTrace::default());
        if is_running && has_begun {
            if prefers_reduced_motion() { self.draw_after_rest() } else { self.draw_soon() }
        }
    }

    fn draw_after_rest(self) {
        if self.is_resting.try_get_value() == Some(false) {
            self.is_resting.set_value(true);
            set_timeout(
                move || {
                    let _ = self.is_resting.try_update_value(|is_resting| *is_resting = false);
                    self.draw_soon();
                },
                REDUCED_MOTION,
            );
        }
    }
}

/// The run as its events say it. Once all requests are answered it is shown as done. The server says so a moment later, and
/// its figures then stand instead of these.
fn settled(run: &LabRun, trace: &LabTrace) -> LabRun {
    let is_answered = |state| matches!(state, ItemState::Done | ItemState::Failed);
    let are_all_answered = !trace.items.is_empty() && trace.items.iter().all(|item| is_answered(item.state));
    if run.state != JobState::Running || !matches!(run.spec, LabSpec::Fetch(_)) || !are_all_answered {
        return run.clone();
    }
    LabRun { state: JobState::Done, percent: 100, summary: Some(trace.summary()), can_cancel: false, ..run.clone() }
}

/// The browser's monotonic clock, in microseconds.
fn browser_us() -> u64 {
    let ms = time::steady_ms();
    // Milliseconds since the page was loaded.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    let us = (ms * 1_000.0) as u64;
    us
}

fn prefers_reduced_motion() -> bool {
    let query = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

/// The run's own time, estimated from when its events arrive. All in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct RunClock {
    /// When the run began by the browser's clock, as the fastest event suggests.
    began_us: Option<u64>,
    latest_us: u64,
}

impl RunClock {
    /// Call it for an event that happened at `at_us` in the run and arrived at `received_us` by the browser's clock.
    fn receive(&mut self, at_us: u64, received_us: u64) {
        let began_us = received_us.saturating_sub(at_us);
        self.began_us = Some(self.began_us.map_or(began_us, |known| known.min(began_us)));
        self.latest_us = self.latest_us.max(at_us);
    }

    /// The run's time when the browser's clock says `read_us`; never earlier than a received event.
    fn now(self, read_us: u64) -> u64 {
        let estimate = self.began_us.map_or(0, |began_us| read_us.saturating_sub(began_us));
        estimate.max(self.latest_us)
    }

    fn latest(self) -> u64 {
        self.latest_us
    }
}

#[cfg(test)]
mod tests {
    use api::{FetchSpec, ItemTrace, JobId, LabRunId, LabSummary};

    use super::*;

    #[test]
    fn a_run_is_done_once_all_its_requests_are_answered() {
        let run = |state| LabRun {
            id: LabRunId::from_parts(1, 1),
            job: JobId(1),
            spec: LabSpec::Fetch(FetchSpec::FIRST),
            state,
            ahead: 0,
            created_at: TimeMs(0),
            finished_at: None,
            percent: 40,
            summary: None,
            error: None,
            can_cancel: true,
        };
        let item = |state| ItemTrace { state, started_us: Some(10), ended_us: Some(30), ..ItemTrace::default() };
        let trace = |states: &[ItemState]| LabTrace {
            items: states.iter().map(|&state| item(state)).collect(),
            ..LabTrace::default()
        };
        let running = run(JobState::Running);
        let done = settled(&running, &trace(&[ItemState::Done, ItemState::Failed]));
        let summary = LabSummary { elapsed_us: 20, done: 1, failed: 1, work_us: 40, ..LabSummary::default() };
        assert_eq!((done.state, done.percent, done.can_cancel), (JobState::Done, 100, false));
        assert_eq!(done.summary, Some(summary));
        for open in [ItemState::Pending, ItemState::Running, ItemState::Cancelled] {
            assert_eq!(settled(&running, &trace(&[ItemState::Done, open])), running, "{open:?}");
        }
        assert_eq!(settled(&running, &trace(&[])), running);
        let retrying = run(JobState::Retrying);
        assert_eq!(settled(&retrying, &trace(&[ItemState::Done])), retrying, "its worker has stopped: it runs again");
    }

    #[test]
    fn late_events_do_not_set_the_clock_back() {
        let mut clock = RunClock::default();
        assert_eq!(clock.now(5_000), 0);
        clock.receive(100, 5_000);
        assert_eq!(clock.now(5_900), 1_000);
        clock.receive(200, 6_900);
        assert_eq!(clock.now(6_900), 2_000, "the second event was slow");
        clock.receive(3_000, 7_000);
        assert_eq!(clock.now(7_000), 3_000, "the first event was slower");
    }
}
