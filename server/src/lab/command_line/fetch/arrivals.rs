//! Shows what arrives: plain words where a program reads, and a bar on a terminal. Neither has escape sequences.

use std::io::{IsTerminal, Stderr, Stdout, Write, stderr, stdout};

use api::{ItemState, LabFact, LabTrace, LabWork};

/// How wide the bar is, and the line that it stands on: the narrowest terminal is 80 wide.
const BAR: usize = 30;
const LINE: usize = 79;

pub(super) struct Arrivals<O: Write = Stdout, E: Write = Stderr> {
    out: O,
    err: E,
    work: LabWork,
    total: usize,
    shows: Shows,
    /// How many characters stand on the bar's line.
    drawn: usize,
    words: Vec<String>,
}

/// What is shown, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shows {
    words: Words,
    has_bar: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    /// Each on `out` as it arrives.
    AtOnce,
    /// On the bar's line as they arrive, because that is on the same terminal, and on `out` at the end.
    BesideBar,
    Nowhere,
}

impl Arrivals {
    pub(super) fn on_standard_streams(work: LabWork, total: u32, is_json: bool) -> Self {
        let (is_out_terminal, has_bar) = (stdout().is_terminal(), stderr().is_terminal());
        let words = match (is_json, is_out_terminal && has_bar) {
            (true, _) => Words::Nowhere,
            (false, true) => Words::BesideBar,
            (false, false) => Words::AtOnce,
        };
        Self::on(stdout(), stderr(), work, total, Shows { words, has_bar })
    }
}

impl<O: Write, E: Write> Arrivals<O, E> {
    fn on(out: O, err: E, work: LabWork, total: u32, shows: Shows) -> Self {
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        Self { out, err, work, total, shows, drawn: 0, words: Vec::new() }
    }

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
        if self.shows.has_bar {
            let ended = [ItemState::Done, ItemState::Failed, ItemState::Cancelled].map(|state| trace.count(state));
            self.draw(ended.iter().sum());
        }
    }

    /// Leaves the words on a line of their own.
    pub(super) fn end(&mut self) {
        if self.drawn > 0 {
            self.line("");
            self.say_err("\r");
        }
        match self.shows.words {
            _ if self.words.is_empty() => {}
            Words::AtOnce => self.say("\n"),
            Words::BesideBar => self.say(&format!("{}\n", self.words.join(" "))),
            Words::Nowhere => {}
        }
    }

    fn arrived(&mut self, word: String) {
        if self.shows.words == Words::AtOnce {
            let space = if self.words.is_empty() { "" } else { " " };
            self.say(&format!("{space}{word}"));
        }
        self.words.push(word);
    }

    fn draw(&mut self, ended: usize) {
        let full = BAR * ended.min(self.total) / self.total.max(1);
        let mut line = format!("[{}{}] {ended}/{}", "#".repeat(full), ".".repeat(BAR - full), self.total);
        if self.shows.words == Words::BesideBar {
            // The latest that fit.
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

    /// In place of what stands on the bar's line.
    fn line(&mut self, line: &str) {
        let width = self.drawn.max(line.len());
        self.say_err(&format!("\r{line:width$}"));
        self.drawn = line.len();
    }

    // A reader that has gone stops nothing.
    fn say(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn say_err(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

#[cfg(test)]
mod tests {
    use api::LabEvent;

    use super::*;

    /// What stands on `out` and on `err` when one flag has arrived and another is missing.
    fn shown(words: Words, has_bar: bool) -> (String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut arrivals = Arrivals::on(&mut out, &mut err, LabWork::Flags, 2, Shows { words, has_bar });
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
    fn a_program_reads_plain_words() {
        assert_eq!(shown(Words::AtOnce, false), ("BR\n".to_owned(), String::new()));
        assert_eq!(shown(Words::Nowhere, false), (String::new(), String::new()));
    }

    #[test]
    fn on_a_terminal_one_line_moves_and_is_gone_in_the_end() {
        let half = format!("\r[{}{}] 1/2", "#".repeat(15), ".".repeat(15));
        let full = format!("\r[{}] 2/2", "#".repeat(30));
        let blank = " ".repeat(36);
        let (out, err) = shown(Words::AtOnce, true);
        assert_eq!((out.as_str(), err), ("BR\n", format!("{half}{full}\r{blank}\r")));
        let (out, err) = shown(Words::BesideBar, true);
        assert_eq!((out.as_str(), err), ("BR\n", format!("{half} BR{full} BR\r{blank}   \r")));
    }
}
