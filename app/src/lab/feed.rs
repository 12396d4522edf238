//! One run, live: its state, what happened in it, and what time it is there.

use std::time::Duration;

use api::{LabEvent, LabFact, LabRun, LabTrace};
use leptos::prelude::*;

use super::clock::RunClock;
use crate::context;
use crate::live::{Live, Subscription};
use crate::url;

/// How often the time goes on for who wants nothing to move.
const CALM: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
pub struct RunFeed {
    pub run: RwSignal<LabRun>,
    pub trace: RwSignal<LabTrace>,
    /// The run's own time, in microseconds. Goes on while it runs.
    pub now_us: RwSignal<u64>,
    clock: StoredValue<RunClock>,
    /// Events that have come and are not in the trace yet.
    buffer: StoredValue<Vec<LabEvent>>,
    /// How many parts have come: they are numbered from 1 without gaps.
    parts: StoredValue<u32>,
    is_drawing: StoredValue<bool>,
    is_resting: StoredValue<bool>,
    live: StoredValue<Option<Live>, LocalStorage>,
}

/// Follows `run` as long as the calling component is shown, or until there is nothing more to come.
pub fn follow(run: LabRun) -> RunFeed {
    let id = run.id;
    let feed = RunFeed {
        run: RwSignal::new(run),
        trace: RwSignal::new(LabTrace::default()),
        now_us: RwSignal::new(0),
        clock: StoredValue::new(RunClock::default()),
        buffer: StoredValue::new(Vec::new()),
        parts: StoredValue::new(0),
        is_drawing: StoredValue::new(false),
        is_resting: StoredValue::new(false),
        live: StoredValue::new_local(None),
    };
    feed.live.set_value(Some(Live::follow(Subscription {
        address: Box::new(move || {
            let after = feed.parts.get_value().to_string();
            url::with_query(&format!("/api/lab/runs/{id}/events"), &[("after", Some(after.as_str()))])
        }),
        events: &["run", "part"],
        deliver: Box::new(move |event, data| feed.deliver(event, &data)),
        refused: Box::new(|| ()),
        link: context::connection().0,
    })));
    feed
}

impl RunFeed {
    /// Whether the run's time goes on.
    #[must_use]
    pub fn is_running(self) -> bool {
        let has_ended = self.trace.with(|trace| trace.has_ended);
        !has_ended && self.run.with(|run| !run.state.is_final())
    }

    fn deliver(self, event: &str, data: &str) {
        if event == "run" {
            let Ok(news) = serde_json::from_str::<LabRun>(data) else { return };
            let is_final = news.state.is_final();
            if self.run.with_untracked(|known| *known != news) {
                self.run.set(news);
            }
            if is_final {
                // All is told by then; left open, the browser would ask again for ever.
                drop(self.live.try_update_value(Option::take));
            }
            self.draw_soon();
        } else {
            let Ok(events) = serde_json::from_str::<Vec<LabEvent>>(data) else { return };
            let heard_us = reader_us();
            self.clock.update_value(|clock| {
                for event in &events {
                    if matches!(event.what, LabFact::Began { .. }) {
                        *clock = RunClock::default();
                    }
                    clock.hear(event.at_us, heard_us);
                }
            });
            self.buffer.update_value(|buffer| buffer.extend(events));
            self.parts.update_value(|parts| *parts += 1);
            self.draw_soon();
        }
    }

    /// Draws at most once for each frame that the screen shows.
    fn draw_soon(self) {
        if self.is_drawing.try_get_value() == Some(false) {
            self.is_drawing.set_value(true);
            request_animation_frame(move || self.draw());
        }
    }

    fn draw(self) {
        // The frame may come after the page has gone.
        let Some(events) = self.buffer.try_update_value(std::mem::take) else { return };
        self.is_drawing.set_value(false);
        if !events.is_empty() {
            self.trace.update(|trace| events.into_iter().for_each(|event| trace.take(event)));
        }
        let (is_running, clock) = (untrack(|| self.is_running()), self.clock.get_value());
        self.now_us.set(if is_running { clock.now(reader_us()) } else { clock.latest() });
        let has_begun = self.trace.with_untracked(|trace| *trace != LabTrace::default());
        if is_running && has_begun {
            if wants_rest() { self.draw_after_rest() } else { self.draw_soon() }
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
                CALM,
            );
        }
    }
}

/// The reader's clock, which only goes forward, in microseconds.
fn reader_us() -> u64 {
    let ms = window().performance().map(|performance| performance.now()).unwrap_or_default();
    // Milliseconds since the page was loaded.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    let us = (ms * 1_000.0) as u64;
    us
}

fn wants_rest() -> bool {
    let query = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
    query.is_some_and(|query| query.matches())
}
