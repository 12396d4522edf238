//! Repeats what has failed until the server has answered: after a while, when the browser is back online, and when the
//! tab is shown.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use api::{ApiError, ErrorCode};
use leptos::ev;
use leptos::leptos_dom::helpers::{TimeoutHandle, WindowListenerHandle};
use leptos::prelude::*;

use crate::platform::effect::effect;

/// The longest wait.
const MAX_BACKOFF_MS: u32 = 30_000;

/// How the last attempt has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not.
    Pending,
    /// The next one may succeed.
    Failed,
    /// The server has answered, perhaps with an error that no repetition changes.
    Answered,
}

impl Outcome {
    pub fn of<T>(answer: &Result<T, ApiError>) -> Self {
        match answer {
            Err(error) if is_transient(error.code) => Self::Failed,
            _ => Self::Answered,
        }
    }
}

/// Calls `again` until the outcome is not a failure any more, as long as the calling component is shown. `outcome` reads
/// signals, at least one of which is set by each failure.
pub fn until_answered(outcome: impl Fn() -> Outcome + 'static, again: impl Fn() + 'static) {
    // Boxed, so that the code exists once in the bundle.
    start(Box::new(outcome), Box::new(again));
}

/// The same for a resource, `outcome` of whose value says whether it has failed.
pub fn reload<T: 'static>(resource: LocalResource<T>, outcome: impl Fn(&T) -> Outcome + 'static) {
    until_answered(move || resource.map(&outcome).unwrap_or(Outcome::Pending), move || resource.refetch());
}

fn start(outcome: Box<dyn Fn() -> Outcome>, again: Box<dyn Fn()>) {
    let retry = Rc::new_cyclic(|weak: &Weak<Retry>| {
        let (shown, online) = (weak.clone(), weak.clone());
        Retry {
            again,
            is_failing: Cell::new(false),
            failures: Cell::new(0),
            timer: Cell::new(None),
            listeners: Cell::new(Some([
                window_event_listener_untyped("visibilitychange", move |_| with(&shown, Retry::now)),
                window_event_listener(ev::online, move |_| with(&online, Retry::now)),
            ])),
        }
    });
    let weak = Rc::downgrade(&retry);
    effect(move || {
        let outcome = outcome();
        with(&weak, |retry| retry.see(outcome));
    });
    // Dropped with the component.
    let _ = StoredValue::new_local(retry);
}

struct Retry {
    again: Box<dyn Fn()>,
    is_failing: Cell<bool>,
    /// How often it has failed in a row.
    failures: Cell<u32>,
    timer: Cell<Option<TimeoutHandle>>,
    listeners: Cell<Option<[WindowListenerHandle; 2]>>,
}

impl Retry {
    fn see(self: &Rc<Self>, outcome: Outcome) {
        self.is_failing.set(outcome == Outcome::Failed);
        match outcome {
            // One failure may be reported more than once.
            Outcome::Failed if self.timer.get().is_some() => {}
            Outcome::Failed => {
                let failures = self.failures.get();
                self.failures.set(failures.saturating_add(1));
                let weak = Rc::downgrade(self);
                let now = move || with(&weak, Self::now);
                self.timer.set(set_timeout_with_handle(now, backoff(failures)).ok());
            }
            Outcome::Pending => self.stop_timer(),
            Outcome::Answered => {
                self.stop_timer();
                self.failures.set(0);
            }
        }
    }

    /// A hidden tab waits until it is shown.
    fn now(self: &Rc<Self>) {
        self.stop_timer();
        if self.is_failing.get() && !document().hidden() {
            (self.again)();
        }
    }

    fn stop_timer(&self) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
    }
}

impl Drop for Retry {
    fn drop(&mut self) {
        self.stop_timer();
        self.listeners.take().into_iter().flatten().for_each(WindowListenerHandle::remove);
    }
}

fn with(weak: &Weak<Retry>, act: impl FnOnce(&Rc<Retry>)) {
    if let Some(retry) = weak.upgrade() {
        act(&retry);
    }
}

/// Whether the same request may succeed later. A proxy's error page counts as malformed.
pub fn is_transient(code: ErrorCode) -> bool {
    use ErrorCode::{Internal, Malformed, Offline, TooMany, Unavailable};
    matches!(code, Offline | Unavailable | Internal | Malformed | TooMany)
}

/// Doubles from one second, with jitter, so that all tabs do not return to a recovered server at once.
pub fn backoff(failures: u32) -> Duration {
    let longest = 1_000_u32.saturating_mul(1 << failures.min(5)).min(MAX_BACKOFF_MS);
    // A whole number of milliseconds: figures with a fraction would bring their arithmetic into the bundle.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 up to the half")]
    let jitter = (js_sys::Math::random() * f64::from(longest / 2)) as u32;
    Duration::from_millis(u64::from(longest / 2 + jitter))
}
