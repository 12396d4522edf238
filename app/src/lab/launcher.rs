//! Starts runs: one, or those of a comparison.

use api::{ApiError, FetchSpec, LabRun, LabSpec};
use leptos::prelude::*;

use crate::lab::comparison::ComparisonId;
use crate::platform::request::Request;
use crate::platform::time;

#[derive(Clone, Copy)]
pub struct Launcher {
    pub request: Request,
    /// Whether a comparison has been started and is not shown yet.
    opens: RwSignal<bool>,
    /// Called when the list of runs has changed.
    on_change: Callback<()>,
}

impl Launcher {
    pub fn new(on_change: Callback<()>) -> Self {
        Self { request: Request::new(), opens: RwSignal::new(false), on_change }
    }

    pub fn start(self, spec: LabSpec, then: Callback<LabRun>) {
        self.send(api::start_lab_run(time::new_id(), spec), move |run| _ = then.try_run(run));
    }

    /// Starts all at once. The server runs one at a time: concurrent runs would slow each other down.
    pub fn compare(self, specs: Vec<FetchSpec>, then: Callback<ComparisonId>) {
        let id = ComparisonId::of(time::new_id());
        let start_all = async move {
            for spec in specs {
                api::start_lab_run(id.run(spec.style), LabSpec::Fetch(spec)).await?;
            }
            Ok(id)
        };
        self.send(start_all, move |id| {
            self.opens.try_set(true);
            if then.try_run(id).is_none() {
                self.shown();
            }
        });
    }

    /// Whether something is being started, or has been and is not shown yet. Until then nothing else is started. Tracked.
    pub fn is_busy(self) -> bool {
        self.request.is_pending.get() || self.opens.get()
    }

    /// The comparison is shown, or never will be.
    pub fn shown(self) {
        if self.opens.try_get_untracked() == Some(true) {
            self.opens.set(false);
        }
    }

    /// What was started has ended.
    pub fn ended(self) {
        let _ = self.on_change.try_run(());
    }

    /// `then` is called even if the page has been left.
    fn send<T: 'static>(
        self,
        request: impl Future<Output = Result<T, ApiError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        if untrack(|| self.is_busy()) {
            return;
        }
        self.request.error.set(None);
        self.request.send(request, move |result| {
            // After an error, the list shows whether something was started.
            let _ = self.on_change.try_run(());
            if let Ok(started) = result {
                then(started);
            }
        });
    }
}
