//! Server-sent events. They are read with `fetch`: an `EventSource` does not say how a stream was refused, and cannot
//! tell a quiet stream from a dead one.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use api::{ApiError, ErrorCode, Heartbeat, StreamEnd, TimeMs};
use leptos::ev;
use leptos::leptos_dom::helpers::{IntervalHandle, TimeoutHandle, WindowListenerHandle};
use leptos::prelude::*;

use crate::platform::event_reader::{self, End, Event};
use crate::platform::retry::backoff;
use crate::platform::session::Session;
use crate::platform::task::Task;
use crate::platform::time::{self, Clock};
use crate::platform::windows::Windows;
use crate::platform::{context, reach};

/// How long a hidden tab keeps its stream: a glance at another tab should cost nothing.
const HIDDEN_GRACE: Duration = Duration::from_secs(10);
/// How often it is checked whether the computer has slept.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// If a check comes this late, it has, and the connection has most likely not survived it.
const ASLEEP_MS: i64 = 10_000;
/// After this many intervals without a heartbeat or an event, the page is not called live.
const MISSED_BEATS: i64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// The page follows no stream.
    Idle,
    Connecting,
    Live,
    /// The stream is lost and will be reopened. It was live until this time, if it ever was.
    Reconnecting(Option<TimeMs>),
    /// The server cannot read what the stream follows, since this time.
    Outdated(TimeMs),
    /// Heartbeats are missing. The last news came at this time.
    Silent(TimeMs),
    /// The tab is hidden. The stream resumes when the tab is shown.
    Paused,
    /// Enough other windows have streams. This one's resumes when it gets the focus, or when another one closes.
    Crowded,
}

/// At most one open stream. It is closed with the component that created it.
#[derive(Clone, Copy)]
pub struct EventStream {
    connection: StoredValue<Option<Rc<Connection>>, LocalStorage>,
    state: RwSignal<StreamState>,
    /// True once the server has said that what the stream follows does not exist.
    pub is_gone: RwSignal<bool>,
    session: Session,
    clock: Clock,
}

impl EventStream {
    pub fn new() -> Self {
        Self {
            connection: StoredValue::new_local(None),
            state: context::connection(),
            is_gone: RwSignal::new(false),
            session: context::session(),
            clock: context::clock(),
        }
    }

    /// Follows a stream until it is closed or complete.
    ///
    /// `address` is called each time the stream is opened, so that it resumes after the last known event. `deliver` gets
    /// the name and the data of each event; it must return at once: append to a buffer or set a signal.
    pub fn open(self, address: impl Fn() -> String + 'static, deliver: impl Fn(&str, String) + 'static) {
        let connection = Rc::new_cyclic(|weak: &Weak<Connection>| {
            let news = weak.clone();
            Connection {
                stream: self,
                address: Box::new(address),
                deliver: Box::new(deliver),
                windows: Windows::listen(move |news_text| {
                    with(&news, &|connection| connection.hear_windows(news_text))
                }),
                state: Cell::new(StreamState::Idle),
                request: RefCell::default(),
                timer: Cell::default(),
                failures: Cell::default(),
                live_until: Cell::default(),
                heard_at: Cell::new(time::browser_now()),
                beat_ms: Cell::default(),
                checked_at: Cell::new(time::browser_now()),
                check: Cell::default(),
                listeners: RefCell::default(),
            }
        });
        connection.listeners.replace(listeners(&connection));
        let check = handler(&connection, Connection::check);
        connection.check.set(set_interval_with_handle(check, CHECK_EVERY).ok());
        self.is_gone.set(false);
        connection.resume();
        self.connection.set_value(Some(connection));
    }

    pub fn is_open(self) -> bool {
        self.connection.with_value(Option::is_some)
    }

    pub fn close(self) {
        drop(self.connection.try_update_value(Option::take));
    }

    /// Reopens a lost stream at once.
    pub fn retry(self) {
        if let Some(connection) = self.connection.get_value() {
            connection.retry();
        }
    }
}

/// Gets the name and the data of each event.
type Deliver = dyn Fn(&str, String);

struct Connection {
    stream: EventStream,
    address: Box<dyn Fn() -> String>,
    deliver: Box<Deliver>,
    windows: Windows,
    state: Cell<StreamState>,
    request: RefCell<Option<Task>>,
    timer: Cell<Option<TimeoutHandle>>,
    /// How often opening has failed in a row.
    failures: Cell<u32>,
    /// When the last byte came, by the server's clock.
    live_until: Cell<Option<TimeMs>>,
    /// When the last byte came, by the browser's clock.
    heard_at: Cell<TimeMs>,
    /// The server's interval of heartbeats, once it has named it.
    beat_ms: Cell<Option<u32>>,
    /// By the browser's clock, which goes on while the computer sleeps.
    checked_at: Cell<TimeMs>,
    check: Cell<Option<IntervalHandle>>,
    listeners: RefCell<Vec<WindowListenerHandle>>,
}

impl Connection {
    /// Opens the stream of a window that had none, if the window may have one.
    fn resume(self: &Rc<Self>) {
        if document().hidden() {
            self.close(StreamState::Paused);
        } else {
            self.windows.opened();
            self.open();
        }
    }

    fn open(self: &Rc<Self>) {
        let is_lost = matches!(self.state.get(), StreamState::Reconnecting(_));
        self.close(if is_lost { self.lost() } else { StreamState::Connecting });
        let (url, weak) = ((self.address)(), Rc::downgrade(self));
        let heard = handler(self, |connection| connection.heard());
        let task = Task::start(async move {
            let receive = |event| {
                if let Some(connection) = weak.upgrade() {
                    connection.receive(event);
                }
            };
            let end = event_reader::read(url, heard, receive).await;
            with(&weak, &|connection| connection.ended(&end));
        });
        self.request.replace(Some(task));
    }

    fn close(&self, state: StreamState) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        self.request.take();
        self.set_state(state);
    }

    /// Closes the stream until something resumes it.
    fn release(&self, state: StreamState) {
        self.windows.closed();
        self.close(state);
    }

    fn set_state(&self, state: StreamState) {
        // The signal is disposed together with the document.
        if self.state.replace(state) != state {
            self.stream.state.try_set(state);
        }
    }

    fn lost(&self) -> StreamState {
        StreamState::Reconnecting(self.live_until.get())
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state.get(), StreamState::Paused | StreamState::Crowded)
    }

    /// Call it for each part of the stream that arrives.
    fn heard(&self) {
        self.live_until.set(Some(time::now()));
        self.heard_at.set(time::browser_now());
        match self.state.get() {
            StreamState::Connecting | StreamState::Silent(_) => self.set_state(StreamState::Live),
            StreamState::Reconnecting(_) => {
                self.set_state(StreamState::Live);
                // Meanwhile the session may have ended, or the server may have been updated.
                self.stream.session.refresh();
            }
            _ => {}
        }
        self.failures.set(0);
    }

    fn receive(&self, Event { name, data }: Event) {
        if name != Heartbeat::EVENT {
            (self.deliver)(&name, data);
        } else if let Ok(Heartbeat { every_ms, now, is_current }) = api::from_json(&data) {
            self.stream.clock.hear(now);
            self.beat_ms.set(Some(every_ms));
            match (is_current, self.state.get()) {
                (true, StreamState::Outdated(_)) => self.set_state(StreamState::Live),
                (false, StreamState::Live) => self.set_state(StreamState::Outdated(time::now())),
                _ => {}
            }
        }
    }

    fn ended(self: &Rc<Self>, end: &Result<End, ApiError>) {
        match end {
            Ok(End::Said(StreamEnd::Complete) | End::Nothing) => self.release(StreamState::Idle),
            Ok(End::Said(StreamEnd::Gone)) => self.gone(),
            Err(error) if error.code == ErrorCode::NotFound => self.gone(),
            _ => {
                if let Err(error) = end {
                    self.stream.session.end_if_signed_out(error);
                } else if matches!(end, Ok(End::Said(StreamEnd::SignedOut))) {
                    self.stream.session.refresh();
                }
                self.reopen_later();
            }
        }
    }

    fn gone(&self) {
        self.release(StreamState::Idle);
        self.stream.is_gone.try_set(true);
    }

    fn reopen_later(self: &Rc<Self>) {
        self.close(self.lost());
        let failures = self.failures.get();
        self.failures.set(failures + 1);
        self.after(backoff(failures), Self::open);
    }

    /// Gives up a connection that has most likely died.
    fn reopen_now(self: &Rc<Self>) {
        self.set_state(self.lost());
        self.open();
    }

    fn retry(self: &Rc<Self>) {
        if self.is_followed() {
            self.reopen_now();
        }
    }

    fn after(self: &Rc<Self>, wait: Duration, act: impl Fn(&Rc<Self>) + 'static) {
        let act = handler(self, act);
        if let Some(earlier) = self.timer.replace(set_timeout_with_handle(act, wait).ok()) {
            earlier.clear();
        }
    }

    fn check(self: &Rc<Self>) {
        let now = time::browser_now();
        let since = now.since(self.checked_at.replace(now));
        self.windows.renew();
        // The claim of another window may have lapsed.
        self.obey_windows();
        if since > ASLEEP_MS && self.request.borrow().is_some() {
            self.reopen_now();
        }
        self.see_silence(now);
    }

    /// A stream without heartbeats is not live, although its connection may last.
    fn see_silence(&self, now: TimeMs) {
        let Some((since, beat_ms)) = self.live_until.get().zip(self.beat_ms.get()) else { return };
        let limit = i64::from(beat_ms) * MISSED_BEATS;
        if self.state.get() == StreamState::Live && now.since(self.heard_at.get()) > limit {
            self.set_state(StreamState::Silent(since));
        }
    }

    fn visibility_changed(self: &Rc<Self>) {
        if document().hidden() {
            if self.is_followed() {
                self.after(HIDDEN_GRACE, |connection| connection.release(StreamState::Paused));
            }
        } else if self.is_waiting() {
            self.resume();
        } else if self.request.borrow().is_some() {
            // The timer would have paused it.
            if let Some(timer) = self.timer.take() {
                timer.clear();
            }
        } else if self.is_followed() {
            self.open();
        }
    }

    /// Whether the stream is open, or will be reopened.
    fn is_followed(&self) -> bool {
        !self.is_waiting() && self.state.get() != StreamState::Idle
    }

    fn focused(self: &Rc<Self>) {
        if self.state.get() == StreamState::Crowded {
            self.resume();
        }
    }

    fn hear_windows(self: &Rc<Self>, news: &str) {
        self.windows.hear(news);
        self.obey_windows();
    }

    fn obey_windows(self: &Rc<Self>) {
        match (self.windows.is_crowded(), self.state.get()) {
            (true, _) if self.is_followed() => self.release(StreamState::Crowded),
            (false, StreamState::Crowded) => self.resume(),
            _ => {}
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.release(StreamState::Idle);
        if let Some(check) = self.check.take() {
            check.clear();
        }
        self.listeners.take().into_iter().for_each(WindowListenerHandle::remove);
    }
}

fn listeners(connection: &Rc<Connection>) -> Vec<WindowListenerHandle> {
    let shown = handler(connection, Connection::visibility_changed);
    let focused = handler(connection, Connection::focused);
    let offline = handler(connection, |connection| {
        if connection.is_followed() && reach::is_offline() {
            connection.reopen_later();
        }
    });
    let online = handler(connection, Connection::retry);
    // A browser that keeps a page in its history cache would keep the connection too, one of only six.
    let left = handler(connection, |connection| {
        if connection.is_followed() {
            connection.release(StreamState::Paused);
        }
    });
    let returned = handler(connection, |connection| {
        if connection.is_waiting() {
            connection.resume();
        }
    });
    vec![
        window_event_listener_untyped("visibilitychange", move |_| shown()),
        window_event_listener_untyped("focus", move |_| focused()),
        window_event_listener(ev::offline, move |_| offline()),
        window_event_listener(ev::online, move |_| online()),
        window_event_listener_untyped("pagehide", move |_| left()),
        window_event_listener_untyped("pageshow", move |_| returned()),
    ]
}

/// Holds the connection weakly: otherwise it would keep itself alive.
fn handler(connection: &Rc<Connection>, act: impl Fn(&Rc<Connection>) + 'static) -> impl Fn() + 'static {
    let weak = Rc::downgrade(connection);
    move || with(&weak, &act)
}

fn with(weak: &Weak<Connection>, act: &dyn Fn(&Rc<Connection>)) {
    if let Some(connection) = weak.upgrade() {
        act(&connection);
    }
}
