//! What every component may reach: the only provide_context call.

use std::time::Duration;

use api::{Bundle, TimeMs};
use leptos::ev;
use leptos::prelude::*;

use crate::draft::Draft;
use crate::live::Link;
use crate::moment;
use crate::navigation::Navigation;
use crate::session::Session;
use crate::theme::Theme;

/// All of it is one context, because each type that is one of its own weighs a kilobyte.
#[derive(Clone, Copy)]
struct Shared {
    draft: Draft,
    navigation: Navigation,
    connection: Connection,
    help_open: HelpOpen,
    theme: Theme,
    now: RwSignal<TimeMs>,
    session: Session,
}

/// How the connection to the server is doing, as the latest stream sees it.
#[derive(Clone, Copy)]
pub struct Connection(pub RwSignal<Link>);

/// Whether the list of keys is open.
#[derive(Clone, Copy)]
pub struct HelpOpen(pub RwSignal<bool>);

/// Called once, before anything is shown.
pub fn provide(bundle: Bundle, draft: Draft) {
    let shared = Shared {
        draft,
        navigation: Navigation::start(bundle),
        connection: Connection(RwSignal::new(Link::Idle)),
        help_open: HelpOpen(RwSignal::new(false)),
        theme: Theme::restore(),
        now: ticking(),
        session: Session::ask(),
    };
    provide_context(shared);
    let _ = window_event_listener(ev::pageshow, move |event| {
        // Back from the other bundle, as it was left: there one may have logged in or chosen a theme.
        if event.persisted() {
            shared.session.refresh();
            shared.theme.restore_again();
        }
    });
}

fn shared() -> Shared {
    expect_context()
}

pub fn navigation() -> Navigation {
    shared().navigation
}

pub fn session() -> Session {
    shared().session
}

pub fn draft() -> Draft {
    shared().draft
}

pub fn theme() -> Theme {
    shared().theme
}

pub fn connection() -> Connection {
    shared().connection
}

pub fn help_open() -> HelpOpen {
    shared().help_open
}

/// The time that relative times are told from; it ticks.
pub fn now() -> Signal<TimeMs> {
    shared().now.into()
}

fn ticking() -> RwSignal<TimeMs> {
    let now = RwSignal::new(moment::now());
    // Seconds are the finest unit that relative times are told in.
    set_interval(move || now.set(moment::now()), Duration::from_secs(1));
    now
}
