//! Results of actions, shown in the corner for some time.

use std::sync::Arc;
use std::time::Duration;

use api::JobState;
use leptos::ev;
use leptos::prelude::*;

use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::Tone;
use crate::ui::{highlight, shortcuts, words};

/// How long a result is shown, and its Undo is offered.
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// Where the results are shown.
pub const CORNER: &str = ".toasts";

/// Takes an action back. It may move the focus, which goes to the page's heading otherwise.
pub type Undo = Arc<dyn Fn() + Send + Sync>;

/// The results that a page shows.
#[derive(Clone, Copy)]
pub struct Toasts {
    /// Oldest first.
    shown: RwSignal<Vec<Toast>>,
    told: StoredValue<u64>,
}

#[derive(Clone)]
struct Toast {
    number: u64,
    tone: Tone,
    text: String,
    undo: Option<Undo>,
}

impl Toasts {
    pub fn new() -> Self {
        Self { shown: RwSignal::new(Vec::new()), told: StoredValue::new(0) }
    }

    /// Shows a result. Does nothing if the page is gone.
    pub fn tell(self, tone: Tone, text: String, undo: Option<Undo>) {
        let Some(number) = self.told.try_update_value(|told| {
            *told += 1;
            *told
        }) else {
            return;
        };
        let toast = Toast { number, tone, text, undo };
        let _ = self.shown.try_update(|shown| shown.push(toast));
        self.hide_later(number);
    }

    fn hide_later(self, number: u64) {
        let hide = move || {
            if is_in_use() {
                self.hide_later(number);
            } else {
                self.hide(number);
            }
        };
        set_timeout(hide, SHOWN_FOR);
    }

    fn hide(self, number: u64) {
        let _ = self.shown.try_update(|shown| shown.retain(|toast| toast.number != number));
    }

    /// Hides a result whose button was pressed. The page takes the focus that would go with the button.
    fn dismiss(self, number: u64) {
        if shortcuts::is_focus_within(CORNER) {
            shortcuts::focus("h1");
        }
        self.hide(number);
    }

    /// Takes back the last action that can be taken back, and says whether there was one.
    fn undo_last(self) -> bool {
        let last = self
            .shown
            .with_untracked(|shown| shown.iter().rev().find_map(|toast| Some((toast.number, toast.undo.clone()?))));
        let has_undo = last.is_some();
        if let Some((number, undo)) = last {
            undo();
            self.dismiss(number);
        }
        has_undo
    }
}

/// Whether somebody reads a result, or is about to press its button.
fn is_in_use() -> bool {
    document().query_selector(&format!("{CORNER}:is(:hover, :focus-within)")).is_ok_and(|toasts| toasts.is_some())
}

/// Shows the results above the page, so that they move nothing. Screen readers announce each once.
#[component]
pub fn ToastCorner(toasts: Toasts) -> impl IntoView {
    let toast = move |Toast { number, tone, text, undo }: Toast| {
        let (name, symbol) = match tone {
            Tone::Info => ("info", Symbol::State(JobState::Done)),
            Tone::Warning => ("warning", Symbol::Alert),
            Tone::Error => ("error", Symbol::Alert),
        };
        view! {
            <div class="toast" data-tone=name>
                <Icon symbol />
                <p>{highlight::visible(&text)}</p>
                {undo.map(|undo| {
                    let take_back = move |_| {
                        undo();
                        toasts.dismiss(number);
                    };
                    view! {
                        <button
                            class="button button-small" type="button" aria-keyshortcuts=words::UNDO_KEY on:click=take_back
                        >
                            {words::UNDO}<kbd aria-hidden="true">{words::UNDO_KEY}</kbd>
                        </button>
                    }
                })}
                <button class="button button-icon" type="button" aria-label=words::DISMISS on:click=move |_| toasts.dismiss(number)>
                    <Icon symbol=Symbol::Close />
                </button>
            </div>
        }
    };
    let listener = window_event_listener(ev::keydown, move |event| {
        // A key that is held down takes one action back, and an open dialog keeps its keys.
        let is_undo = shortcuts::is_command(&event) && event.key() == words::UNDO_KEY && !event.repeat();
        if is_undo && !shortcuts::is_browsers_to_close() && toasts.undo_last() {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
    view! {
        <div class="toasts" aria-live="polite">
            <For each=move || toasts.shown.get() key=|toast| toast.number children=toast />
        </div>
    }
}
