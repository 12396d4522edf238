//! Server-sent events. Nothing else opens an `EventSource`.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::{TimeoutHandle, WindowListenerHandle};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent, VisibilityState};

use crate::platform::context;
use crate::platform::session::Session;

/// The longest wait before a refused stream is reopened.
const MAX_BACKOFF_MS: u32 = 30_000;
/// How long a hidden tab keeps its stream. Browsers allow six connections to a server for all tabs together, and a
/// brief visit to another tab should cost nothing.
const HIDDEN_GRACE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// The page follows no stream.
    Idle,
    Connecting,
    Live,
    /// The stream is lost and will be reopened.
    Reconnecting,
    /// The tab is hidden. The stream resumes when the tab is shown.
    Paused,
}

/// At most one open stream. It is closed with the component that created it.
#[derive(Clone, Copy)]
pub struct EventStream {
    connection: StoredValue<Option<Rc<Connection>>, LocalStorage>,
    state: RwSignal<StreamState>,
    /// Present on streams for administrators: when the server refuses one, the session may have ended.
    session: Option<Session>,
}

impl EventStream {
    pub fn public() -> Self {
        Self { connection: StoredValue::new_local(None), state: context::connection(), session: None }
    }

    pub fn for_administrators() -> Self {
        Self { session: Some(context::session()), ..Self::public() }
    }

    /// Follows a stream until it is closed.
    ///
    /// `address` is called each time the stream is opened, so that it resumes after the last known event. `deliver` gets
    /// the name and the data of each event; it must return at once: append to a buffer or set a signal.
    pub fn open(
        self,
        address: impl Fn() -> String + 'static,
        events: &'static [&'static str],
        deliver: impl Fn(&'static str, String) + 'static,
    ) {
        let connection = Rc::new(Connection {
            address: Box::new(address),
            events,
            deliver: Box::new(deliver),
            session: self.session,
            state: self.state,
            source: RefCell::default(),
            timer: Cell::default(),
            refusals: Cell::default(),
            listeners: RefCell::default(),
        });
        connection.listeners.replace(listeners(&connection));
        connection.open();
        self.connection.set_value(Some(connection));
    }

    pub fn is_open(self) -> bool {
        self.connection.with_value(Option::is_some)
    }

    pub fn close(self) {
        drop(self.connection.try_update_value(Option::take));
    }
}

struct Connection {
    address: Box<dyn Fn() -> String>,
    events: &'static [&'static str],
    deliver: Box<dyn Fn(&'static str, String)>,
    session: Option<Session>,
    state: RwSignal<StreamState>,
    source: RefCell<Option<Source>>,
    timer: Cell<Option<TimeoutHandle>>,
    /// How often the server has refused in a row.
    refusals: Cell<u32>,
    listeners: RefCell<Vec<WindowListenerHandle>>,
}

impl Connection {
    fn open(self: &Rc<Self>) {
        self.close(if self.refusals.get() == 0 { StreamState::Connecting } else { StreamState::Reconnecting });
        match Source::open(self) {
            Some(source) => drop(self.source.replace(Some(source))),
            None => self.open_later(),
        }
    }

    fn open_if_closed(self: &Rc<Self>) {
        if self.source.borrow().is_none() {
            self.open();
        }
    }

    fn close(&self, state: StreamState) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        self.source.take();
        self.set_state(state);
    }

    fn set_state(&self, state: StreamState) {
        // The signal is disposed together with the document.
        if self.state.try_get_untracked().is_some_and(|known| known != state) {
            self.state.set(state);
        }
    }

    fn opened(&self) {
        self.refusals.set(0);
        self.set_state(StreamState::Live);
    }

    /// The browser reopens a lost stream by itself and sends the last event's id. It gives up on a stream that the
    /// server has refused; that one is reopened here.
    fn failed(self: &Rc<Self>) {
        let is_given_up =
            self.source.borrow().as_ref().is_none_or(|source| source.source.ready_state() == EventSource::CLOSED);
        if is_given_up {
            self.close(StreamState::Reconnecting);
            if let Some(session) = self.session {
                session.refresh();
            }
            self.open_later();
        } else {
            self.set_state(StreamState::Reconnecting);
        }
    }

    fn open_later(self: &Rc<Self>) {
        let refusals = self.refusals.get();
        self.refusals.set(refusals + 1);
        self.after(backoff(refusals), |connection| connection.open());
    }

    fn after(self: &Rc<Self>, wait: Duration, act: impl Fn(&Rc<Self>) + 'static) {
        let act = handler(self, act);
        if let Some(earlier) = self.timer.replace(set_timeout_with_handle(act, wait).ok()) {
            earlier.clear();
        }
    }

    fn visibility_changed(self: &Rc<Self>) {
        let is_open = self.source.borrow().is_some();
        match document().visibility_state() {
            VisibilityState::Hidden if is_open => {
                self.after(HIDDEN_GRACE, |connection| connection.close(StreamState::Paused));
            }
            VisibilityState::Visible if is_open => {
                if let Some(pause) = self.timer.take() {
                    pause.clear();
                }
            }
            VisibilityState::Visible => self.open_if_closed(),
            _ => {}
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close(StreamState::Idle);
        self.listeners.take().into_iter().for_each(WindowListenerHandle::remove);
    }
}

/// An open `EventSource` with its handlers; dropping it closes the stream.
struct Source {
    source: EventSource,
    _opened: Closure<dyn FnMut()>,
    _failed: Closure<dyn FnMut()>,
    _deliver: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

impl Source {
    fn open(connection: &Rc<Connection>) -> Option<Self> {
        let source = EventSource::new(&(connection.address)()).ok()?;
        let opened = Closure::<dyn FnMut()>::new(handler(connection, |connection| connection.opened()));
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        let failed = Closure::<dyn FnMut()>::new(handler(connection, Connection::failed));
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        let deliver = connection.events.iter().map(|&name| {
            let weak = Rc::downgrade(connection);
            let handler = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                with(&weak, &|connection| (connection.deliver)(name, event.data().as_string().unwrap_or_default()));
            });
            // Fails only on objects that are not event targets.
            let _ = source.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
            handler
        });
        let deliver = deliver.collect();
        Some(Self { source, _opened: opened, _failed: failed, _deliver: deliver })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}

fn listeners(connection: &Rc<Connection>) -> Vec<WindowListenerHandle> {
    let shown = handler(connection, Connection::visibility_changed);
    let online = handler(connection, Connection::open_if_closed);
    // A browser that keeps a page in its history cache would keep the connection too, one of only six.
    let left = handler(connection, |connection| connection.close(StreamState::Paused));
    let returned = handler(connection, Connection::open_if_closed);
    vec![
        window_event_listener_untyped("visibilitychange", move |_| shown()),
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

/// Doubles from one second, with jitter, so that all tabs do not return to a recovered server at once.
pub fn backoff(failures: u32) -> Duration {
    let longest = 1_000_u32.saturating_mul(1 << failures.min(5)).min(MAX_BACKOFF_MS);
    let jitter = 0.5 + js_sys::Math::random() / 2.0;
    Duration::from_millis(u64::from(longest)).mul_f64(jitter)
}
