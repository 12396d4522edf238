//! The bars of the waterfall: when each item waited, and when it ran.

use api::{ItemState, ItemTrace, LabTrace};

use crate::lab::words::run::{CANCELLED, item as words};
use crate::ui::format::measured;

/// With more items than this, their counts over time are drawn instead of a row for each.
pub const ROWS_LIMIT: usize = 60;

/// When the last item ended, or the time of the last event if an item was cut off.
pub fn end(trace: &LabTrace) -> u64 {
    let is_cut_off = trace.items.iter().any(|item| item.state == ItemState::Running);
    let last = trace.items.iter().filter_map(|item| item.ended_us).max();
    last.filter(|_| !is_cut_off).unwrap_or(trace.latest_us)
}

/// When the item ran, up to now.
pub fn worked(item: &ItemTrace, now_us: u64) -> Option<(u64, u64)> {
    let start = item.started_us?;
    Some((start, item.ended_us.unwrap_or(now_us).max(start)))
}

/// How long the item waited before it ran, or was given up.
pub fn waited(item: &ItemTrace, now_us: u64) -> u64 {
    item.started_us.or(item.ended_us).unwrap_or(now_us)
}

/// The job state that gives an item's state its colour and icon.
pub fn job_state(state: ItemState) -> api::JobState {
    match state {
        ItemState::Pending => api::JobState::Waiting,
        ItemState::Running => api::JobState::Running,
        ItemState::Done => api::JobState::Done,
        ItemState::Failed => api::JobState::Dead,
        ItemState::Cancelled => api::JobState::Cancelled,
    }
}

/// The text beside an item's bar.
pub fn outcome(item: &ItemTrace, now_us: u64) -> String {
    let took = worked(item, now_us).map(|(start, end)| measured(end - start));
    match (item.state, took, &item.error) {
        (ItemState::Failed, Some(took), Some(error)) => format!("{} · {took}", error.kind.as_str()),
        (ItemState::Failed, None, Some(error)) => error.kind.as_str().to_owned(),
        (ItemState::Pending, _, _) => words::state(item.state).to_owned(),
        (ItemState::Cancelled, _, _) => CANCELLED.to_owned(),
        (_, took, _) => took.unwrap_or_default(),
    }
}

/// The item's name, unless that is only its number.
pub fn name(index: usize, item: &ItemTrace) -> Option<&str> {
    let is_number = item.label.is_empty() || item.label.parse() == Ok(index + 1);
    (!is_number).then_some(item.label.as_str())
}

/// Everything that is known about an item, in one sentence. `arrival` is its position among the arrivals, from 1.
pub fn sentence(index: usize, item: &ItemTrace, arrival: Option<usize>, now_us: u64) -> String {
    let name = name(index, item).map_or_else(String::new, |name| format!(" {name}"));
    let mut parts = vec![format!("#{}{name}: {}", index + 1, words::state(item.state))];
    parts.push(match worked(item, now_us) {
        Some((start, end)) => {
            let [took, start, end] = [end - start, start, end].map(measured);
            words::waited_and_took(&start, &took, &end)
        }
        None => words::waited(&measured(waited(item, now_us))),
    });
    parts.extend(arrival.map(words::arrival));
    match &item.error {
        Some(error) => parts.push(format!("{}: {}", error.kind.as_str(), error.detail)),
        None if !item.text.is_empty() => parts.push(item.text.clone()),
        None => {}
    }
    parts.join(" · ")
}

/// The height of a waterfall with its axis, in pixels.
pub fn plot_height(items: usize) -> usize {
    // The same as in style/lab.css.
    const AXIS: usize = 20;
    const ROW: usize = 22;
    AXIS + ROW * items
}

#[cfg(test)]
mod tests {
    use api::{ItemError, ItemErrorKind};

    use super::*;
    use crate::ui::format::plain;

    fn item(state: ItemState, started_us: Option<u64>, ended_us: Option<u64>) -> ItemTrace {
        ItemTrace { label: "BR".to_owned(), state, started_us, ended_us, ..ItemTrace::default() }
    }

    #[test]
    fn a_running_item_has_a_bar_until_now() {
        let running = item(ItemState::Running, Some(1_000_000), None);
        assert_eq!(worked(&running, 3_000_000), Some((1_000_000, 3_000_000)));
        assert_eq!(worked(&running, 0), Some((1_000_000, 1_000_000)), "a clock that lags draws no negative bar");
        assert_eq!(plain(outcome(&running, 3_000_000)), "2.00 s");
    }

    #[test]
    fn a_waiting_item_has_no_bar() {
        let pending = item(ItemState::Pending, None, None);
        assert_eq!((worked(&pending, 5), waited(&pending, 5)), (None, 5));
        assert_eq!(outcome(&pending, 5), "not begun");
        let cancelled = item(ItemState::Cancelled, None, Some(3));
        assert_eq!((worked(&cancelled, 5), waited(&cancelled, 5)), (None, 3));
    }

    #[test]
    fn a_sentence_says_everything() {
        let mut failed = item(ItemState::Failed, Some(2_000_000), Some(2_100_000));
        failed.error = Some(ItemError { kind: ItemErrorKind::NotFound, detail: "404 Not Found".to_owned() });
        assert_eq!(
            plain(sentence(6, &failed, None, 0)),
            "#7 BR: failed · waited 2.00 s, took 100 ms (2.00 s to 2.10 s) · not found: 404 Not Found"
        );
        assert_eq!(plain(outcome(&failed, 0)), "not found · 100 ms");
        let mut done = item(ItemState::Done, Some(0), Some(2_000_000));
        done.text = "42".to_owned();
        assert_eq!(
            plain(sentence(0, &done, Some(3), 0)),
            "#1 BR: done · waited 0.0 ms, took 2.00 s (0.0 ms to 2.00 s) · arrival 3 · 42"
        );
        let numbered = ItemTrace { label: "2".to_owned(), ..item(ItemState::Pending, None, None) };
        assert_eq!(plain(sentence(1, &numbered, None, 7_000)), "#2: not begun · waited 7.0 ms");
    }
}
