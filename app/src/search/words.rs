//! All texts of the search page, in English. index.html repeats those that stand there before the wasm is loaded.

use api::LogSeq;

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
pub const SHARED_RESULTS: &str = "A shared search:";
pub const NO_LETTERS_FOUND: &str = "No letters found";
pub const COPY: &str = "Copy as Python";
pub const COPY_LINK: &str = "Copy link";
pub const NO_LINK: &str = "Too long for a link";
pub const NOT_ASKED: &str = "You opened a shared search. Nothing was logged.";
pub const LOG_THIS_SEARCH: &str = "Log this search";

pub const EARLIER_WAIT: &str = "without an answer. We'll keep resending while this tab is open.";
pub const EARLIER_GIVEN_UP: &str = "will not be sent any more, and may be missing in the log.";

pub const YOUR_RECEIPT: &str = "Your receipt";
pub const RECEIPT: &str = "Receipt";
pub const COPY_RECEIPT: &str = "Copy id";
pub const RECORD: &str = "Record";
pub const YOU_WAITED: &str = "You waited";
pub const THE_SERVER_TOOK: &str = "The server took";
pub const THE_LOG_TOOK: &str = "The log took";
pub const THE_LOG_SO_FAR: &str = "The log so far";
/// Where the number of the row will stand.
pub const ITS_ROW: &str = "Its row in the log";
pub const SENDING: &str = "Sending…";
pub const STILL_SENDING: &str = "Still sending: the server has not answered yet. Your result is correct.";
pub const UNREACHED: &str = "We can't reach the server.";
pub const NO_GOOD_ANSWER: &str = "The server has not accepted it yet.";
pub const WE_KEEP_RESENDING: &str = "Your result is correct; we'll keep resending.";
pub const NOT_RECORDED: &str = "The result is right, but this search was not recorded: the server could not store it \
                                anywhere. Its operator has been told.";
pub const NOT_WRITTEN_YET: &str =
    "This search's record was not written. An administrator sees why, and can have it written again.";
pub const NO_RECORD: &str =
    "The server has no record of this search any more: it was deleted, or belongs to an earlier database.";
pub const UNKNOWN_HERE: &str = "This server does not know the receipt yet: the record may still be waiting in another \
                                server's spool, or was deleted. We keep asking.";
pub const IN_THE_SPOOL: &str = "The log's database is not answering. The record of this search is safe on the \
                                server's disk, and is written as soon as the database is back.";
pub const OUT_OF_THE_SPOOL: &str = "The log's database was not answering. The record of this search was kept on the \
                                    server's disk meanwhile; the database has it now.";

/// How long the visitor waited, if it was noticeably longer than the server took.
pub fn way(waited: &str) -> String {
    format!("You waited {waited}, because the line was slow or the server could not be reached.")
}

pub const NOT_ACCEPTED_YET: &str = "Not accepted yet";
pub const SAFE_ON_DISK: &str = "Accepted, safe on disk";
pub const WAITS_FOR_A_WORKER: &str = "Waits for a worker";
pub const WAITS_FOR_THE_DATABASE: &str = "Safe on the server's disk, waiting for the database";
pub const WAITED: &str = "Waited for a worker";
pub const PAUSED: &str = "Writing is paused";
pub const WRITING: &str = "Writing";
pub const WRITTEN: &str = "Written by a worker";
pub const WRITTEN_TO_THE_LOG: &str = "Written to the log";
pub const NOT_WRITTEN: &str = "Not written";

pub const LEDGER: &str = "Every search, accounted for";
pub const ACCEPTED: &str = "accepted";
pub const IN_THE_LOG: &str = "in the log";
pub const BEING_WRITTEN: &str = "being written";
pub const HELD: &str = "stopped";
pub const HELD_WHY: &str = "Dead or cancelled. An administrator can have them written again.";
pub const LOST: &str = "lost";
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

pub fn so_far(seconds: i64) -> String {
    match seconds {
        ..1 => "< 1 s".to_owned(),
        1..60 => format!("{seconds} s"),
        _ => format::duration(seconds * 1_000),
    }
}

/// When a search without an answer is sent again: in so many seconds.
pub fn next_try(seconds: u32) -> String {
    match seconds {
        ..1 => "retrying now".to_owned(),
        _ => format!("retrying in {seconds} s"),
    }
}

/// Since when the figures are old.
pub fn as_of(time: &str) -> String {
    format!("as of {time}")
}

pub fn ahead(jobs: u64) -> String {
    match jobs {
        0 => "Next in line".to_owned(),
        _ => format!("{} ahead of you", format::number(jobs)),
    }
}

pub fn waited_behind(jobs: u64) -> String {
    let others = if jobs == 1 { "other" } else { "others" };
    format!("Waited behind {} {others}", format::number(jobs))
}

pub fn attempt_failed(attempt: u32) -> String {
    format!("Attempt {attempt} failed, will retry")
}

pub fn writing_again(attempt: u32) -> String {
    format!("Writing (attempt {attempt})")
}

pub fn in_the_log(row: LogSeq) -> String {
    format!("In the log: row {}", format::row_number(row))
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
