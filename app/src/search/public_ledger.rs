//! The public ledger: where the searches of all visitors are.

use api::{PublicLedger, TimeMs};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::platform::effect::effect;
use crate::platform::{context, time};
use crate::search::words;
use crate::ui::format;
use crate::ui::part::{part, text_part};

/// How often the figures are read, in milliseconds.
const EVERY: i64 = 5_000;
/// The same while the server shows none, or does not answer.
const EVERY_WITHOUT: i64 = 60_000;

#[derive(Clone, Copy)]
struct Figures {
    ledger: PublicLedger,
    read_at: TimeMs,
    /// Whether a later attempt to read them has failed.
    is_old: bool,
}

/// Shows nothing unless the server has answered with figures. Those that it cannot confirm are grey, with their time.
#[component]
pub fn Ledger(
    /// The figures are read again when it changes.
    settled: RwSignal<u32>,
) -> impl IntoView {
    let (figures, is_silent) = (read(settled), context::is_silent());
    part(move || {
        figures.get().map(|Figures { ledger, read_at, is_old }| {
            let is_old = move || is_old || is_silent.get();
            let as_of = move || if is_old() { words::as_of(&time::time_of_day(read_at)) } else { String::new() };
            view! {
                <section
                    class="public_ledger"
                    aria-labelledby="ledger-title"
                    data-old=part(move || is_old().then_some(""))
                >
                    <h2 id="ledger-title">{words::LEDGER}</h2>
                    <dl>{terms(ledger)}</dl>
                    <span>{text_part(as_of)}</span>
                    <a href="/lab?scenario=trap">{words::SEE_THE_TRAP}</a>
                </section>
            }
            .into_any()
        })
    })
}

/// An equation: the first figure is the sum of the others. The style sheet writes the signs.
fn terms(ledger: PublicLedger) -> impl IntoView {
    let held = (ledger.held > 0).then_some((ledger.held, words::HELD, Some(words::HELD_WHY)));
    [
        Some((ledger.accepted, words::ACCEPTED, None)),
        Some((ledger.in_the_log, words::IN_THE_LOG, None)),
        Some((ledger.being_written, words::BEING_WRITTEN, None)),
        held,
        Some((ledger.lost, words::LOST, None)),
    ]
    .into_iter()
    .flatten()
    .map(|(count, word, why)| view! { <div title=why><dt>{word}</dt><dd>{format::number(count)}</dd></div> }.into_any())
    .collect_view()
}

/// The figures, read again and again while the page is in sight. `None` if the server shows none.
fn read(settled: RwSignal<u32>) -> RwSignal<Option<Figures>> {
    let (figures, now, is_silent) = (RwSignal::new(None::<Figures>), context::now(), context::is_silent());
    let asked = StoredValue::new(None::<TimeMs>);
    let mut known = settled.get_untracked();
    effect(move || {
        let (now, settled) = (now.get(), settled.get());
        let is_settled = std::mem::replace(&mut known, settled) != settled;
        let is_known = figures.with_untracked(Option::is_some) && !is_silent.get_untracked();
        let every = if is_known { EVERY } else { EVERY_WITHOUT };
        let is_fresh = asked.get_value().is_some_and(|asked| now.since(asked) < every);
        if document().hidden() || is_fresh && !is_settled {
            return;
        }
        asked.set_value(Some(now));
        spawn_local(async move {
            match api::public_ledger().await {
                Ok(latest) => {
                    figures.try_set(latest.map(|ledger| Figures { ledger, read_at: now, is_old: false }));
                }
                Err(_) => {
                    figures.try_update(|figures| figures.as_mut().map(|figures| figures.is_old = true));
                }
            }
        });
    });
    figures
}
