//! The comparison that is running: how far it is, and how the visitor cancels it.

use api::{ErrorCode, JobState, LabRunId, LabSpec};
use leptos::prelude::*;

use crate::lab::stream::RunStream;
use crate::lab::words;
use crate::lab::words::form::{compare_again, compare_cut_off, compare_next, compare_progress, compare_waits};
use crate::platform::request::Request;
use crate::platform::time;

/// How far a comparison is, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Known(String),
    /// The server is away: nobody knows.
    CutOff(String),
}

#[derive(Clone, Copy)]
pub struct Ongoing {
    /// `None` while nothing is running.
    pub progress: RwSignal<Option<Progress>>,
    /// What the visitor may cancel, in the order in which it takes place.
    cancellable: RwSignal<Vec<LabRunId>>,
    pub cancellation: Request,
}

impl Ongoing {
    pub fn new() -> Self {
        Self { progress: RwSignal::new(None), cancellable: RwSignal::new(Vec::new()), cancellation: Request::new() }
    }

    /// Tells about these runs as long as the calling component is shown.
    pub fn follow(self, streams: Vec<RunStream>) {
        let followed = streams.clone();
        let progress = Memo::new(move |_| progress(&followed));
        let cancellable = Memo::new(move |_| {
            let id =
                |stream: &RunStream| stream.run.with(|run| (run.can_cancel && !run.state.is_final()).then_some(run.id));
            streams.iter().filter_map(id).collect::<Vec<_>>()
        });
        Effect::new(move |_| self.progress.set(progress.get()));
        Effect::new(move |_| self.cancellable.set(cancellable.get()));
        self.cancellation.error.set(None);
        on_cleanup(move || {
            self.progress.try_set(None);
            self.cancellable.try_set(Vec::new());
        });
    }

    /// Tracked.
    pub fn can_cancel(self) -> bool {
        self.cancellable.with(|ids| !ids.is_empty())
    }

    pub fn cancel(self) {
        if self.cancellation.is_pending.get_untracked() {
            return;
        }
        // The waiting ones first: otherwise the next would begin.
        let ids: Vec<_> = self.cancellable.get_untracked().into_iter().rev().collect();
        let cancel_all = async move {
            for id in ids {
                match api::cancel_lab_run(id).await {
                    // It has ended meanwhile.
                    Err(error) if error.code == ErrorCode::Conflict => {}
                    result => result?,
                }
            }
            Ok(())
        };
        self.cancellation.send(cancel_all, |_| ());
    }
}

/// How far the runs are, which take place in this order.
fn progress(streams: &[RunStream]) -> Option<Progress> {
    let is_open = |stream: &&RunStream| stream.run.with(|run| !run.state.is_final());
    let current = streams.iter().find(is_open)?;
    if let Some(since) = streams.iter().find_map(|stream| stream.is_cut_off()) {
        return Some(Progress::CutOff(compare_cut_off(&time::time_of_day(since))));
    }
    let (state, ahead) = current.run.with(|run| (run.state, run.ahead));
    let position = streams.len() - streams.iter().filter(is_open).count() + 1;
    if state != JobState::Running && position == 1 {
        return Some(Progress::Known(compare_waits(ahead)));
    }
    let fetch = |stream: &RunStream| {
        stream.run.with(|run| match &run.spec {
            LabSpec::Fetch(spec) => Some((spec.style, spec.min_duration_ms())),
            _ => None,
        })
    };
    let open = streams.iter().filter(is_open).filter_map(fetch);
    let least_ms: u64 = open.map(|(_, least_ms)| least_ms).sum();
    let left_ms = least_ms.saturating_sub(current.now_us.get() / 1_000).max(1_000);
    let (style, _) = fetch(current)?;
    let say = match state {
        JobState::Running if current.has_begun_again() => compare_again,
        JobState::Running => compare_progress,
        _ => compare_next,
    };
    Some(Progress::Known(say(words::style_name(style), position, streams.len(), left_ms)))
}
