//! All texts of the search page, in English. index.html repeats those that stand there before the wasm is loaded.

use crate::ui::format;

pub const WELCOME: &str = "Welcome to search4letters on the web!";
pub const PROMISE: [&str; 2] = ["Answer now. Write later. ", "Prove it was written."];
pub const LEAD: &str = "Which of these letters are in your phrase? You know at once. Your search is logged afterwards, \
                        even if the server crashes in between. The receipt proves it.";

pub const PHRASE: &str = "Phrase";
pub const LETTERS: &str = "Letters";
pub const DO_IT: &str = "Do it!";
pub const PREVIEW: &str = "Preview";
pub const TILES: &str = "Letters, and how often the phrase has them";
pub const START_TYPING: &str = "Start typing. We mark the letters as you go.";
pub const TRY: &str = "Try";

pub const RESULTS: &str = "Here are your results:";
pub const NO_LETTERS_FOUND: &str = "No letters found";
pub const COPY: &str = "Copy";
pub const COPY_LINK: &str = "Copy link";
pub const NO_LINK: &str = "Too long for a link";
pub const NOT_ASKED: &str = "This search came with a link. It was not recorded.";
pub const SEARCH: &str = "Search";

pub const EARLIER_WAIT: &str = "without an answer. We'll keep resending while this tab is open.";
pub const EARLIER_GIVEN_UP: &str = "will not be sent any more, and may be missing in the log.";

pub const LEDGER: &str = "Every search, accounted for";
pub const ACCEPTED: &str = "Accepted";
pub const IN_THE_LOG: &str = "In the log";
pub const BEING_WRITTEN: &str = "Being written";
pub const HELD: &str = "Held for an administrator";
pub const LOST: &str = "Lost";
pub const SEE_THE_TRAP: &str = "See what happens if we kill the server";

/// How many of the letters are in the phrase.
pub fn verdict(found: usize, letters: usize) -> String {
    let number = |count: usize| format::number(count as u64);
    match (found, letters) {
        (_, 0) => "There are no letters to look for.".to_owned(),
        (0, 1) => "The letter is not in your phrase.".to_owned(),
        (0, _) => "None of the letters are in your phrase.".to_owned(),
        (1, 1) => "The letter is in your phrase.".to_owned(),
        (found, all) if found == all => format!("All {} letters are in your phrase.", number(all)),
        (found, all) => format!("{} of {} letters are in your phrase.", number(found), number(all)),
    }
}

pub fn phrase_too_long(length: usize, limit: usize) -> String {
    format!("The phrase has {}; the limit is {}.", characters(length), format::number(limit as u64))
}

pub fn letters_too_long(length: usize, limit: usize) -> String {
    format!("The letters are {}; the limit is {}.", characters(length), format::number(limit as u64))
}

fn characters(length: usize) -> String {
    format::counted(length, "character")
}

pub fn earlier_searches(count: usize) -> String {
    match count {
        1 => "1 earlier search".to_owned(),
        _ => format!("{} earlier searches", format::number(count as u64)),
    }
}
