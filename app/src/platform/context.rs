//! The context of all components. Nothing else calls `provide_context`.

use api::{Bundle, TimeMs};
use leptos::ev;
use leptos::prelude::*;

use crate::platform::reach;
use crate::platform::retry::{self, Outcome};
use crate::platform::router::Router;
use crate::platform::session::{Session, SessionState};
use crate::platform::sse::StreamState;
use crate::platform::time::Clock;

/// One context for all, because each further type in a context adds a kilobyte to the bundle.
#[derive(Clone, Copy)]
struct Shared {
    router: Router,
    session: Session,
    connection: RwSignal<StreamState>,
    is_silent: RwSignal<bool>,
    clock: Clock,
}

/// Called once, before anything is shown.
pub fn provide(bundle: Bundle) {
    let (clock, is_silent) = (Clock::start(), reach::start());
    let session = Session::load(clock);
    let _ = window_event_listener(ev::pageshow, move |event| {
        // The document returns from the history cache; the visitor may have logged in meanwhile in another bundle.
        if event.persisted() {
            session.refresh();
        }
    });
    let _ = window_event_listener(ev::offline, |_| {
        if reach::is_offline() {
            reach::failed();
        }
    });
    // A page that asks nothing notices by this that the server is back.
    retry::until_answered(
        move || match is_silent.get() || matches!(session.state(), SessionState::Failed(_)) {
            true => Outcome::Failed,
            false => Outcome::Answered,
        },
        move || session.refresh(),
    );
    let connection = RwSignal::new(StreamState::Idle);
    provide_context(Shared { router: Router::start(bundle), session, connection, is_silent, clock });
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

/// Whether the last request has failed. It is set again with each failure.
pub fn is_silent() -> RwSignal<bool> {
    shared().is_silent
}

pub fn clock() -> Clock {
    shared().clock
}

/// The current time, for relative times; it ticks every second.
pub fn now() -> Signal<TimeMs> {
    clock().now()
}
