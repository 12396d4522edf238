//! A picture of a run in characters: time runs from left to right, and each line is a request or a group of requests.

use api::{ItemState, ItemTrace, LabTrace};

use super::seconds;

/// More lines than this cannot be compared at a glance.
const LINES: usize = 20;

/// Draws a picture that is `columns` wide: `.` waits, `#` runs, `x` has failed. It begins with the first request, as
/// the run's elapsed time does, because the time to start the run's thread does not depend on the style. It ends
/// `length_us` later.
pub(super) fn draw(trace: &LabTrace, columns: usize, length_us: u64) -> Vec<String> {
    let per_line = trace.items.len().div_ceil(LINES).max(1);
    let groups: Vec<_> = trace.items.chunks(per_line).collect();
    let names: Vec<_> = groups.iter().map(|group| name(group)).collect();
    let name_width = names.iter().map(String::len).max().unwrap_or(0);
    let width = columns.saturating_sub(name_width + 3).max(10);
    let begin_us = begin_us(trace);
    let mut lines = Vec::new();
    for (name, group) in names.iter().zip(&groups) {
        let marks: String = (0..width).map(|column| mark(group, span(column, width, begin_us, length_us))).collect();
        lines.push(format!("{name:>name_width$} |{marks}|"));
    }
    lines.push(scale(name_width, width, length_us));
    lines
}

/// From the first request to the last event.
pub(super) fn length_us(trace: &LabTrace) -> u64 {
    trace.latest_us.saturating_sub(begin_us(trace))
}

fn begin_us(trace: &LabTrace) -> u64 {
    trace.items.iter().filter_map(|item| item.started_us).min().unwrap_or(0)
}

fn name(group: &[ItemTrace]) -> String {
    match group {
        [] => String::new(),
        [item] => item.label.clone(),
        [first, .., last] => format!("{}-{}", first.label, last.label),
    }
}

/// The time span that a column represents.
fn span(column: usize, width: usize, begin_us: u64, length_us: u64) -> (u64, u64) {
    let share = |column: usize| {
        let offset = u128::from(length_us) * column as u128 / width.max(1) as u128;
        begin_us.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX))
    };
    (share(column), share(column + 1))
}

/// The most important state of these requests in this time.
fn mark(group: &[ItemTrace], (from, until): (u64, u64)) -> char {
    let started = |item: &&ItemTrace| item.started_us.is_some_and(|start| start < until);
    let has_not_ended = |item: &&ItemTrace| item.ended_us.is_none_or(|end| end > from);
    let has_failed =
        |item: &ItemTrace| item.state == ItemState::Failed && item.ended_us.is_some_and(|end| end <= until);
    let mut running = group.iter().filter(started).filter(has_not_ended).peekable();
    if running.peek().is_some() {
        return if running.any(has_failed) { 'x' } else { '#' };
    }
    let waits = |item: &ItemTrace| has_not_ended(&item) && !started(&item);
    if group.iter().any(waits) { '.' } else { ' ' }
}

fn scale(name_width: usize, width: usize, length_us: u64) -> String {
    let end = format!("{:.2}s", seconds(length_us));
    format!("{:name_width$}  0s{end:>rest$}", "", rest = width.saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(label: &str, started_us: Option<u64>, ended_us: u64, state: ItemState) -> ItemTrace {
        ItemTrace { label: label.to_owned(), state, started_us, ended_us: Some(ended_us), ..ItemTrace::default() }
    }

    #[test]
    fn requests_wait_and_run_and_fail_from_left_to_right() {
        let items = vec![
            item("BR", Some(0), 2_000_000, ItemState::Done),
            item("XX", Some(2_000_000), 4_000_000, ItemState::Failed),
            item("DE", None, 1_000_000, ItemState::Cancelled),
        ];
        let trace = LabTrace { items, ..LabTrace::default() };
        let picture = ["BR |#####     |", "XX |.....####x|", "DE |...       |", "    0s   4.00s"];
        assert_eq!(draw(&trace, 15, 4_000_000), picture);
    }

    #[test]
    fn a_late_start_of_the_run_is_not_drawn() {
        let items =
            vec![item("1", Some(70_000), 120_000, ItemState::Done), item("2", Some(120_000), 170_000, ItemState::Done)];
        let trace = LabTrace { items, latest_us: 170_000, ..LabTrace::default() };
        assert_eq!(draw(&trace, 14, length_us(&trace)), ["1 |#####     |", "2 |.....#####|", "   0s   0.10s"]);
    }

    #[test]
    fn many_requests_share_lines() {
        let items = (1..=100).map(|n| item(&n.to_string(), Some(n - 1), n + 9, ItemState::Done)).collect();
        let lines = draw(&LabTrace { items, ..LabTrace::default() }, 80, 109);
        assert_eq!(lines.len(), LINES + 1);
        assert!(lines[0].starts_with("   1-5 |#") && lines[19].starts_with("96-100 |...."), "{lines:?}");
        assert!(lines.iter().all(|line| line.len() <= 80), "{lines:?}");
    }

    #[test]
    fn an_empty_run_has_only_a_scale() {
        assert_eq!(draw(&LabTrace::default(), 80, 0).len(), 1);
    }
}
