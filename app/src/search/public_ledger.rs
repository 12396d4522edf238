//! The public ledger: where the searches of all visitors are.

use api::{PublicLedger, TimeMs};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::platform::context;
use crate::search::words;
use crate::ui::format;
use crate::ui::part::part;

/// How often the figures are read, in milliseconds.
const EVERY: i64 = 5_000;
/// The same while the server shows none.
const EVERY_WITHOUT: i64 = 60_000;

/// Shows nothing unless the server has answered with figures.
#[component]
pub fn Ledger(
    /// The figures are read again when it changes.
    settled: RwSignal<u32>,
) -> impl IntoView {
    let ledger = read(settled);
    let figures = move |ledger: PublicLedger| {
        let held = (ledger.held > 0).then_some((ledger.held, words::HELD));
        [
            Some((ledger.accepted, words::ACCEPTED)),
            Some((ledger.in_the_log, words::IN_THE_LOG)),
            Some((ledger.being_written, words::BEING_WRITTEN)),
            held,
            Some((ledger.lost, words::LOST)),
        ]
        .into_iter()
        .flatten()
        .map(|(count, word)| view! { <div><dt>{word}</dt><dd>{format::number(count)}</dd></div> })
        .collect_view()
    };
    part(move || {
        ledger.get().map(|ledger| {
            view! {
                <section class="public_ledger" aria-labelledby="ledger-title">
                    <h2 id="ledger-title">{words::LEDGER}</h2>
                    <dl>{figures(ledger)}</dl>
                    <a href="/lab?scenario=trap">{words::SEE_THE_TRAP}</a>
                </section>
            }
            .into_any()
        })
    })
}

/// The figures, read again and again while the page is in sight. `None` once the server does not answer.
fn read(settled: RwSignal<u32>) -> RwSignal<Option<PublicLedger>> {
    let (ledger, now) = (RwSignal::new(None), context::now());
    let asked = StoredValue::new(None::<TimeMs>);
    Effect::new(move |known: Option<u32>| {
        let (now, settled) = (now.get(), settled.get());
        let is_settled = known.is_some_and(|known| known != settled);
        let every = if ledger.with_untracked(Option::is_some) { EVERY } else { EVERY_WITHOUT };
        let is_fresh = asked.get_value().is_some_and(|asked| now.since(asked) < every);
        if document().hidden() || is_fresh && !is_settled {
            return settled;
        }
        asked.set_value(Some(now));
        spawn_local(async move {
            let latest = api::public_ledger().await;
            ledger.try_set(latest.ok().flatten());
        });
        settled
    });
    ledger
}
