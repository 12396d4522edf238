//! The bars of the waterfall: when each item waited, and when it ran.

use api::{ItemState, ItemTrace, LabTrace};

use crate::lab::labels;
use crate::lab::time_axis::Scale;

/// With more items than this, each is a line in one dense drawing instead of a row.
pub const ROWS_LIMIT: usize = 60;
/// The width of a dense drawing, in its own units.
pub const DENSE_WIDTH: u32 = 10_000;
/// The shortest bar in a dense drawing; a shorter one would be invisible.
const DENSE_MIN: u32 = 25;
/// The greatest height of a dense drawing, in pixels.
const DENSE_HEIGHT: usize = 480;

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
    let took = worked(item, now_us).map(|(start, end)| labels::measured(end - start));
    match (item.state, took, &item.error) {
        (ItemState::Failed, Some(took), Some(error)) => format!("{} · {took}", error.kind.as_str()),
        (ItemState::Failed, None, Some(error)) => error.kind.as_str().to_owned(),
        (ItemState::Pending, _, _) => "waiting".to_owned(),
        (ItemState::Cancelled, _, _) => "cancelled".to_owned(),
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
    let mut parts = vec![format!("#{}{name}: {}", index + 1, item.state.as_str())];
    parts.push(match worked(item, now_us) {
        Some((start, end)) => {
            let [took, start, end] = [end - start, start, end].map(labels::measured);
            format!("waited {start}, took {took} ({start} to {end})")
        }
        None => format!("waited {}", labels::measured(waited(item, now_us))),
    });
    parts.extend(arrival.map(|arrival| format!("arrival {arrival}")));
    match &item.error {
        Some(error) => parts.push(format!("{}: {}", error.kind.as_str(), error.detail)),
        None if !item.text.is_empty() => parts.push(item.text.clone()),
        None => {}
    }
    parts.join(" · ")
}

/// The height of a dense drawing, in pixels.
pub fn dense_height(items: usize) -> usize {
    DENSE_HEIGHT.min(4 * items)
}

/// The height of a waterfall with its axis, in pixels.
pub fn plot_height(items: usize) -> usize {
    // The same as in style/lab.css.
    const AXIS: usize = 20;
    const ROW: usize = 22;
    AXIS + if items <= ROWS_LIMIT { ROW * items } else { dense_height(items) }
}

/// The lines of all items in `state` as an SVG path, in which each item is one unit high.
pub fn dense_path(items: &[ItemTrace], state: ItemState, scale: Scale, now_us: u64) -> String {
    let items = items.iter().enumerate().filter(|(_, item)| item.state == state);
    let lines = items.filter_map(|(index, item)| {
        let (start, end) = worked(item, now_us)?;
        let start = dense_x(scale, start).min(DENSE_WIDTH - DENSE_MIN);
        Some(format!("M{start} {index}.5H{}", dense_x(scale, end).max(start + DENSE_MIN)))
    });
    lines.collect()
}

/// The waiting times of all items, as an SVG path.
pub fn dense_waits(items: &[ItemTrace], scale: Scale, now_us: u64) -> String {
    let ends = items.iter().map(|item| dense_x(scale, waited(item, now_us))).enumerate();
    ends.filter(|(_, end)| *end >= DENSE_MIN).map(|(index, end)| format!("M0 {index}.5H{end}")).collect()
}

fn dense_x(scale: Scale, us: u64) -> u32 {
    // A share lies between 0 and 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    let x = (scale.share(us) * f64::from(DENSE_WIDTH)).round() as u32;
    x
}

#[cfg(test)]
mod tests {
    use api::{ItemError, ItemErrorKind};

    use super::*;

    fn item(state: ItemState, started_us: Option<u64>, ended_us: Option<u64>) -> ItemTrace {
        ItemTrace { label: "BR".to_owned(), state, started_us, ended_us, ..ItemTrace::default() }
    }

    #[test]
    fn a_running_item_has_a_bar_until_now() {
        let running = item(ItemState::Running, Some(1_000_000), None);
        assert_eq!(worked(&running, 3_000_000), Some((1_000_000, 3_000_000)));
        assert_eq!(worked(&running, 0), Some((1_000_000, 1_000_000)), "a clock that lags draws no negative bar");
        assert_eq!(outcome(&running, 3_000_000), "2.00 s");
    }

    #[test]
    fn a_waiting_item_has_no_bar() {
        let pending = item(ItemState::Pending, None, None);
        assert_eq!((worked(&pending, 5), waited(&pending, 5)), (None, 5));
        assert_eq!(outcome(&pending, 5), "waiting");
        let cancelled = item(ItemState::Cancelled, None, Some(3));
        assert_eq!((worked(&cancelled, 5), waited(&cancelled, 5)), (None, 3));
    }

    #[test]
    fn a_sentence_says_everything() {
        let mut failed = item(ItemState::Failed, Some(2_000_000), Some(2_100_000));
        failed.error = Some(ItemError { kind: ItemErrorKind::NotFound, detail: "404 Not Found".to_owned() });
        assert_eq!(
            sentence(6, &failed, None, 0),
            "#7 BR: failed · waited 2.00 s, took 100 ms (2.00 s to 2.10 s) · not found: 404 Not Found"
        );
        assert_eq!(outcome(&failed, 0), "not found · 100 ms");
        let mut done = item(ItemState::Done, Some(0), Some(2_000_000));
        done.text = "42".to_owned();
        assert_eq!(
            sentence(0, &done, Some(3), 0),
            "#1 BR: done · waited 0.0 ms, took 2.00 s (0.0 ms to 2.00 s) · arrival 3 · 42"
        );
        let numbered = ItemTrace { label: "2".to_owned(), ..item(ItemState::Pending, None, None) };
        assert_eq!(sentence(1, &numbered, None, 7_000), "#2: pending · waited 7.0 ms");
    }

    #[test]
    fn dense_lines_are_drawn_by_state() {
        let items = [
            item(ItemState::Done, Some(0), Some(5_000_000)),
            item(ItemState::Running, Some(5_000_000), None),
            item(ItemState::Pending, None, None),
        ];
        let scale = Scale::to(10_000_000);
        assert_eq!(dense_path(&items, ItemState::Done, scale, 6_000_000), "M0 0.5H5000");
        assert_eq!(dense_path(&items, ItemState::Running, scale, 6_000_000), "M5000 1.5H6000");
        assert_eq!(dense_path(&items, ItemState::Failed, scale, 6_000_000), "");
        assert_eq!(dense_waits(&items, scale, 6_000_000), "M0 1.5H5000M0 2.5H6000");
    }

    #[test]
    fn the_shortest_bar_is_visible_at_the_end_too() {
        let items = [item(ItemState::Done, Some(10_000_000), Some(10_000_000))];
        assert_eq!(dense_path(&items, ItemState::Done, Scale::to(10_000_000), 0), "M9975 0.5H10000");
    }

    #[test]
    fn the_height_of_a_drawing_is_limited() {
        assert_eq!([61, 120, 121, 1_000].map(dense_height), [244, 480, 480, 480]);
        assert_eq!([10, 61].map(plot_height), [240, 264]);
    }
}
