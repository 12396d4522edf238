//! What every component may reach: the only provide_context calls.

use std::time::Duration;

use api::TimeMs;
use leptos::prelude::*;

use crate::draft::Draft;
use crate::live::Link;
use crate::moment;
use crate::navigation::Navigation;
use crate::session::Session;
use crate::theme::Theme;

/// The time that relative times are told from; it ticks.
#[derive(Clone, Copy)]
pub struct Now(pub Signal<TimeMs>);

/// How the connection to the server is doing, as the latest stream sees it.
#[derive(Clone, Copy)]
pub struct Connection(pub RwSignal<Link>);

/// Whether the list of keys is open.
#[derive(Clone, Copy)]
pub struct HelpOpen(pub RwSignal<bool>);

/// Called once, before anything is shown.
pub fn provide(draft: Draft) {
    provide_context(draft);
    provide_context(Navigation::start());
    provide_context(Connection(RwSignal::new(Link::Idle)));
    provide_context(HelpOpen(RwSignal::new(false)));
    provide_context(Theme::restore());
    provide_context(ticking());
    provide_context(Session::ask());
}

pub fn navigation() -> Navigation {
    expect_context()
}

pub fn session() -> Session {
    expect_context()
}

pub fn draft() -> Draft {
    expect_context()
}

pub fn theme() -> Theme {
    expect_context()
}

pub fn connection() -> Connection {
    expect_context()
}

pub fn help_open() -> HelpOpen {
    expect_context()
}

pub fn now() -> Signal<TimeMs> {
    expect_context::<Now>().0
}

fn ticking() -> Now {
    let now = RwSignal::new(moment::now());
    // Seconds are the finest unit that relative times are told in.
    set_interval(move || now.set(moment::now()), Duration::from_secs(1));
    Now(now.into())
}
