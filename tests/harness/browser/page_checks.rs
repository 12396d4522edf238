//! What must hold on every page.

use std::fmt::Write as _;
use std::{env, fs};

use serde::Deserialize;
use serde_json::json;

use super::driver::SessionCommand;
use super::{Browser, Engine};

/// A change of the layout that the visitor did not ask for.
#[derive(Debug, Deserialize)]
struct LayoutShift {
    /// The browser's measure of how disturbing it is.
    value: f64,
    /// The elements that moved, and from where to where. The browser names five at most.
    moved: Vec<String>,
}

impl Browser {
    /// Declares that console messages which contain `part` are expected in this test.
    pub fn expect_on_console(&self, part: &str) {
        self.expected.borrow_mut().push(part.to_owned());
    }

    /// Panics if the console has unexpected messages since the last call: errors, warnings, or violations of the
    /// Content-Security-Policy. WebDriver has no command for the console, and only Chromium's driver adds one.
    pub async fn assert_console_is_clean(&self) {
        if self.engine != Engine::Chromium {
            return;
        }
        let entries = self.command(SessionCommand::post("se/log", json!({"type": "browser"}))).await;
        let expected = self.expected.borrow().clone();
        let unexpected: Vec<String> = entries
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| format!("{}: {}", entry["level"], entry["message"]))
            .filter(|message| !expected.iter().any(|part| message.contains(part.as_str())))
            .collect();
        assert!(unexpected.is_empty(), "unexpected on the console:\n{}", unexpected.join("\n"));
    }

    /// Panics if axe finds an accessibility violation.
    pub async fn assert_accessible(&self, page: &str) {
        let path = env::var_os("SEARCH4LETTERS_AXE").expect("SEARCH4LETTERS_AXE names axe-core's axe.min.js");
        let axe = fs::read_to_string(path).expect("axe.min.js can be read");
        self.script(&axe, vec![]).await;
        let violations = self.script_async(RUN_AXE, vec![]).await;
        let found = violations.as_array().expect("RUN_AXE calls back with a list");
        assert!(found.is_empty(), "axe on {page}: {}", serde_json::to_string_pretty(&violations).unwrap_or_default());
    }

    /// Panics if the layout has shifted since the page was loaded, other than after the visitor's own input. Names the
    /// elements that moved.
    pub async fn assert_nothing_has_moved(&self, page: &str) {
        let shifts = self.script_async(LAYOUT_SHIFTS, vec![]).await;
        let shifts: Vec<LayoutShift> = serde_json::from_value(shifts).expect("LAYOUT_SHIFTS calls back with a list");
        let mut report = String::new();
        for LayoutShift { value, moved } in &shifts {
            let _ = write!(report, "\n  by {value}:");
            for element in moved {
                let _ = write!(report, "\n    {element}");
            }
        }
        assert!(shifts.is_empty(), "{page} has moved{report}");
    }

    /// Panics if the page is wider than its window and has to be scrolled sideways.
    pub async fn assert_fits_its_width(&self, page: &str) {
        let widths =
            self.script("const e = document.documentElement; return [e.scrollWidth, e.clientWidth]", vec![]).await;
        assert!(widths[0].as_f64() <= widths[1].as_f64(), "{page} is {} wide in a window of {}", widths[0], widths[1]);
    }
}

const RUN_AXE: &str = r"
const done = arguments[arguments.length - 1];
// While an element fades in, its colours are not final. Some animations never end.
const ending = document.getAnimations().filter(animation => animation.effect.getComputedTiming().endTime !== Infinity);
Promise.allSettled(ending.map(animation => animation.finished)).then(() => axe.run()).then(
    result => done(result.violations.map(violation => ({
        rule: violation.id,
        help: violation.help,
        nodes: violation.nodes.map(node => node.target.join(' ') + ': ' + node.failureSummary),
    }))),
    error => done([{rule: 'axe itself failed', help: String(error)}]),
);
";

/// The browser reports a shift with the frame after it, so the script waits for two frames.
const LAYOUT_SHIFTS: &str = r"
const done = arguments[arguments.length - 1];
const name = node => {
    const element = node instanceof Element ? node : node?.parentElement;
    if (!element) return 'an element that is no longer in the page';
    const classes = [...element.classList].map(name => '.' + name).join('');
    const text = node.textContent.trim().slice(0, 40);
    return element.tagName.toLowerCase() + (element.id && '#' + element.id) + classes + ' ' + JSON.stringify(text);
};
const place = rect => `${rect.width}x${rect.height} at ${rect.x},${rect.y}`;
const moved = source => `${name(source.node)} from ${place(source.previousRect)} to ${place(source.currentRect)}`;
const shifts = [];
const add = entries => entries.forEach(entry => {
    if (!entry.hadRecentInput) shifts.push({value: entry.value, moved: entry.sources.map(moved)});
});
const observer = new PerformanceObserver(list => add(list.getEntries()));
observer.observe({type: 'layout-shift', buffered: true});
requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
    add(observer.takeRecords());
    done(shifts);
})));
";
