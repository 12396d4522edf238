//! What a visitor can order in the lab: runs, one or several in turn, and the end of one.

use std::collections::VecDeque;

use api::{ApiError, JobState, LabRun, LabSpec};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::submission::new_id;

/// Starts runs, and remembers which is to be watched and why the last order failed.
#[derive(Clone, Copy)]
pub struct LabCommands {
    /// The latest run that was started here; before that, the latest one when the page was opened.
    pub watched: RwSignal<Option<LabRun>>,
    pub error: RwSignal<Option<ApiError>>,
    /// Whether an order is on its way.
    pub is_sending: RwSignal<bool>,
    /// How many runs will be started when the watched one has ended.
    pub ahead: RwSignal<usize>,
    plan: StoredValue<VecDeque<LabSpec>>,
    on_started: Callback<()>,
}

impl LabCommands {
    /// `on_started` is called when there is a run more.
    #[must_use]
    pub fn new(on_started: Callback<()>) -> Self {
        Self {
            watched: RwSignal::new(None),
            error: RwSignal::new(None),
            is_sending: RwSignal::new(false),
            ahead: RwSignal::new(0),
            plan: StoredValue::new(VecDeque::new()),
            on_started,
        }
    }

    /// Starts the first of these runs now and each other one when the one before it has ended: side by side they
    /// would take each other's time.
    pub fn start(self, specs: Vec<LabSpec>) {
        if !self.is_sending.get_untracked() {
            self.plan.set_value(specs.into());
            self.start_next();
        }
    }

    /// Takes note that the watched run has ended.
    pub fn ended(self, state: JobState) {
        if state != JobState::Done {
            // Who cancels one of them has seen enough.
            self.plan.set_value(VecDeque::new());
            self.ahead.set(0);
        }
        self.start_next();
    }

    fn start_next(self) {
        let Some(spec) = self.plan.try_update_value(VecDeque::pop_front).flatten() else { return };
        self.ahead.set(self.plan.with_value(VecDeque::len));
        self.error.set(None);
        self.is_sending.set(true);
        spawn_local(async move {
            let outcome = api::start_lab_run(new_id(), spec).await;
            // The page may have been left meanwhile.
            self.is_sending.try_set(false);
            match outcome {
                Ok(run) => {
                    self.watched.try_set(Some(run));
                    let _ = self.on_started.try_run(());
                }
                Err(error) => {
                    let _ = self.plan.try_update_value(VecDeque::clear);
                    self.ahead.try_set(0);
                    self.error.try_set(Some(error));
                }
            }
        });
    }
}
