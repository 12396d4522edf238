//! Requests that change something: whether one is in flight, and how the last one failed.

use api::ApiError;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::platform::context;
use crate::platform::session::Session;

#[derive(Clone, Copy)]
pub struct Request {
    pub error: RwSignal<Option<ApiError>>,
    pub is_pending: RwSignal<bool>,
    session: Session,
}

impl Request {
    pub fn new() -> Self {
        Self { error: RwSignal::new(None), is_pending: RwSignal::new(false), session: context::session() }
    }

    /// Sends `request` and calls `then` with its result, even if the page has been left meanwhile.
    pub fn send<T: 'static>(
        self,
        request: impl Future<Output = Result<T, ApiError>> + 'static,
        then: impl FnOnce(Result<T, ApiError>) + 'static,
    ) {
        self.is_pending.set(true);
        spawn_local(async move {
            let result = request.await;
            self.is_pending.try_set(false);
            if let Err(error) = &result {
                self.session.end_if_signed_out(error);
                // The server may have been updated, and understand this page no more.
                self.session.refresh();
            }
            self.error.try_set(result.as_ref().err().cloned());
            then(result);
        });
    }
}
