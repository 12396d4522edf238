//! One run, from its first event to its last.

use std::thread;

use api::{FetchSpec, LabFact, LabSummary, LabTrace};
use lab::{EventSink, FetchPlan};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::cli::CommandError;
use crate::cli::stop_signal::StopSignal;

/// What came of a run.
pub(super) struct Run {
    pub(super) spec: FetchSpec,
    pub(super) summary: LabSummary,
    pub(super) trace: LabTrace,
}

/// Carries the plan out on a thread of its own. `see` is shown each fact and what is known with it.
pub(super) async fn run(
    plan: FetchPlan,
    spec: FetchSpec,
    stop: &CancellationToken,
    mut see: impl FnMut(&LabTrace, &LabFact),
) -> Result<Run, CommandError> {
    let (sink, mut events) = EventSink::begin();
    let (say, said) = oneshot::channel();
    let stop = stop.clone();
    let spawned = thread::Builder::new().name("lab-run".to_owned()).spawn(move || {
        // Dropped with the sink, and so before who listens learns that all is told.
        let _ = say.send(lab::fetch(plan, &sink, &stop));
    });
    let no_thread = |error: std::io::Error| CommandError(format!("the system gives us no thread: {error}"));
    spawned.map_err(no_thread)?;
    let mut trace = LabTrace::default();
    while let Some(event) = events.recv().await {
        let what = event.what.clone();
        trace.apply(event);
        see(&trace, &what);
    }
    let summary = said.await.map_err(|_| CommandError("the run has panicked".to_owned()))?.map_err(no_thread)?;
    Ok(Run { spec, summary, trace })
}

/// Ctrl-C, and SIGTERM: what has not begun is cancelled then. A second one ends the process at once.
pub(super) struct Stop(CancellationToken);

impl Stop {
    pub(super) fn listen() -> Result<Self, CommandError> {
        let (signal, token) = (StopSignal::listen()?, CancellationToken::new());
        let given = token.clone();
        tokio::spawn(async move {
            signal.given().await;
            given.cancel();
        });
        Ok(Self(token))
    }

    pub(super) fn token(&self) -> CancellationToken {
        self.0.clone()
    }

    pub(super) fn is_given(&self) -> bool {
        self.0.is_cancelled()
    }
}
