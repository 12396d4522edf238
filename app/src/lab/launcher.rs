//! Starts runs: one, or those of a comparison.

use api::{ApiError, FetchSpec, LabRun, LabSpec};
use leptos::prelude::*;

use crate::lab::comparison::ComparisonId;
use crate::platform::request::Request;
use crate::platform::time;

#[derive(Clone, Copy)]
pub struct Launcher {
    pub request: Request,
    /// Called when the list of runs has changed.
    on_change: Callback<()>,
}

impl Launcher {
    pub fn new(on_change: Callback<()>) -> Self {
        Self { request: Request::new(), on_change }
    }

    pub fn start(self, spec: LabSpec, then: Callback<LabRun>) {
        self.send(api::start_lab_run(time::new_id(), spec), then);
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
        self.send(start_all, then);
    }

    /// What was started has ended.
    pub fn ended(self) {
        let _ = self.on_change.try_run(());
    }

    fn send<T: 'static>(self, request: impl Future<Output = Result<T, ApiError>> + 'static, then: Callback<T>) {
        if self.request.is_pending.get_untracked() {
            return;
        }
        self.request.error.set(None);
        self.request.send(request, move |result| {
            // After an error, the list shows whether something was started.
            let _ = self.on_change.try_run(());
            if let Ok(started) = result {
                // The page may have been left.
                let _ = then.try_run(started);
            }
        });
    }
}
