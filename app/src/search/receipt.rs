//! The receipt: how far the log record of a search has come, and what it took. Its times are the server's.

use api::{ApiError, ErrorCode, JobState, LogSeq, Receipt, ReceiptState, Recorded, TimeMs};
use leptos::prelude::*;

use crate::platform::sse::EventStream;
use crate::platform::{context, time};
use crate::search::receipt_step::{Step, log_took};
use crate::search::submission::{Answer, Progress, Submission};
use crate::search::words;
use crate::ui::copy_button::CopyButton;
use crate::ui::format;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Notice, Tone};
use crate::ui::part::{part, text_part};
use crate::ui::words::TRY_AGAIN;

/// What stands in the place of the results until there are some. index.html shows the same.
#[component]
pub fn NoReceipt() -> impl IntoView {
    view! {
        <section class="results card" aria-labelledby="receipt-title">
            <h2 id="receipt-title">{words::YOUR_RECEIPT}</h2>
            <dl class="receipt_totals">
                <div><dt>{words::YOU_WAITED}</dt><dd>"–"</dd></div>
                <div><dt>{words::THE_LOG_TOOK}</dt><dd>"–"</dd></div>
            </dl>
            <div class="receipt_bar" aria-hidden="true"></div>
            <ol class="receipt_list">{Step::ALL.map(promised).collect_view()}</ol>
            {row_to_come()}
        </section>
    }
}

/// Where the stamp will land.
fn row_to_come() -> impl IntoView {
    view! { <p class="receipt_stamp" data-standing="ahead">{words::ITS_ROW}</p> }
}

fn promised(step: Step) -> AnyView {
    view! { <li class="receipt_step" data-standing="ahead">{step.promise()}</li> }.into_any()
}

#[component]
pub fn SearchReceipt(submission: Submission) -> impl IntoView {
    view! {
        <div class="receipt" hidden=part(move || (submission.progress() == Progress::Unasked).then_some(""))>
            {part(move || match submission.progress() {
                Progress::Sending => sending(submission),
                Progress::Unasked => ().into_any(),
                Progress::Answered(answer) => record(answer, submission.settled),
                Progress::Unreached(error) => view! { <Unreached error submission /> }.into_any(),
                Progress::Refused(error) => view! { <Notice tone=Tone::Error text=error.message /> }.into_any(),
            })}
        </div>
    }
}

/// How long a search is on its way before the page says that this is long, in milliseconds.
const LONG_WAIT_MS: u32 = 3_000;

fn sending(submission: Submission) -> AnyView {
    let now = context::now();
    let text = move || {
        now.track();
        let is_long = time::since_ms(submission.sent_ms.get()) >= LONG_WAIT_MS;
        if is_long { words::STILL_SENDING } else { words::SENDING }
    };
    view! { <p class="muted" role="status">{text_part(text)}</p> }.into_any()
}

/// A search that the server has not accepted yet: nothing is lost.
#[component]
fn Unreached(error: ApiError, submission: Submission) -> impl IntoView {
    let (title, text) = match error.code {
        ErrorCode::Offline => (words::UNREACHED, words::WE_KEEP_RESENDING.to_owned()),
        _ => (words::NO_GOOD_ANSWER, format!("{} {}", error.message, words::WE_KEEP_RESENDING)),
    };
    let now = context::now();
    let next_try = move || {
        now.track();
        match submission.next_try_ms.get() {
            Some(at) => words::next_try(time::seconds_until(at)),
            None => words::SENDING.to_owned(),
        }
    };
    view! {
        <Notice tone=Tone::Warning title text>
            <button class="button" type="button" on:click=move |_| submission.send_again()>{TRY_AGAIN}</button>
        </Notice>
        <ol class="receipt_list">
            <li class="receipt_step" data-standing="held">
                <span>{words::NOT_ACCEPTED_YET}</span>
                <span class="receipt_time">{text_part(next_try)}</span>
            </li>
            {[Step::Waiting, Step::Writing].map(promised).collect_view()}
        </ol>
        {row_to_come()}
    }
}

fn record(answer: Answer, settled: RwSignal<u32>) -> AnyView {
    match answer.recorded {
        Recorded::Accepted | Recorded::Spooled => view! { <Followed answer settled /> }.into_any(),
        Recorded::NotRecorded => view! {
            <Notice tone=Tone::Error text=words::NOT_RECORDED />
        }
        .into_any(),
    }
}

/// The receipt of an accepted search, followed until its state is final.
#[component]
fn Followed(answer: Answer, settled: RwSignal<u32>) -> impl IntoView {
    let long_wait = long_wait_ms(&answer);
    let Answer { recorded, receipt, accepted_in_ms: waited, .. } = answer;
    let waited_label = if long_wait.is_some() { words::THE_SERVER_TOOK } else { words::YOU_WAITED };
    let id = receipt.0.clone();
    let following = follow(receipt, settled);
    let Following { state, ahead, is_gone, .. } = following;
    let now = context::now();
    let took = move || state.with(|state| state.as_ref().and_then(log_took));
    let is_lost =
        move || state.with(|state| state.as_ref().is_some_and(|state| state.state.is_final() && state.row.is_none()));
    let is_over = move || is_lost() || is_gone.get();
    // Whole seconds: the page's clock ticks once a second.
    let so_far = move || {
        let accepted = state.with(|state| state.as_ref().and_then(|state| state.accepted_at)).filter(|_| !is_over())?;
        Some(words::so_far(now.get().since(accepted) / 1_000))
    };
    let step = move |step: Step| {
        let standing = move || state.with(|state| step.standing(state.as_ref(), is_over()).as_str());
        let label = move || state.with(|state| step.label(state.as_ref(), ahead.get()));
        let time = move || {
            state
                .with(|state| step.time(state.as_ref(), waited))
                .map(|ms| format!("+{}", format::duration(ms)))
                .unwrap_or_default()
        };
        let is_now = move || (standing() == "now").then_some("step");
        view! {
            <li class="receipt_step" data-standing=part(move || Some(standing())) aria-current=part(is_now)>
                <span>{text_part(label)}</span>
                <span class="receipt_time">{text_part(time)}</span>
            </li>
        }
        .into_any()
    };
    let in_log = move || took().map(format::duration).or_else(so_far).unwrap_or_else(|| "–".to_owned());
    let is_open = move || took().is_none() && !is_over();
    let share = move || format!("{}%", share(waited, took()));
    view! {
        <SpoolNotice recorded receipt=state />
        <dl class="receipt_totals">
            {waited.map(|ms| view! { <div><dt>{waited_label}</dt><dd>{format::duration(ms.into())}</dd></div> }.into_any())}
            <div>
                <dt>{text_part(move || if is_open() { words::THE_LOG_SO_FAR } else { words::THE_LOG_TOOK })}</dt>
                <dd data-live=part(move || took().is_none().then_some(""))>{text_part(in_log)}</dd>
            </div>
        </dl>
        <div
            class="receipt_bar"
            style=("--share", share)
            data-live=part(move || is_open().then_some(""))
            aria-hidden="true"
        ></div>
        {long_wait.map(|ms| view! { <p class="receipt_way">{words::way(&format::duration(ms.into()))}</p> }.into_any())}
        <ol class="receipt_list" aria-label=words::RECORD aria-live="polite">{Step::ALL.map(step).collect_view()}</ol>
        {part(move || match state.with(|state| state.as_ref().and_then(|state| Some((state.row?, state.recorded_at)))) {
            Some((row, at)) => view! { <Stamp row at /> }.into_any(),
            None if is_over() => ().into_any(),
            None => row_to_come().into_any(),
        })}
        {part(move || is_lost().then(|| view! {
            <Notice tone=Tone::Warning text=words::NOT_WRITTEN_YET />
        }.into_any()))}
        {part(move || following.absence().map(|text| view! { <Notice tone=Tone::Info text /> }.into_any()))}
        <p class="receipt_id">
            <span class="muted">{words::RECEIPT}</span>
            <code translate="no" title=id.clone()>{id.clone()}</code>
            <CopyButton label=words::COPY_RECEIPT text=id />
        </p>
    }
}

/// The proof: the row, which administrators can open, and when it was written.
#[component]
fn Stamp(row: LogSeq, at: Option<TimeMs>) -> impl IntoView {
    let session = context::session();
    let link = format!("/viewlog?row={}", row.0);
    let written = at.map(|at| {
        let local = time::local_with_offset(at);
        let (date, time_of_day) = local.split_once(' ').unwrap_or(("", &local));
        view! {
            // Paper says the date too.
            <time datetime=time::iso(at) title=local.clone()>
                <span>{date.to_owned()}" "</span>{time_of_day.to_owned()}
            </time>
        }
        .into_any()
    });
    view! {
        <p class="receipt_stamp" role="status">
            <Icon symbol=Symbol::State(JobState::Done) />
            {part(move || match session.account() {
                Some(_) => view! { <a href=link.clone()>{words::in_the_log(row)}</a> }.into_any(),
                None => words::in_the_log(row).into_any(),
            })}
            {written}
        </p>
    }
}

#[derive(Clone, Copy)]
struct Following {
    state: RwSignal<Option<ReceiptState>>,
    /// The most jobs that this page has seen ahead of the record's.
    ahead: RwSignal<u64>,
    /// Whether this server does not know the receipt, but another one may.
    is_unknown: RwSignal<bool>,
    /// Whether no server knows the receipt.
    is_gone: RwSignal<bool>,
}

impl Following {
    /// What to say while there is no record.
    fn absence(self) -> Option<&'static str> {
        if self.is_gone.get() {
            Some(words::NO_RECORD)
        } else if self.is_unknown.get() {
            Some(words::UNKNOWN_HERE)
        } else {
            None
        }
    }
}

/// The receipt's state, followed until it is settled.
fn follow(Receipt(receipt): Receipt, settled: RwSignal<u32>) -> Following {
    let (state, is_unknown) = (RwSignal::new(None::<ReceiptState>), RwSignal::new(false));
    let ahead = RwSignal::new(0);
    let stream = EventStream::new();
    let address = move || format!("/api/receipts/{receipt}/events");
    stream.open(address, move |name, data| {
        is_unknown.set(name == ReceiptState::UNKNOWN_EVENT);
        let Ok(latest) = api::from_json::<ReceiptState>(&data) else { return };
        let is_settled = latest.is_settled();
        ahead.update(|ahead| *ahead = latest.ahead.max(*ahead));
        state.set(Some(latest));
        if is_settled {
            // There is nothing more to come.
            stream.close();
            settled.try_update(|settled| *settled += 1);
        }
    });
    Following { state, ahead, is_unknown, is_gone: stream.is_gone }
}

/// How long the visitor waited, in milliseconds, if it was noticeably longer than the server took.
fn long_wait_ms(answer: &Answer) -> Option<u32> {
    const NOTICED_MS: u32 = 500;
    let Answer { accepted_in_ms, answered_in_ms, .. } = answer;
    answered_in_ms
        .filter(|answered| accepted_in_ms.is_some_and(|accepted| answered.saturating_sub(accepted) >= NOTICED_MS))
}

/// The visitor's part of the time until the row was there, in percent. At least 2, so that it can be seen; and 2 as long
/// as the log takes.
fn share(waited: Option<u32>, took: Option<i64>) -> i64 {
    let waited = i64::from(waited.unwrap_or(0));
    took.map_or(2, |took| (waited.saturating_mul(100) / took.max(waited).max(1)).clamp(2, 100))
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
                <Notice tone=Tone::Warning text=words::IN_THE_SPOOL />
            }
            .into_any(),
            SpoolStay::Over => view! {
                <Notice tone=Tone::Info text=words::OUT_OF_THE_SPOOL />
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_always_shows_the_visitors_part() {
        assert_eq!(share(Some(4), Some(6_000)), 2);
        assert_eq!(share(Some(5), Some(10)), 50);
        assert_eq!(share(Some(0), Some(0)), 2);
        assert_eq!(share(None, Some(6_000)), 2);
        assert_eq!(share(Some(4), None), 2);
    }

    #[test]
    fn a_long_way_to_the_server_is_said() {
        let answer = |accepted_in_ms, answered_in_ms| Answer {
            recorded: Recorded::Accepted,
            receipt: Receipt(String::new()),
            accepted_in_ms,
            answered_in_ms,
        };
        assert_eq!(long_wait_ms(&answer(Some(15), Some(14_000))), Some(14_000));
        assert_eq!(long_wait_ms(&answer(Some(15), Some(514))), None);
        assert_eq!(long_wait_ms(&answer(Some(2_000), Some(2_100))), None, "the server was slow, not the way");
        assert_eq!(long_wait_ms(&answer(Some(2_000), Some(0))), None, "a clock was set back");
        assert_eq!(long_wait_ms(&answer(None, Some(9_000))), None);
    }

    #[test]
    fn a_past_stay_in_the_spool_is_remembered() {
        let after = |spooled: &[bool]| spooled.iter().fold(SpoolStay::Never, |stay, &spooled| stay.after(spooled));
        assert_eq!(after(&[false, false]), SpoolStay::Never);
        assert_eq!(after(&[true, true]), SpoolStay::Lasts);
        assert_eq!(after(&[true, false, false]), SpoolStay::Over);
        assert_eq!(after(&[false, true]), SpoolStay::Lasts, "the receipt knows more than the answer did");
    }
}
