//! Starts runs: one, or several in turn.

use std::collections::VecDeque;

use api::{JobState, LabRun, LabSpec};
use leptos::prelude::*;

use crate::platform::request::Request;
use crate::platform::time;

#[derive(Clone, Copy)]
pub struct Launcher {
    /// The run that is shown: the last one started here, or the latest one when the page was opened.
    pub watched: RwSignal<Option<LabRun>>,
    pub request: Request,
    /// How many runs will be started when the shown one has ended.
    pub ahead: RwSignal<usize>,
    plan: StoredValue<VecDeque<LabSpec>>,
    on_started: Callback<()>,
}

impl Launcher {
    pub fn new(on_started: Callback<()>) -> Self {
        Self {
            watched: RwSignal::new(None),
            request: Request::new(),
            ahead: RwSignal::new(0),
            plan: StoredValue::new(VecDeque::new()),
            on_started,
        }
    }

    /// Starts the first of these runs now, and each further one when the previous one has ended. Concurrent runs would
    /// slow each other down.
    pub fn start(self, specs: Vec<LabSpec>) {
        if !self.request.is_pending.get_untracked() {
            self.plan.set_value(specs.into());
            self.start_next();
        }
    }

    /// Call it when the shown run has ended.
    pub fn ended(self, state: JobState) {
        if state != JobState::Done {
            // Cancelling one run cancels the rest of the plan.
            self.clear();
        }
        self.start_next();
    }

    fn start_next(self) {
        let Some(spec) = self.plan.try_update_value(VecDeque::pop_front).flatten() else { return };
        self.ahead.set(self.plan.with_value(VecDeque::len));
        self.request.error.set(None);
        self.request.send(api::start_lab_run(time::new_id(), spec), move |result| match result {
            Ok(run) => {
                self.watched.try_set(Some(run));
                let _ = self.on_started.try_run(());
            }
            Err(error) => {
                self.clear();
                if error.is_outcome_unknown() {
                    // The list of runs shows whether it has started.
                    let _ = self.on_started.try_run(());
                }
            }
        });
    }

    fn clear(self) {
        let _ = self.plan.try_update_value(VecDeque::clear);
        self.ahead.try_set(0);
    }
}
