//! What must hold on every page, whatever it is for.

use std::{env, fs};

use serde_json::{Value, json};

use super::Browser;
use super::devtools::SessionCommand;

impl Browser {
    /// Says that console messages which contain `part` belong to what is tested.
    pub fn expect_on_console(&self, part: &str) {
        self.expected.borrow_mut().push(part.to_owned());
    }

    /// Panics if anything was said on the console since the last time, an error, a warning or a breach of the
    /// Content-Security-Policy, that was not expected.
    pub async fn assert_console_is_clean(&self) {
        let entries = self.command(SessionCommand::post("se/log", json!({"type": "browser"}))).await;
        let expected = self.expected.borrow().clone();
        let unexpected: Vec<String> = entries
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| format!("{}: {}", entry["level"], entry["message"]))
            .filter(|said| !expected.iter().any(|part| said.contains(part.as_str())))
            .collect();
        assert!(unexpected.is_empty(), "the console says:\n{}", unexpected.join("\n"));
    }

    /// Panics if axe finds anything that keeps people out.
    pub async fn assert_accessible(&self, page: &str) {
        let path = env::var_os("SEARCH4LETTERS_AXE").expect("SEARCH4LETTERS_AXE names axe-core's axe.min.js");
        let axe = fs::read_to_string(path).expect("axe.min.js can be read");
        self.script(&axe, vec![]).await;
        let violations = self.script_async(RUN_AXE, vec![]).await;
        let found = violations.as_array().expect("RUN_AXE calls back with a list");
        assert!(found.is_empty(), "axe on {page}: {}", serde_json::to_string_pretty(&violations).unwrap_or_default());
    }

    /// The sum of the page's layout shifts since it was loaded, those after the visitor's own input excepted.
    pub async fn layout_shift(&self) -> f64 {
        self.script_async(SUM_LAYOUT_SHIFTS, vec![]).await.as_f64().expect("SUM_LAYOUT_SHIFTS calls back with a number")
    }

    /// Panics if the page is wider than its window, so that one would have to scroll sideways.
    pub async fn assert_fits_its_width(&self, page: &str) {
        let widths =
            self.script("const e = document.documentElement; return [e.scrollWidth, e.clientWidth]", vec![]).await;
        assert!(widths[0].as_f64() <= widths[1].as_f64(), "{page} is {} wide in a window of {}", widths[0], widths[1]);
    }
}

const RUN_AXE: &str = r"
const done = arguments[arguments.length - 1];
// What is half faded in has no colours yet. Some animations never end.
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

/// Shifts are reported with the frame after them, so two frames are waited for.
const SUM_LAYOUT_SHIFTS: &str = r"
const done = arguments[arguments.length - 1];
let sum = 0;
const count = list => list.getEntries().forEach(entry => { if (!entry.hadRecentInput) sum += entry.value; });
const observer = new PerformanceObserver(count);
observer.observe({type: 'layout-shift', buffered: true});
requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
    count({getEntries: () => observer.takeRecords()});
    done(sum);
})));
";

/// For assertions about what a script has returned.
impl Browser {
    /// An element's attribute, for instance `data-theme` of `html`.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1])";
        let value: Value = self.script(script, vec![selector.into(), name.into()]).await;
        value.as_str().map(ToOwned::to_owned)
    }
}
