//! Which rows of a long list are in sight, and how to bring one into sight.

use std::ops::Range;

use leptos::prelude::*;
use web_sys::HtmlElement;

/// Rows drawn beyond the edges, so that scrolling meets no blank: so many on each side,
const OVERSCAN_ROWS: usize = 10;
/// unless there are more than this in all, with the header. On a screen that is higher there are as many as it shows.
const MOST_DRAWN: usize = 80;

#[derive(Clone, Copy)]
pub struct VirtualRows {
    view: RwSignal<View>,
    scroller: StoredValue<Option<HtmlElement>, LocalStorage>,
    /// By so many pixels it is scrolled with the next frame.
    owed: StoredValue<i32>,
}

/// What part of the list the scroller shows, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct View {
    scroll_top: i32,
    height: i32,
    row_height: i32,
}

impl VirtualRows {
    #[must_use]
    pub fn new() -> Self {
        // Until it is measured: a usual row, a large window.
        let view = View { scroll_top: 0, height: 800, row_height: 36 };
        Self { view: RwSignal::new(view), scroller: StoredValue::new_local(None), owed: StoredValue::new(0) }
    }

    /// Measures `scroller` from now on. Its custom property `--row-height` says how high a row is.
    pub fn attach(self, scroller: &HtmlElement) {
        self.scroller.set_value(Some(scroller.clone()));
        self.measure();
    }

    /// To be called when it has scrolled: asks for nothing that must be computed first.
    pub fn scrolled(self) {
        let Some(scroller) = self.scroller.get_value() else { return };
        let scroll_top = scroller.scroll_top();
        if self.view.with_untracked(|view| view.scroll_top != scroll_top) {
            self.view.update(|view| view.scroll_top = scroll_top);
        }
    }

    /// To be called when its size may have changed.
    pub fn measure(self) {
        let Some(scroller) = self.scroller.get_value() else { return };
        let style = window().get_computed_style(&scroller).ok().flatten();
        let declared = style.and_then(|style| style.get_property_value("--row-height").ok());
        let row_height = declared.and_then(|height| height.trim().trim_end_matches("px").parse().ok());
        let view = View {
            scroll_top: scroller.scroll_top(),
            height: scroller.client_height(),
            row_height: row_height.unwrap_or(36),
        };
        if self.view.get_untracked() != view {
            self.view.set(view);
        }
    }

    #[must_use]
    pub fn is_at_top(self) -> bool {
        self.view.with(|view| view.scroll_top < 4)
    }

    /// The rows to draw of a list of this length.
    #[must_use]
    pub fn in_sight(self, length: usize) -> Range<usize> {
        self.view.get().rows(length)
    }

    /// The first row that shows whole or in part.
    #[must_use]
    pub fn first_in_sight(self) -> usize {
        let view = self.view.get_untracked();
        usize::try_from(view.scroll_top / view.row_height.max(1)).unwrap_or(0)
    }

    /// The height of so many rows, for a style.
    #[must_use]
    pub fn pixels(self, rows: usize) -> String {
        format!("{}px", rows * self.view.with(|view| view.row_height.unsigned_abs() as usize))
    }

    /// What was to be scrolled along with the rows before is not any more.
    pub fn scroll_to_top(self) {
        self.owed.set_value(0);
        if let Some(scroller) = self.scroller.get_value() {
            scroller.set_scroll_top(0);
            self.scrolled();
        }
    }

    /// So many rows more are above those in sight, or fewer: scrolls along, so that these stay where they are.
    pub fn shift(self, rows: i64) {
        let Some(scroller) = self.scroller.get_value() else { return };
        let rows = i32::try_from(rows).unwrap_or(i32::MAX);
        let pixels = rows.saturating_mul(self.view.with_untracked(|view| view.row_height));
        self.view.update(|view| view.scroll_top = view.scroll_top.saturating_add(pixels).max(0));
        self.owed.update_value(|owed| *owed = owed.saturating_add(pixels));
        // The list gets its new height before the next frame; only then there is somewhere to scroll to.
        request_animation_frame(move || {
            let owed = self.owed.try_update_value(std::mem::take).unwrap_or_default();
            if owed != 0 {
                scroller.set_scroll_top(scroller.scroll_top().saturating_add(owed));
            }
        });
    }

    /// Scrolls as little as is needed for the row to be in sight.
    pub fn reveal(self, index: usize) {
        let Some(scroller) = self.scroller.get_value() else { return };
        let view = self.view.get_untracked();
        scroller.set_scroll_top(view.revealing(i32::try_from(index).unwrap_or(i32::MAX)));
    }
}

impl View {
    fn rows(self, length: usize) -> Range<usize> {
        let row_height = self.row_height.max(1);
        let first = usize::try_from(self.scroll_top / row_height).unwrap_or(0);
        let in_sight = usize::try_from(self.height / row_height).unwrap_or(0) + 1;
        let beyond = (MOST_DRAWN - 1).saturating_sub(in_sight) / 2;
        let beyond = beyond.min(OVERSCAN_ROWS);
        first.saturating_sub(beyond).min(length)..(first + in_sight + beyond).min(length)
    }

    /// Where to scroll so that the row shows whole, below the header that covers one row.
    fn revealing(self, index: i32) -> i32 {
        let top = index.saturating_mul(self.row_height);
        let lowest = top.saturating_add(self.row_height * 2).saturating_sub(self.height);
        self.scroll_top.clamp(lowest.min(top), top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(scroll_top: i32) -> View {
        View { scroll_top, height: 360, row_height: 36 }
    }

    #[test]
    fn draws_what_is_in_sight_and_a_little_more() {
        assert_eq!(view(0).rows(1_000_000), 0..21);
        assert_eq!(view(3_600).rows(1_000_000), 90..121);
        assert_eq!(view(3_600).rows(95), 90..95);
        assert_eq!(view(3_600).rows(0), 0..0);
    }

    #[test]
    fn however_high_the_screen_few_rows_are_drawn() {
        for height in (0..4_000).step_by(7) {
            let drawn = View { scroll_top: 36_000, height, row_height: 36 }.rows(1_000_000).len();
            let in_sight = usize::try_from(height / 36).expect("a number") + 1;
            assert!(drawn >= in_sight && drawn < MOST_DRAWN.max(in_sight + 1), "{drawn} of {in_sight}");
        }
    }

    #[test]
    fn reveals_by_the_shortest_way() {
        assert_eq!(view(360).revealing(12), 360, "in sight already");
        assert_eq!(view(360).revealing(3), 108, "from above");
        assert_eq!(view(0).revealing(20), 432, "from below: nine rows fit under the header");
    }
}
