//! What went wrong in a run, by kind.

use api::{ItemErrorKind, ItemTrace, LabSpec};
use leptos::prelude::*;

use crate::lab::stream::RunStream;
use crate::lab::words::run as words;
use crate::ui::format::number;
use crate::ui::highlight;
use crate::ui::icon::{Icon, Symbol};

/// The most distinct details shown per kind.
const MAX_DETAILS: usize = 5;

#[component]
pub fn FailureList(stream: RunStream) -> impl IntoView {
    let failures = Memo::new(move |_| stream.trace.with(|trace| by_kind(&trace.items)));
    let is_database = stream.run.with_untracked(|run| matches!(run.spec, LabSpec::Database(_)));
    let are_ordered = Memo::new(move |_| is_database && failures.with(|failures| failures.iter().all(is_ordered)));
    let list = move || {
        let view = if are_ordered.get() { ordered } else { kind };
        failures.get().into_iter().map(view).collect_view()
    };
    view! {
        <Show when=move || failures.with(|failures| !failures.is_empty())>
            <section class="card failures" aria-labelledby="failures-title">
                <h3 id="failures-title">
                    {move || if are_ordered.get() { words::ORDERED_FAILURES } else { words::FAILURES }}
                </h3>
                <ul class="failure_list">{list}</ul>
            </section>
        </Show>
    }
}

/// Whether tasks with the database were told to fail like this.
fn is_ordered(failures: &Failures) -> bool {
    matches!(failures.kind, ItemErrorKind::Task | ItemErrorKind::Panic | ItemErrorKind::Aborted)
}

/// A failure that was ordered needs no alarm. What the database said about it is one hover away.
fn ordered(failures: Failures) -> AnyView {
    let said = failures.details.first().map(|(detail, _)| detail.clone()).unwrap_or_default();
    let detail = if failures.kind == ItemErrorKind::Task { words::ORDERED_ERROR } else { words::WHILE_HOLDING };
    view! {
        <li class="failure" data-ordered>
            <p class="failure_kind" title=said>
                <Icon symbol=Symbol::Alert />
                <strong>{number(failures.count as u64)}</strong>
                " "
                {failures.kind.as_str()}
                <span class="muted">" ("{detail}")"</span>
            </p>
        </li>
    }
    .into_any()
}

fn kind(failures: Failures) -> AnyView {
    let rest = failures.details.len().saturating_sub(MAX_DETAILS);
    let details = failures.details.into_iter().take(MAX_DETAILS).map(|(detail, count)| {
        view! { <li>{highlight::visible(&detail)}<span class="muted">{words::times(count)}</span></li> }
    });
    view! {
        <li class="failure" data-state="dead">
            <p class="failure_kind">
                <Icon symbol=Symbol::Alert />
                <strong>{number(failures.count as u64)}</strong>
                " "
                {failures.kind.as_str()}
            </p>
            <ul class="failure_details">
                {details.collect_view()}
                {(rest > 0).then(|| view! { <li class="muted">{words::other_messages(rest)}</li> })}
            </ul>
        </li>
    }
    .into_any()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    pub kind: ItemErrorKind,
    pub count: usize,
    /// The distinct details in order of appearance, each with its count.
    pub details: Vec<(String, usize)>,
}

/// The failures of `items`, the most frequent kind first.
pub fn by_kind(items: &[ItemTrace]) -> Vec<Failures> {
    let mut kinds: Vec<Failures> = Vec::new();
    for error in items.iter().filter_map(|item| item.error.as_ref()) {
        let index = kinds.iter().position(|known| known.kind == error.kind).unwrap_or_else(|| {
            kinds.push(Failures { kind: error.kind, count: 0, details: Vec::new() });
            kinds.len() - 1
        });
        let known = &mut kinds[index];
        known.count += 1;
        match known.details.iter_mut().find(|(detail, _)| *detail == error.detail) {
            Some((_, count)) => *count += 1,
            None => known.details.push((error.detail.clone(), 1)),
        }
    }
    kinds.sort_by_key(|failures| (usize::MAX - failures.count, failures.kind));
    kinds
}

/// In one line: `2 not found, 1 timed out`; empty if nothing failed.
pub fn summary(failures: &[Failures]) -> String {
    let counts =
        failures.iter().map(|failures| format!("{} {}", number(failures.count as u64), failures.kind.as_str()));
    counts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use api::ItemError;

    use super::*;

    #[test]
    fn failures_are_counted_by_kind_and_detail() {
        let failed = |kind, detail: &str| ItemTrace {
            error: Some(ItemError { kind, detail: detail.to_owned() }),
            ..ItemTrace::default()
        };
        let items = [
            failed(ItemErrorKind::Timeout, "after 1 s"),
            failed(ItemErrorKind::NotFound, "no XX"),
            ItemTrace::default(),
            failed(ItemErrorKind::NotFound, "no YY"),
            failed(ItemErrorKind::NotFound, "no XX"),
        ];
        let failures = by_kind(&items);
        assert_eq!(summary(&failures), "3 not found, 1 timed out");
        assert_eq!(failures[0].details, [("no XX".to_owned(), 2), ("no YY".to_owned(), 1)]);
        assert_eq!(summary(&by_kind(&[])), "");
    }
}
