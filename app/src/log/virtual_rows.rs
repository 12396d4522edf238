//! Virtual scrolling: which rows of a long list are in view, and how to scroll to one.

use std::ops::Range;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{HtmlElement, ResizeObserver};

/// Rows drawn beyond each edge, so that scrolling shows no blank.
const OVERSCAN_ROWS: usize = 10;
/// The most rows drawn, with the header, unless the screen shows more.
const MAX_DRAWN: usize = 80;

#[derive(Clone, Copy)]
pub struct VirtualRows {
    view: RwSignal<View>,
    scroller: StoredValue<Option<HtmlElement>, LocalStorage>,
    /// How many pixels to scroll with the next frame.
    owed: StoredValue<i32>,
}

/// The part of the list that the scroller shows, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct View {
    scroll_top: i32,
    height: i32,
    row_height: i32,
}

impl VirtualRows {
    pub fn new() -> Self {
        // Assumed until it is measured: a usual row, a large window.
        let view = View { scroll_top: 0, height: 800, row_height: 36 };
        Self { view: RwSignal::new(view), scroller: StoredValue::new_local(None), owed: StoredValue::new(0) }
    }

    /// Measures `scroller` now and whenever its size changes, until the caller is cleaned up. Its custom property
    /// `--row-height` is the height of a row.
    pub fn attach(self, scroller: &HtmlElement) {
        self.scroller.set_value(Some(scroller.clone()));
        self.measure();
        let resized = Closure::<dyn FnMut()>::new(move || self.measure());
        let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) else { return };
        observer.observe(scroller);
        let observed = StoredValue::new_local(Some((observer, resized)));
        on_cleanup(move || {
            if let Some((observer, _)) = observed.try_update_value(Option::take).flatten() {
                observer.disconnect();
            }
        });
    }

    /// Call it on each scroll event. It reads nothing that forces a layout.
    pub fn scrolled(self) {
        let Some(scroller) = self.scroller.get_value() else { return };
        let scroll_top = scroller.scroll_top();
        if self.view.with_untracked(|view| view.scroll_top != scroll_top) {
            self.view.update(|view| view.scroll_top = scroll_top);
        }
    }

    fn measure(self) {
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

    pub fn is_at_top(self) -> bool {
        self.view.with(|view| view.scroll_top < 4)
    }

    /// The rows to draw of a list of this length.
    pub fn to_draw(self, length: usize) -> Range<usize> {
        self.view.get().rows(length)
    }

    /// The first row that is at least partly visible.
    pub fn first_visible(self) -> usize {
        let view = self.view.get_untracked();
        usize::try_from(view.scroll_top / view.row_height.max(1)).unwrap_or(0)
    }

    /// The height of this many rows, as CSS.
    pub fn pixels(self, rows: usize) -> String {
        format!("{}px", rows * self.view.with(|view| view.row_height.unsigned_abs() as usize))
    }

    /// Forgets shifts that have not been applied yet.
    pub fn scroll_to_top(self) {
        self.owed.set_value(0);
        if let Some(scroller) = self.scroller.get_value() {
            scroller.set_scroll_top(0);
            self.scrolled();
        }
    }

    /// Scrolls along when rows are added or removed above the visible ones, so that those stay in place.
    pub fn shift(self, rows: i64) {
        let Some(scroller) = self.scroller.get_value() else { return };
        let rows = i32::try_from(rows).unwrap_or(i32::MAX);
        let pixels = rows.saturating_mul(self.view.with_untracked(|view| view.row_height));
        self.view.update(|view| view.scroll_top = view.scroll_top.saturating_add(pixels).max(0));
        self.owed.update_value(|owed| *owed = owed.saturating_add(pixels));
        // The list has its new height only in the next frame, and cannot scroll beyond the old one before.
        request_animation_frame(move || {
            let owed = self.owed.try_update_value(std::mem::take).unwrap_or_default();
            if owed != 0 {
                scroller.set_scroll_top(scroller.scroll_top().saturating_add(owed));
            }
        });
    }

    /// Scrolls as little as needed to show the whole row.
    pub fn reveal(self, index: usize) {
        let Some(scroller) = self.scroller.get_value() else { return };
        // The place of the last scrolling may not have been reported yet.
        self.measure();
        let view = self.view.get_untracked();
        scroller.set_scroll_top(view.revealing(i32::try_from(index).unwrap_or(i32::MAX)));
    }
}

impl View {
    fn rows(self, length: usize) -> Range<usize> {
        let row_height = self.row_height.max(1);
        let first = usize::try_from(self.scroll_top / row_height).unwrap_or(0);
        let visible = usize::try_from(self.height / row_height).unwrap_or(0) + 1;
        let beyond = (MAX_DRAWN - 1).saturating_sub(visible) / 2;
        let beyond = beyond.min(OVERSCAN_ROWS);
        first.saturating_sub(beyond).min(length)..(first + visible + beyond).min(length)
    }

    /// Where to scroll to show the whole row below the header, which covers one row.
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
    fn draws_what_is_visible_and_a_little_more() {
        assert_eq!(view(0).rows(1_000_000), 0..21);
        assert_eq!(view(3_600).rows(1_000_000), 90..121);
        assert_eq!(view(3_600).rows(95), 90..95);
        assert_eq!(view(3_600).rows(0), 0..0);
    }

    #[test]
    fn high_screens_draw_few_rows_beyond_their_edges() {
        for height in (0..4_000).step_by(7) {
            let drawn = View { scroll_top: 36_000, height, row_height: 36 }.rows(1_000_000).len();
            let visible = usize::try_from(height / 36).expect("a number") + 1;
            assert!(drawn >= visible && drawn < MAX_DRAWN.max(visible + 1), "{drawn} of {visible}");
        }
    }

    #[test]
    fn revealing_scrolls_as_little_as_needed() {
        assert_eq!(view(360).revealing(12), 360, "already visible");
        assert_eq!(view(360).revealing(3), 108, "from above");
        assert_eq!(view(0).revealing(20), 432, "from below: nine rows fit under the header");
    }
}
