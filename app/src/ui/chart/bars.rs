//! Rows of bars on one time axis, as paths in one drawing: as many rows as there are cost no more elements.

use crate::ui::chart::axis::Scale;

/// The width of a drawing, in its own units. A row is one unit high.
pub const WIDTH: u32 = 10_000;
/// The shortest bar; a shorter one would be invisible.
const SHORTEST: u32 = 25;

/// A bar. The times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    pub row: usize,
    pub from_us: u64,
    pub to_us: u64,
}

/// The bars as lines through the middle of their rows.
pub fn path(bars: impl Iterator<Item = Bar>, scale: Scale) -> String {
    let lines = bars.map(|Bar { row, from_us, to_us }| {
        let from = scale.x(from_us, WIDTH).min(WIDTH - SHORTEST);
        format!("M{from} {row}.5H{}", scale.x(to_us, WIDTH).max(from + SHORTEST))
    });
    lines.collect()
}

/// How high a drawing with this many rows is, in pixels: rows can be told apart as long as there is room.
pub fn height(rows: usize) -> usize {
    (8 * rows).clamp(8, 120)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_is_visible() {
        let bar = |row, from_us, to_us| Bar { row, from_us, to_us };
        let bars = [bar(0, 0, 5_000_000), bar(1, 5_000_000, 5_000_000), bar(2, 10_000_000, 10_000_000)];
        assert_eq!(path(bars.into_iter(), Scale::to(10_000_000)), "M0 0.5H5000M5000 1.5H5025M9975 2.5H10000");
    }

    #[test]
    fn the_height_of_a_drawing_is_limited() {
        assert_eq!([0, 1, 10, 1_000].map(height), [8, 8, 80, 120]);
    }
}
