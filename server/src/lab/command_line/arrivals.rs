//! Shows results as they arrive: plain words for programs, and a bar on a terminal. Neither has escape sequences.

use std::io::Write;

use api::{ItemState, LabFact, LabTrace, LabWork};

use crate::platform::output::{LineQueue, Stdout, is_stderr_terminal, stderr};

/// Widths of the bar and of its line, which fits terminals of 80 columns.
const BAR: usize = 30;
const LINE: usize = 79;

pub(super) struct Arrivals<O: Write = Stdout, E: Write = LineQueue> {
    out: O,
    err: E,
    work: LabWork,
    total: usize,
    shown: Words,
    has_bar: bool,
    /// Current width of the bar's line.
    drawn: usize,
    words: Vec<String>,
}

/// Where the words that arrive are printed: a flag's code, or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Hidden,
    /// On `out`, as they arrive.
    Shown,
    /// `out` is the bar's terminal: words appear beside the bar as they arrive, and on `out` at the end.
    InBar,
}

impl Arrivals {
    pub(super) fn on_standard_streams(work: LabWork, total: u32, words: Words) -> Self {
        let has_bar = is_stderr_terminal();
        let is_same = words == Words::Shown && has_bar && Stdout::is_terminal();
        let (total, shown) = (usize::try_from(total).unwrap_or(usize::MAX), if is_same { Words::InBar } else { words });
        Self { out: Stdout, err: stderr(), work, total, shown, has_bar, drawn: 0, words: Vec::new() }
    }
}

impl<O: Write, E: Write> Arrivals<O, E> {
    pub(super) fn see(&mut self, trace: &LabTrace, fact: &LabFact) {
        match fact {
            LabFact::Done { item, text } => {
                let label =
                    usize::try_from(*item).ok().and_then(|index| trace.items.get(index)).map(|item| &item.label);
                let word = match self.work {
                    LabWork::Flags => label.unwrap_or(text),
                    LabWork::Second => text,
                };
                self.arrived(word.clone());
            }
            LabFact::Failed { .. } | LabFact::Cancelled { .. } => {}
            _ => return,
        }
        if self.has_bar {
            let ended = [ItemState::Done, ItemState::Failed, ItemState::Cancelled].map(|state| trace.count(state));
            self.draw(ended.iter().sum());
        }
    }

    /// Clears the bar, and leaves the words on a line of their own.
    pub(super) fn end(&mut self) {
        if self.drawn > 0 {
            self.line("");
            self.write_err("\r");
        }
        match self.shown {
            _ if self.words.is_empty() => {}
            Words::Hidden => {}
            Words::Shown => self.write_out("\n"),
            Words::InBar => self.write_out(&format!("{}\n", self.words.join(" "))),
        }
    }

    fn arrived(&mut self, word: String) {
        if self.shown == Words::Shown {
            let space = if self.words.is_empty() { "" } else { " " };
            self.write_out(&format!("{space}{word}"));
        }
        self.words.push(word);
    }

    fn draw(&mut self, ended: usize) {
        let full = BAR * ended.min(self.total) / self.total.max(1);
        let mut line = format!("[{}{}] {ended}/{}", "#".repeat(full), ".".repeat(BAR - full), self.total);
        if self.shown == Words::InBar {
            // The latest words that fit.
            let room = LINE.saturating_sub(line.len() + 1);
            let mut length = 0;
            let fits = |word: &&String| {
                length += word.len() + 1;
                length <= room
            };
            let count = self.words.iter().rev().take_while(fits).count();
            line = format!("{line} {}", self.words[self.words.len() - count..].join(" "));
        }
        self.line(&line);
    }

    /// Redraws the bar's line.
    fn line(&mut self, line: &str) {
        let width = self.drawn.max(line.len());
        self.write_err(&format!("\r{line:width$}"));
        self.drawn = line.len();
    }

    // A reader that has gone ends the command with its result.
    fn write_out(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn write_err(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

#[cfg(test)]
mod tests {
    use api::LabEvent;

    use super::*;

    /// The output on `out` and on `err` when one flag has arrived and another is missing.
    fn shown(words: Words, has_bar: bool) -> (String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut arrivals = Arrivals {
            out: &mut out,
            err: &mut err,
            work: LabWork::Flags,
            total: 2,
            shown: words,
            has_bar,
            drawn: 0,
            words: Vec::new(),
        };
        let mut trace = LabTrace::default();
        let error = api::ItemError { kind: api::ItemErrorKind::NotFound, detail: "404".to_owned() };
        for what in [
            LabFact::Began { labels: vec!["BR".to_owned(), "XX".to_owned()] },
            LabFact::Done { item: 0, text: "3 bytes".to_owned() },
            LabFact::Failed { item: 1, error },
        ] {
            trace.apply(LabEvent { at_us: 1, what: what.clone() });
            arrivals.see(&trace, &what);
        }
        arrivals.end();
        (String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
    }

    #[test]
    fn programs_get_plain_words() {
        assert_eq!(shown(Words::Shown, false), ("BR\n".to_owned(), String::new()));
        assert_eq!(shown(Words::Hidden, false), (String::new(), String::new()));
    }

    #[test]
    fn on_a_terminal_one_line_is_redrawn_and_cleared_in_the_end() {
        let half = format!("\r[{}{}] 1/2", "#".repeat(15), ".".repeat(15));
        let full = format!("\r[{}] 2/2", "#".repeat(30));
        let blank = " ".repeat(36);
        let (out, err) = shown(Words::Shown, true);
        assert_eq!((out.as_str(), err), ("BR\n", format!("{half}{full}\r{blank}\r")));
        let (out, err) = shown(Words::InBar, true);
        assert_eq!((out.as_str(), err), ("BR\n", format!("{half} BR{full} BR\r{blank}   \r")));
    }
}
