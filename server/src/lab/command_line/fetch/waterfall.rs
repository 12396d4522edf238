//! A picture of a run in characters: time goes to the right, and each line is a request, or some of them.

use api::{ItemState, ItemTrace, LabTrace};

use super::super::words::seconds;

/// More lines than this no one compares.
const LINES: usize = 20;

/// The lines of the picture, `columns` wide, whose right edge is at `until_us`: `.` waits, `#` runs, `x` has failed.
pub(super) fn draw(trace: &LabTrace, columns: usize, until_us: u64) -> Vec<String> {
    let per_line = trace.items.len().div_ceil(LINES).max(1);
    let groups: Vec<_> = trace.items.chunks(per_line).collect();
    let names: Vec<_> = groups.iter().map(|group| name(group)).collect();
    let name_width = names.iter().map(String::len).max().unwrap_or(0);
    let width = columns.saturating_sub(name_width + 3).max(10);
    let mut lines = Vec::new();
    for (name, group) in names.iter().zip(&groups) {
        let marks: String = (0..width).map(|column| mark(group, moments(column, width, until_us))).collect();
        lines.push(format!("{name:>name_width$} |{marks}|"));
    }
    lines.push(scale(name_width, width, until_us));
    lines
}

fn name(group: &[ItemTrace]) -> String {
    match group {
        [] => String::new(),
        [item] => item.label.clone(),
        [first, .., last] => format!("{}-{}", first.label, last.label),
    }
}

/// The part of the time that a column stands for, from and until.
fn moments(column: usize, width: usize, until_us: u64) -> (u64, u64) {
    let share = |column: usize| {
        let all = u128::from(until_us) * column as u128 / width.max(1) as u128;
        u64::try_from(all).unwrap_or(u64::MAX)
    };
    (share(column), share(column + 1))
}

/// What is most to be seen of these requests in this time.
fn mark(group: &[ItemTrace], (from, until): (u64, u64)) -> char {
    let started = |item: &&ItemTrace| item.started_us.is_some_and(|start| start < until);
    let goes_on = |item: &&ItemTrace| item.ended_us.is_none_or(|end| end > from);
    let has_failed =
        |item: &ItemTrace| item.state == ItemState::Failed && item.ended_us.is_some_and(|end| end <= until);
    let mut running = group.iter().filter(started).filter(goes_on).peekable();
    if running.peek().is_some() {
        return if running.any(has_failed) { 'x' } else { '#' };
    }
    let waits = |item: &ItemTrace| goes_on(&item) && !started(&item);
    if group.iter().any(waits) { '.' } else { ' ' }
}

fn scale(name_width: usize, width: usize, until_us: u64) -> String {
    let end = format!("{:.2}s", seconds(until_us));
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
    fn many_requests_share_lines() {
        let items = (1..=100).map(|n| item(&n.to_string(), Some(n - 1), n + 9, ItemState::Done)).collect();
        let lines = draw(&LabTrace { items, ..LabTrace::default() }, 80, 109);
        assert_eq!(lines.len(), LINES + 1);
        assert!(lines[0].starts_with("   1-5 |#") && lines[19].starts_with("96-100 |...."), "{lines:?}");
        assert!(lines.iter().all(|line| line.len() <= 80), "{lines:?}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(draw(&LabTrace::default(), 80, 0).len(), 1);
    }
}
