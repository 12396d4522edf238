//! No job takes the place of another under a pointer that is on a job's buttons: an action acts on the job that the
//! visitor saw when the button was pressed.

use std::time::Duration;

use api::JobId;
use leptos::leptos_dom::helpers::WindowListenerHandle;
use leptos::prelude::*;

/// The buttons of a job, while the pointer is on them or presses one.
const HELD: &str = ".job_actions:is(:hover, :active)";

/// Holds news back while the pointer is on a job's buttons.
#[derive(Clone, Copy)]
pub struct Hold {
    /// Whether news wait until the pointer leaves.
    pub is_behind: RwSignal<bool>,
    /// The job that the visitor has acted on, and now watches.
    acted: StoredValue<Option<JobId>>,
}

/// What to do with news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Nothing,
    /// Show only this job's news.
    AllBut(JobId),
    Everything,
}

impl Hold {
    /// `on_release` is called when the pointer leaves the buttons, if news wait.
    pub fn new(on_release: Callback<()>) -> Self {
        let hold = Self { is_behind: RwSignal::new(false), acted: StoredValue::new(None) };
        let release = move || {
            if hold.is_behind.get_untracked() && !is_held() {
                hold.is_behind.set(false);
                hold.acted.set_value(None);
                on_release.run(());
            }
        };
        // A finger that is lifted leaves without a move.
        let listeners = ["pointermove", "pointerup", "pointercancel"].map(|event| {
            window_event_listener_untyped(event, move |_| {
                if hold.is_behind.get_untracked() {
                    // After the click, which follows. The page may be gone by then.
                    set_timeout(
                        move || {
                            if !hold.is_behind.is_disposed() {
                                release()
                            }
                        },
                        Duration::ZERO,
                    );
                }
            })
        });
        let listeners = StoredValue::new_local(Some(listeners));
        on_cleanup(move || {
            if let Some(listeners) = listeners.try_update_value(Option::take).flatten() {
                listeners.into_iter().for_each(WindowListenerHandle::remove);
            }
        });
        hold
    }

    /// Call it when the visitor has acted on a job.
    pub fn acted(self, job: JobId) {
        let _ = self.acted.try_update_value(|acted| *acted = Some(job));
    }

    /// Call it when news arrive. Those that are held back wait for the release.
    pub fn news(self) -> Held {
        if !is_held() {
            return Held::Nothing;
        }
        if !self.is_behind.get_untracked() {
            self.is_behind.set(true);
        }
        match self.acted.try_get_value().flatten() {
            Some(job) => Held::AllBut(job),
            None => Held::Everything,
        }
    }
}

fn is_held() -> bool {
    document().query_selector(HELD).is_ok_and(|buttons| buttons.is_some())
}
