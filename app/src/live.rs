//! Follows streams of server-sent events: the only EventSource code.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::{TimeoutHandle, WindowListenerHandle};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent, VisibilityState};

/// The longest wait before a stream that was refused is opened again.
const LONGEST_WAIT_MS: u32 = 30_000;
/// How long a hidden tab keeps its stream: browsers allow six connections to a server, for all
/// tabs together, and a glance at another tab should cost nothing.
const HIDDEN_GRACE: Duration = Duration::from_secs(60);

/// How a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// No stream is wanted.
    Idle,
    Connecting,
    Live,
    /// Lost, and being opened again.
    Reconnecting,
    /// The tab is hidden; the stream goes on where it stopped when the tab is shown.
    Paused,
}

/// What to follow, and what to do with it.
pub struct Subscription {
    /// Where the stream is, asked at each opening: so that it continues after what is known.
    pub address: Box<dyn Fn() -> String>,
    /// The names of the events.
    pub events: &'static [&'static str],
    /// Called with each event's name and data. Must not wait: append to a buffer, set a signal.
    pub deliver: Box<dyn Fn(&'static str, String)>,
    /// Called when the server refuses the stream; it will be tried again.
    pub refused: Box<dyn Fn()>,
    /// Where to tell how the stream is doing.
    pub link: RwSignal<Link>,
}

/// A stream that is followed until this is dropped.
pub struct Live(Rc<Following>);

impl Live {
    #[must_use]
    pub fn follow(subscription: Subscription) -> Self {
        let following = Rc::new(Following {
            subscription,
            source: RefCell::default(),
            timer: Cell::default(),
            refusals: Cell::default(),
            listeners: RefCell::default(),
        });
        following.listeners.replace(listeners(&following));
        following.open();
        Self(following)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.close(Link::Idle);
        self.0.listeners.take().into_iter().for_each(WindowListenerHandle::remove);
    }
}

struct Following {
    subscription: Subscription,
    source: RefCell<Option<Source>>,
    timer: Cell<Option<TimeoutHandle>>,
    /// How often in a row the server has refused.
    refusals: Cell<u32>,
    listeners: RefCell<Vec<WindowListenerHandle>>,
}

impl Following {
    fn open(self: &Rc<Self>) {
        self.close(if self.refusals.get() == 0 { Link::Connecting } else { Link::Reconnecting });
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

    fn close(&self, link: Link) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        self.source.take();
        self.say(link);
    }

    fn say(&self, link: Link) {
        // The signal is gone when the whole page goes.
        let said = self.subscription.link;
        if said.try_get_untracked().is_some_and(|known| known != link) {
            said.set(link);
        }
    }

    fn opened(&self) {
        self.refusals.set(0);
        self.say(Link::Live);
    }

    /// The browser opens a lost stream again by itself, naming the last event's id; one that
    /// the server has refused it gives up, and that is ours to try again.
    fn failed(self: &Rc<Self>) {
        let is_given_up =
            self.source.borrow().as_ref().is_none_or(|source| source.source.ready_state() == EventSource::CLOSED);
        if is_given_up {
            self.close(Link::Reconnecting);
            (self.subscription.refused)();
            self.open_later();
        } else {
            self.say(Link::Reconnecting);
        }
    }

    fn open_later(self: &Rc<Self>) {
        let refusals = self.refusals.get();
        self.refusals.set(refusals + 1);
        self.after(backoff(refusals), |following| following.open());
    }

    fn after(self: &Rc<Self>, wait: Duration, act: impl Fn(&Rc<Self>) + 'static) {
        let weak = Rc::downgrade(self);
        let timer = set_timeout_with_handle(move || with(&weak, &act), wait).ok();
        if let Some(earlier) = self.timer.replace(timer) {
            earlier.clear();
        }
    }

    fn visibility_changed(self: &Rc<Self>) {
        let is_open = self.source.borrow().is_some();
        match document().visibility_state() {
            VisibilityState::Hidden if is_open => self.after(HIDDEN_GRACE, |following| following.close(Link::Paused)),
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

/// An open EventSource with its handlers; dropping it closes the stream.
struct Source {
    source: EventSource,
    _opened: Closure<dyn FnMut()>,
    _failed: Closure<dyn FnMut()>,
    _deliver: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

impl Source {
    fn open(following: &Rc<Following>) -> Option<Self> {
        let source = EventSource::new(&(following.subscription.address)()).ok()?;
        let weak = Rc::downgrade(following);
        let opened = Closure::<dyn FnMut()>::new(move || with(&weak, &|following| following.opened()));
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        let weak = Rc::downgrade(following);
        let failed = Closure::<dyn FnMut()>::new(move || with(&weak, &Following::failed));
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        let deliver = following.subscription.events.iter().map(|&name| {
            let weak = Rc::downgrade(following);
            let handler = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                with(&weak, &|following| {
                    (following.subscription.deliver)(name, event.data().as_string().unwrap_or_default());
                });
            });
            // Adding a listener fails only on what is no event target.
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

/// Handlers hold the stream weakly: otherwise it would keep itself alive.
fn with(weak: &Weak<Following>, act: &dyn Fn(&Rc<Following>)) {
    if let Some(following) = weak.upgrade() {
        act(&following);
    }
}

fn listeners(following: &Rc<Following>) -> Vec<WindowListenerHandle> {
    let shown = handler(following, Following::visibility_changed);
    let online = handler(following, Following::open_if_closed);
    // The browser keeps a page that was left for the way back, and its connections with it, of which it has six.
    let left = handler(following, |following| following.close(Link::Paused));
    let back = handler(following, Following::open_if_closed);
    vec![
        window_event_listener_untyped("visibilitychange", move |_| shown()),
        window_event_listener(ev::online, move |_| online()),
        window_event_listener_untyped("pagehide", move |_| left()),
        window_event_listener_untyped("pageshow", move |_| back()),
    ]
}

fn handler(following: &Rc<Following>, act: impl Fn(&Rc<Following>) + 'static) -> impl Fn() + 'static {
    let weak = Rc::downgrade(following);
    move || with(&weak, &act)
}

/// Doubles from one second, and differs from tab to tab: so that a server that comes back is
/// not asked by all at once.
#[must_use]
pub fn backoff(failures: u32) -> Duration {
    let longest = 1_000_u32.saturating_mul(1 << failures.min(5)).min(LONGEST_WAIT_MS);
    let share = 0.5 + js_sys::Math::random() / 2.0;
    Duration::from_millis(u64::from(longest)).mul_f64(share)
}
