//! The receipt: how far the log record of a search has come.

use api::{ApiError, ErrorCode, JobState, Receipt, ReceiptState, Recorded};
use leptos::prelude::*;

use crate::platform::sse::EventStream;
use crate::search::submission::{Answer, Progress, Submission};
use crate::ui::copy_button::CopyButton;
use crate::ui::format;
use crate::ui::notice::{Failure, Notice, Tone};
use crate::ui::part::part;

#[component]
pub fn ReceiptSteps(submission: Submission) -> impl IntoView {
    view! {
        <div class="receipt_steps" hidden=move || submission.progress() == Progress::Unasked>
            {part(move || match submission.progress() {
                Progress::Sending => view! { <p class="muted" role="status">"Sending…"</p> }.into_any(),
                Progress::Unasked => ().into_any(),
                Progress::Answered(Answer { recorded, receipt }) => record(recorded, receipt),
                Progress::Unreached(error) => {
                    view! { <Failure text=unreached(&error) on_retry=move |()| submission.send_again() /> }.into_any()
                }
                Progress::Refused(error) => view! { <Notice tone=Tone::Error text=error.message /> }.into_any(),
            })}
        </div>
    }
}

fn unreached(error: &ApiError) -> String {
    let message = match error.code {
        ErrorCode::Offline => "We can't reach the server.",
        _ => error.message.as_str(),
    };
    format!("{message} Your result is correct; we'll keep resending.")
}

fn record(recorded: Recorded, receipt: Receipt) -> AnyView {
    match recorded {
        Recorded::Accepted | Recorded::Spooled => view! { <Steps recorded receipt /> }.into_any(),
        Recorded::NotRecorded => view! {
            <Notice tone=Tone::Error text="The result is right, but this search was not recorded: the server could \
                not store it anywhere. Its operator has been told." />
        }
        .into_any(),
    }
}

#[component]
fn Steps(recorded: Recorded, receipt: Receipt) -> impl IntoView {
    let id = receipt.0.clone();
    let Followed { state, is_gone } = follow(receipt);
    let reached = move || state.with(|state| state.as_ref().map_or(Step::Accepted, Step::of));
    let is_lost =
        move || state.with(|state| state.as_ref().is_some_and(|state| state.state.is_final() && state.row.is_none()));
    let is_over = move || is_lost() || is_gone.get();
    let step = move |step: Step| {
        let standing = move || match reached() {
            now if now > step => "past",
            now if now == step && (step == Step::Recorded || is_over()) => "past",
            now if now == step => "now",
            _ => "ahead",
        };
        let is_now = move || (reached() == step).then_some("step");
        view! {
            <li class="receipt_step" data-standing=part(standing) aria-current=part(is_now)>
                {part(move || state.with(|state| step.label(state.as_ref())))}
            </li>
        }
    };
    view! {
        <SpoolNotice recorded receipt=state />
        <ol class="receipt_list" aria-label="Record" aria-live="polite">{Step::ALL.map(step).collect_view()}</ol>
        {part(move || is_lost().then(|| view! {
            <Notice tone=Tone::Warning text="This search's record was not written. An administrator sees why, and \
                can have it written again." />
        }.into_any()))}
        {part(move || is_gone.get().then(|| view! {
            <Notice tone=Tone::Info text="The server does not know this receipt any more: the record was deleted." />
        }.into_any()))}
        <p class="receipt_id">
            <span class="muted">"Receipt"</span>
            <code translate="no">{id.clone()}</code>
            <CopyButton label="Copy receipt" text=id />
        </p>
    }
}

#[derive(Clone, Copy)]
struct Followed {
    state: RwSignal<Option<ReceiptState>>,
    /// Whether the server knows nothing of the receipt.
    is_gone: RwSignal<bool>,
}

/// The receipt's state, followed until it is settled.
fn follow(Receipt(receipt): Receipt) -> Followed {
    let state = RwSignal::new(None::<ReceiptState>);
    let stream = EventStream::new();
    let address = move || format!("/api/receipts/{receipt}/events");
    stream.open(address, move |_, data| {
        let Ok(latest) = api::from_json::<ReceiptState>(&data) else { return };
        let is_settled = latest.is_settled();
        state.set(Some(latest));
        if is_settled {
            // There is nothing more to come.
            stream.close();
        }
    });
    Followed { state, is_gone: stream.is_gone }
}

/// Says that a record is in the spool, and later that it has left.
#[component]
fn SpoolNotice(
    /// From the response to the search.
    recorded: Recorded,
    receipt: RwSignal<Option<ReceiptState>>,
) -> impl IntoView {
    let mut stay = SpoolStay::Never;
    part(move || {
        let is_spooled = receipt.with(|receipt| match receipt {
            Some(state) => state.spooled,
            None => recorded == Recorded::Spooled,
        });
        stay = stay.after(is_spooled);
        match stay {
            SpoolStay::Never => ().into_any(),
            SpoolStay::Lasts => view! {
                <Notice tone=Tone::Warning text="The log's database is not answering. The record of this search is \
                    safe on the server's disk, and is written as soon as the database is back." />
            }
            .into_any(),
            SpoolStay::Over => view! {
                <Notice tone=Tone::Info text="The log's database was not answering. The record of this search was kept \
                    on the server's disk meanwhile; the database has it now." />
            }
            .into_any(),
        }
    })
}

/// Whether the record has been in the spool since the page began to watch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpoolStay {
    Never,
    Lasts,
    Over,
}

impl SpoolStay {
    fn after(self, is_spooled: bool) -> Self {
        match (self, is_spooled) {
            (_, true) => Self::Lasts,
            (Self::Never, false) => Self::Never,
            (Self::Lasts | Self::Over, false) => Self::Over,
        }
    }
}

/// The steps of a record, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Accepted,
    Waiting,
    Writing,
    Recorded,
}

impl Step {
    const ALL: [Self; 4] = [Self::Accepted, Self::Waiting, Self::Writing, Self::Recorded];

    fn of(state: &ReceiptState) -> Self {
        match state.state {
            // Its job does not exist yet, whatever state it will have.
            _ if state.spooled => Self::Waiting,
            JobState::Scheduled | JobState::Waiting | JobState::Retrying => Self::Waiting,
            JobState::Running => Self::Writing,
            JobState::Done => Self::Recorded,
            // The job ended without a row, in the last step that it began.
            JobState::Dead | JobState::Cancelled => Self::Writing,
        }
    }

    /// The step's label, with details once it is reached.
    fn label(self, state: Option<&ReceiptState>) -> String {
        let reached = state.filter(|state| Self::of(state) == self);
        match (self, reached) {
            (Self::Accepted, _) => "Accepted".to_owned(),
            (Self::Waiting, Some(state)) if state.spooled => {
                "Safe on the server's disk, waiting for the database".to_owned()
            }
            (Self::Waiting, Some(state)) if state.state == JobState::Retrying => {
                format!("Waiting to try again (after attempt {})", state.attempt)
            }
            (Self::Waiting, Some(state)) => format!("{} ahead of you", format::number(state.ahead)),
            (Self::Waiting, None) => "Waiting".to_owned(),
            (Self::Writing, Some(state)) if state.attempt > 1 && !state.state.is_final() => {
                format!("Writing (attempt {})", state.attempt)
            }
            (Self::Writing, _) => "Writing".to_owned(),
            (Self::Recorded, state) => match state.and_then(|state| state.row) {
                Some(row) => format!("In the log: row {}", format::row_number(row)),
                None => "In the log".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use api::LogSeq;

    use super::*;

    fn at(state: JobState) -> ReceiptState {
        ReceiptState { state, ahead: 1_204, attempt: 1, row: None, spooled: false }
    }

    #[test]
    fn labels_say_what_is_known() {
        assert_eq!(Step::Waiting.label(Some(&at(JobState::Waiting))), "1,204 ahead of you");
        assert_eq!(Step::Writing.label(Some(&at(JobState::Running))), "Writing");
        let again = ReceiptState { attempt: 2, ..at(JobState::Running) };
        assert_eq!(Step::Writing.label(Some(&again)), "Writing (attempt 2)");
        let done = ReceiptState { row: Some(LogSeq(48_211)), ..at(JobState::Done) };
        assert_eq!(Step::Recorded.label(Some(&done)), "In the log: row 48,211");
    }

    #[test]
    fn a_spooled_record_waits_for_the_database_and_then_for_a_worker() {
        let spooled = ReceiptState { spooled: true, ahead: 0, attempt: 0, ..at(JobState::Waiting) };
        assert_eq!(Step::of(&spooled), Step::Waiting);
        let labels = Step::ALL.map(|step| step.label(Some(&spooled)));
        let waiting = "Safe on the server's disk, waiting for the database";
        assert_eq!(labels, ["Accepted", waiting, "Writing", "In the log"]);
        let replayed = ReceiptState { spooled: false, ahead: 3, ..spooled };
        assert_eq!(Step::Waiting.label(Some(&replayed)), "3 ahead of you");
    }

    #[test]
    fn a_past_stay_in_the_spool_is_remembered() {
        let after = |spooled: &[bool]| spooled.iter().fold(SpoolStay::Never, |stay, &spooled| stay.after(spooled));
        assert_eq!(after(&[false, false]), SpoolStay::Never);
        assert_eq!(after(&[true, true]), SpoolStay::Lasts);
        assert_eq!(after(&[true, false, false]), SpoolStay::Over);
        assert_eq!(after(&[false, true]), SpoolStay::Lasts, "the receipt knows more than the answer did");
    }

    #[test]
    fn steps_ahead_promise_nothing() {
        let labels = Step::ALL.map(|step| step.label(None));
        assert_eq!(labels, ["Accepted", "Waiting", "Writing", "In the log"]);
        assert_eq!(Step::Recorded.label(Some(&at(JobState::Running))), "In the log");
    }
}
