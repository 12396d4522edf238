//! The context of all components. Nothing else calls `provide_context`.

use api::{Bundle, TimeMs};
use leptos::ev;
use leptos::prelude::*;

use crate::platform::router::Router;
use crate::platform::session::Session;
use crate::platform::sse::StreamState;
use crate::platform::time::Clock;

/// One context for all, because each further type in a context adds a kilobyte to the bundle.
#[derive(Clone, Copy)]
struct Shared {
    router: Router,
    session: Session,
    connection: RwSignal<StreamState>,
    clock: Clock,
}

/// Called once, before anything is shown.
pub fn provide(bundle: Bundle) {
    let clock = Clock::start();
    let session = Session::load(clock);
    let _ = window_event_listener(ev::pageshow, move |event| {
        // The document returns from the history cache; the visitor may have logged in meanwhile in the other bundle.
        if event.persisted() {
            session.refresh();
        }
    });
    let connection = RwSignal::new(StreamState::Idle);
    provide_context(Shared { router: Router::start(bundle), session, connection, clock });
}

fn shared() -> Shared {
    expect_context()
}

pub fn router() -> Router {
    shared().router
}

pub fn session() -> Session {
    shared().session
}

/// The state of the page's stream.
pub fn connection() -> RwSignal<StreamState> {
    shared().connection
}

pub fn clock() -> Clock {
    shared().clock
}

/// The current time, for relative times; it ticks every second.
pub fn now() -> Signal<TimeMs> {
    clock().now()
}
