//! One search on its way to the server, sent under one id until the server has answered.

use std::time::Duration;

use api::{ApiError, Receipt, Recorded, SearchAnswer, SearchId};
use leptos::ev;
use leptos::leptos_dom::helpers::{TimeoutHandle, WindowListenerHandle};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::platform::retry::{backoff, is_transient};
use crate::platform::session::Session;
use crate::platform::{context, time};
use crate::search::outbox::Outbox;
use crate::search::visit::Visit;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `None` if the search came with a link: the visitor has not asked it yet.
    pub id: Option<SearchId>,
    pub phrase: String,
    pub letters: String,
}

/// What the server has said of the search's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub recorded: Recorded,
    pub receipt: Receipt,
    /// How long the record took to become durable, by the server's clock. `None` if the entry of the browser's history
    /// does not say.
    pub accepted_in_ms: Option<u32>,
    /// How long the visitor waited for the answer, with the way to the server and back and all attempts, by the
    /// browser's clock.
    pub answered_in_ms: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was sent.
    Unasked,
    Sending,
    Answered(Answer),
    /// Will be sent again automatically.
    Unreached(ApiError),
    /// The server has rejected it; sending the same again would change nothing.
    Refused(ApiError),
}

/// The search that the page shows; dropped with the page.
#[derive(Clone, Copy)]
pub struct Submission {
    question: RwSignal<Option<Question>>,
    progress: RwSignal<Progress>,
    /// How many receipts have come to their end here.
    pub settled: RwSignal<u32>,
    retry: StoredValue<Retry>,
    /// When the search was sent for the first time, by [`time::steady_ms`].
    pub sent_ms: RwSignal<f64>,
    /// When the next attempt begins, by the same clock. `None` while the search is on its way.
    pub next_try_ms: RwSignal<Option<f64>>,
    session: Session,
    outbox: Outbox,
}

#[derive(Default)]
struct Retry {
    failures: u32,
    timer: Option<TimeoutHandle>,
}

impl Submission {
    pub fn new(outbox: Outbox) -> Self {
        let submission = Self {
            question: RwSignal::new(None),
            progress: RwSignal::new(Progress::Unasked),
            settled: RwSignal::new(0),
            retry: StoredValue::new(Retry::default()),
            sent_ms: RwSignal::new(time::steady_ms()),
            next_try_ms: RwSignal::new(None),
            session: context::session(),
            outbox,
        };
        let online = window_event_listener(ev::online, move |_| submission.send_again());
        let online = StoredValue::new_local(Some(online));
        on_cleanup(move || {
            submission.stop_timer();
            outbox.show(None);
            let _ = online.try_update_value(|online| online.take().map(WindowListenerHandle::remove));
        });
        submission
    }

    pub fn question(self) -> Option<Question> {
        self.question.get()
    }

    pub fn progress(self) -> Progress {
        self.progress.get()
    }

    /// Shows the search of `visit`, and sends it if the visitor has asked it and it was not answered. Returns whether
    /// another one was shown before.
    pub fn show(self, visit: Visit) -> bool {
        let Visit { question, answer } = visit;
        if self.question.with_untracked(|known| known.as_ref() == Some(&question)) {
            return false;
        }
        self.stop_timer();
        self.retry.update_value(|retry| retry.failures = 0);
        let is_asked = question.id.is_some();
        let is_answered = answer.is_some();
        self.progress.set(answer.map_or(Progress::Unasked, Progress::Answered));
        self.outbox.show(question.id.filter(|_| !is_answered));
        self.question.set(Some(question));
        if is_asked && !is_answered {
            self.sent_ms.set(time::steady_ms());
            self.send();
        }
        true
    }

    pub fn clear(self) {
        self.stop_timer();
        self.outbox.show(None);
        self.question.set(None);
    }

    /// Sends the question again under the same id, so that the server counts it once even if its first answer was lost.
    pub fn send_again(self) {
        let is_answered = self.progress.with_untracked(|progress| matches!(progress, Progress::Answered(_)));
        let is_asked = self.question.with_untracked(Option::is_some);
        if is_asked && !is_answered && self.retry.with_value(|retry| retry.timer.is_some()) {
            self.send();
        }
    }

    fn send(self) {
        self.stop_timer();
        let Some(question) = self.question.get_untracked() else { return };
        self.next_try_ms.set(None);
        // A further attempt changes nothing until it is answered.
        if !self.progress.with_untracked(|progress| matches!(progress, Progress::Unreached(_))) {
            self.progress.set(Progress::Sending);
        }
        self.outbox.keep(&question);
        spawn_local(async move {
            let answer = api::search(question.phrase.clone(), Some(question.letters.clone()), question.id).await;
            let answer = answer.map(|SearchAnswer { recorded, receipt, accepted_in_ms, .. }| Answer {
                recorded,
                receipt,
                accepted_in_ms,
                answered_in_ms: self.sent_ms.try_get_untracked().map(time::since_ms),
            });
            if !matches!(&answer, Err(error) if is_transient(error.code)) {
                self.outbox.settle(question.id);
            }
            // Meanwhile the visitor may have sent another search or left the page.
            let is_current = self.question.try_with_untracked(|current| current.as_ref() == Some(&question));
            if is_current == Some(true) {
                self.receive(answer);
            }
        });
    }

    fn receive(self, answer: Result<Answer, ApiError>) {
        if answer.is_err() {
            // The server may have been updated, and understand this page no more.
            self.session.refresh();
        }
        let progress = match answer {
            Ok(answer) => Progress::Answered(answer),
            Err(error) if is_transient(error.code) => {
                self.start_timer();
                Progress::Unreached(error)
            }
            Err(error) => Progress::Refused(error),
        };
        // The same again would take the focus from "Try again".
        if self.progress.with_untracked(|known| *known != progress) {
            self.progress.set(progress);
        }
    }

    fn start_timer(self) {
        self.retry.update_value(|retry| {
            let wait = resend_after(retry.failures);
            retry.failures += 1;
            self.next_try_ms.set(Some(time::steady_ms() + wait.as_secs_f64() * 1_000.0));
            retry.timer = set_timeout_with_handle(move || self.send_again(), wait).ok();
        });
    }

    fn stop_timer(self) {
        if let Some(timer) = self.retry.try_update_value(|retry| retry.timer.take()).flatten() {
            timer.clear();
        }
    }
}

/// How long to wait before a search is sent again, after this many failures.
pub fn resend_after(failures: u32) -> Duration {
    // The rate limit refuses searches for some seconds; less than one second would be too early.
    backoff(failures).max(Duration::from_secs(1))
}
