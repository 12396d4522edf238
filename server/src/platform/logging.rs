//! The operator's log: one line on stderr per event.
//!
//! An event stays one line of bounded length whatever its fields hold, without characters that control a terminal.
//! Fields are escaped here and not at each call, because a call could forget it, and libraries log too. After
//! formatting it would be too late: the formatter's own colours look like those in a field.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::panic::PanicHookInfo;
use std::thread;

use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{self, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::output;

/// The most characters written of a value: more than any of ours has, far less than a request can hold.
const VALUE_LIMIT: usize = 4_000;

/// The targets of our own packages.
const OURS: [&str; 9] =
    ["server", "search4letters", "queue", "spool", "store", "store_sqlite", "store_postgres", "lab", "api"];
/// The targets of the libraries that log.
const LIBRARIES: [&str; 10] =
    ["axum", "h2", "hyper", "hyper_util", "log", "sqlx", "tokio_tungstenite", "tower", "tungstenite", "ureq"];

/// Writes events and panics to stderr. `RUST_LOG` chooses how much, for instance `RUST_LOG=debug`.
pub fn log_to_stderr() {
    let usual = Targets::new().with_default(LevelFilter::WARN).with_target("server", LevelFilter::INFO);
    let usual = usual.with_target("queue", LevelFilter::INFO).with_target("store_sqlite", LevelFilter::INFO);
    let usual = usual.with_target("store_postgres", LevelFilter::INFO);
    let wanted = std::env::var_os("RUST_LOG").filter(|text| !text.is_empty());
    let wanted = wanted.map(|text| text.to_string_lossy().into_owned());
    let unknown = wanted.as_deref().map(unknown_targets).unwrap_or_default();
    let wanted = wanted.as_deref().map(targets);
    let refused = matches!(wanted, Some(None));
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(format::debug_fn(write_field).delimited(" "))
        .with_writer(output::stderr)
        .with_ansi(output::has_colours());
    tracing_subscriber::registry().with(lines).with(wanted.flatten().unwrap_or(usual)).init();
    std::panic::set_hook(Box::new(write_panic));
    if refused {
        tracing::warn!(
            "RUST_LOG is not heeded: write a level (error, warn, info, debug, trace, off), or levels of targets, for \
             instance RUST_LOG=warn,server=debug"
        );
        return;
    }
    for target in unknown {
        tracing::warn!(target = ?target, "RUST_LOG names a target that does not exist here; ours are {}", OURS.join(", "));
    }
}

/// The targets in `text` that nothing logs with. A directive holds for all targets that begin with its own.
fn unknown_targets(text: &str) -> Vec<String> {
    let named = text.split(',').filter_map(|directive| directive.split_once('=')).map(|(target, _)| target.trim());
    let is_known = |target: &str| {
        let root = target.split("::").next().unwrap_or_default();
        let mut known = OURS.iter().chain(&LIBRARIES);
        known.any(|known| *known == root || root == target && known.starts_with(target))
    };
    named.filter(|target| !is_known(target)).map(ToOwned::to_owned).collect()
}

/// The targets and levels in `text`. `None` if it would silence everything because of a wrong word: to the parser, a word
/// without a level is the name of a target.
fn targets(text: &str) -> Option<Targets> {
    let directives = || text.split(',').map(str::trim).filter(|directive| !directive.is_empty());
    let is_sound = |directive: &str| directive.contains('=') || directive.parse::<LevelFilter>().is_ok();
    let is_ours = |directive: &str| OURS.iter().any(|name| directive.starts_with(name));
    let says_something = directives().any(|directive| !directive.contains('=') || is_ours(directive));
    if says_something && directives().all(is_sound) {
        directives().collect::<Vec<_>>().join(",").parse().ok()
    } else {
        None
    }
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = inert(&format!("{value:?}"));
    match field.name() {
        "message" => write!(writer, "{value}"),
        name => write!(writer, "{name}={value}"),
    }
}

/// Writes the standard library's panic message, escaped, because it may quote input verbatim.
fn write_panic(panic: &PanicHookInfo<'_>) {
    let name = thread::current().name().unwrap_or("<unnamed>").to_owned();
    let mut text = indented(&format!("thread '{name}' {panic}"));
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        text += &format!("stack backtrace:\n{backtrace}");
    }
    output::stderr().push(text.as_bytes());
}

/// The lines of `text`, indented after the first, so that none looks like a log line.
fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(inert).collect();
    lines.join("\n    ") + "\n"
}

/// `text` with every character escaped that controls a terminal.
fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        if index == VALUE_LIMIT {
            shown.push('…');
            break;
        }
        if api::is_inert(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_control_a_terminal_are_escaped() {
        assert_eq!(inert("a\n\r\t\u{1b}[2J\u{9b}\u{202e}é"), "a\\n\\r\\t\\u{1b}[2J\\u{9b}\\u{202e}é");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(inert(&"é".repeat(VALUE_LIMIT)), "é".repeat(VALUE_LIMIT));
        assert_eq!(inert(&"é".repeat(VALUE_LIMIT + 1)), "é".repeat(VALUE_LIMIT) + "…");
    }

    #[test]
    fn a_wrong_word_does_not_silence_everything() {
        for text in
            ["info", "WARN", "off", " warn , server=debug ", "server::search=trace", "server=debug,hyper=info", "0"]
        {
            assert!(targets(text).is_some(), "{text}");
        }
        for text in
            ["verbose", "debgu", "info,server", "server=loud", "sever=debug", "hyper=debug", ",", "a=b=c", "server[x]"]
        {
            assert!(targets(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_target_that_nothing_logs_with_is_found() {
        for text in
            ["info", "server=debug", "info, store=trace,sqlx::query=debug", "server::search=trace", "hyper=info"]
        {
            assert_eq!(unknown_targets(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(unknown_targets("info,sever=debug"), ["sever"]);
        assert_eq!(unknown_targets("warn, serverx=debug ,store_sqlite=info,sever::x=info"), ["serverx", "sever::x"]);
    }

    #[test]
    fn panic_lines_do_not_look_like_log_lines() {
        let text = "thread 'main' panicked at src/a.rs:1:1:\nassertion failed\n  left: \u{1b}[2J\n2026 INFO forged\r\n";
        assert_eq!(
            indented(text),
            "thread 'main' panicked at src/a.rs:1:1:\n    assertion failed\n      left: \\u{1b}[2J\n    2026 INFO forged\n"
        );
    }
}
