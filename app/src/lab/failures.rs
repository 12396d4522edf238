//! What went wrong in a run, by kind.

use api::{ItemErrorKind, ItemTrace};

use crate::wording::number;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    pub kind: ItemErrorKind,
    pub count: usize,
    /// What was said, each once, the first ones first; with how often it was said.
    pub details: Vec<(String, usize)>,
}

/// The failures of `items`, the most frequent kind first.
#[must_use]
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

/// The same in one line: `2 not found, 1 timed out`; empty where nothing failed.
#[must_use]
pub fn line(failures: &[Failures]) -> String {
    let words = failures.iter().map(|failures| format!("{} {}", number(failures.count as u64), failures.kind.label()));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use api::ItemError;

    use super::*;

    #[test]
    fn failures_are_counted_by_kind_and_by_what_they_say() {
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
        assert_eq!(line(&failures), "3 not found, 1 timed out");
        assert_eq!(failures[0].details, [("no XX".to_owned(), 2), ("no YY".to_owned(), 1)]);
        assert_eq!(line(&by_kind(&[])), "");
    }
}
