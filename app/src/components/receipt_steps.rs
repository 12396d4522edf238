//! The way of a search's log record: accepted, waiting, writing, recorded.

use api::{ApiError, Receipt, ReceiptState, Recorded};
use leptos::prelude::*;

use crate::components::{Notice, SpoolNotice, Tone};
use crate::context;
use crate::live::{Live, Subscription};
use crate::receipt::Step;
use crate::submission::{Progress, Submission};

#[component]
pub fn ReceiptSteps(submission: Submission, on_retry: Callback<()>) -> impl IntoView {
    let retry = move |error: ApiError, sentence: &str| {
        view! {
            <Notice tone=Tone::Error text=format!("{} {sentence}", error.message)>
                <button class="button" type="button" on:click=move |_| on_retry.run(())>"Try again"</button>
            </Notice>
        }
        .into_any()
    };
    view! {
        <div class="receipt_steps">
            {move || match submission.progress() {
                Progress::Sending => view! { <p class="muted" role="status">"Sending…"</p> }.into_any(),
                Progress::Answered(answer) => recorded(answer.recorded, answer.receipt),
                Progress::Unreached(error) => {
                    retry(error, "The result above is right all the same; it is sent again until it is recorded.")
                }
                Progress::Refused(error) => view! { <Notice tone=Tone::Error text=error.message /> }.into_any(),
            }}
        </div>
    }
}

fn recorded(recorded: Recorded, receipt: Receipt) -> AnyView {
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
    let state = follow(receipt);
    let reached = move || state.with(|state| state.as_ref().map_or(Step::Accepted, Step::of));
    let is_lost =
        move || state.with(|state| state.as_ref().is_some_and(|state| state.state.is_final() && state.row.is_none()));
    let step = move |step: Step| {
        let standing = move || match reached() {
            now if now > step => "past",
            now if now == step && (step == Step::Recorded || is_lost()) => "past",
            now if now == step => "now",
            _ => "ahead",
        };
        let is_now = move || (reached() == step).then_some("step");
        view! {
            <li class="receipt_step" data-standing=standing aria-current=is_now>
                {move || state.with(|state| step.label(state.as_ref()))}
            </li>
        }
    };
    view! {
        <SpoolNotice recorded receipt=state />
        <ol class="receipt_list" aria-label="Record" aria-live="polite">{Step::ALL.map(step).collect_view()}</ol>
        {move || is_lost().then(|| view! {
            <Notice tone=Tone::Warning text="This search's record was not written. An administrator sees why, and \
                can have it written again." />
        })}
    }
}

/// The receipt's state, as the server tells it until it is final.
fn follow(Receipt(receipt): Receipt) -> RwSignal<Option<ReceiptState>> {
    let state = RwSignal::new(None::<ReceiptState>);
    let live = StoredValue::new_local(None::<Live>);
    live.set_value(Some(Live::follow(Subscription {
        address: Box::new(move || format!("/api/receipts/{receipt}/events")),
        events: &["message"],
        deliver: Box::new(move |_, data| {
            let Ok(news) = api::from_json::<ReceiptState>(&data) else { return };
            let is_final = news.state.is_final();
            state.set(Some(news));
            if is_final {
                // Nothing more will come; left open, the browser would ask again for ever.
                drop(live.try_update_value(Option::take));
            }
        }),
        refused: Box::new(|| ()),
        link: context::connection().0,
    })));
    state
}
