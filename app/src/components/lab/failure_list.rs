//! What went wrong, by kind, in its own words.

use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::lab::failures::{Failures, by_kind};
use crate::lab::feed::RunFeed;
use crate::marking;
use crate::wording::number;

/// So many different details are shown of each kind.
const DETAILS_LIMIT: usize = 5;

#[component]
pub fn FailureList(feed: RunFeed) -> impl IntoView {
    let failures = Memo::new(move |_| feed.trace.with(|trace| by_kind(&trace.items)));
    view! {
        <Show when=move || failures.with(|failures| !failures.is_empty())>
            <section class="card failures" aria-labelledby="failures-title">
                <h3 id="failures-title">"What failed, by kind"</h3>
                <ul class="failure_list">{move || failures.get().into_iter().map(kind).collect_view()}</ul>
            </section>
        </Show>
    }
}

fn kind(failures: Failures) -> impl IntoView {
    let rest = failures.details.len().saturating_sub(DETAILS_LIMIT);
    let details = failures.details.into_iter().take(DETAILS_LIMIT).map(|(detail, count)| {
        let often = if count == 1 { String::new() } else { format!(" ({} times)", number(count as u64)) };
        view! { <li>{marking::visible(&detail)}<span class="muted">{often}</span></li> }
    });
    view! {
        <li class="failure" data-state="dead">
            <p class="failure_kind">
                <Icon sign=Sign::Alert />
                <strong>{number(failures.count as u64)}</strong>
                " "
                {failures.kind.label()}
            </p>
            <ul class="failure_details">
                {details.collect_view()}
                {(rest > 0).then(|| view! { <li class="muted">{format!("and {} other messages", number(rest as u64))}</li> })}
            </ul>
        </li>
    }
}
