//! Matching, displaying and rejecting filters.

use proptest::prelude::*;

use super::log::LogTest;
use super::terms::{Sense, Term, Terms};
use super::*;
use crate::{JobId, LogRow, LogSeq, Receipt, SearchId, TimeMs, TimeZone, Utc, search4letters, set_text};

const NOW: TimeMs = TimeMs(1_000_000_000_000);

fn filter(text: &str) -> LogFilter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn row() -> LogRow {
    let (phrase, letters) = ("Hello World, \"quoted\" \\ 100%", "aeiou");
    LogRow {
        seq: LogSeq(48_211),
        search_id: SearchId(42),
        job_id: JobId(7),
        phrase: phrase.to_owned(),
        letters: letters.to_owned(),
        results: set_text(&search4letters(phrase, letters)),
        ip: "10.1.2.3".to_owned(),
        browser_family: "Firefox".to_owned(),
        user_agent: "Mozilla/5.0 (compatible; +http://bot.example/:x)".to_owned(),
        searched_at: TimeMs(NOW.0 - 3_700_000),
        recorded_at: TimeMs(NOW.0 - 3_600_000),
    }
}

#[test]
fn filters_match_rows() {
    for text in [
        "",
        "  ",
        "hello",
        "WORLD",
        "hello world,",
        "\"hello world\"",
        "\"\\\"quoted\\\" \\\\ 1\"",
        "\\",
        "100%",
        "mozilla/5.0",
        "\"+http://bot\"",
        "http://bot.example",
        "bot.example/:x",
        "aeiou",
        "firefox",
        "10.1.",
        "phrase:~hello",
        "phrase:\"hello world, \\\"quoted\\\" \\\\ 100%\"",
        "PHRASE:~\"o w\"",
        "letters:aeiou",
        "letters:~EI",
        "results:oeu",
        "results:~o",
        "ip:10.0.0.0/8",
        "ip:10.1.2.3",
        "ip:~10.1",
        "browser:firefox",
        "browser:~fox",
        "agent:~mozilla",
        "row:48211",
        "row:#48,211",
        "since:62m",
        "before:1h",
        "since:2001-09-09T00:45:00Z",
        "before:2001-09-09 00:45:00.001",
        "searched:2001-09-09",
        "searched:2001-09-09 00:45",
        "searched:\"2001-09-09 00:45:00\"",
        "searched:62m",
        "searched:2001-09-01..2001-09-09",
        "searched:2001-09-09 00:44..2001-09-09 00:45",
        "searched:..<2001-09-10",
        "searched:2001-09-09  00:45:00",
        "searched:2001-09-09 01:45 +01:00",
        "searched:2001-09-09 02:45:00+02:00",
        "searched:2001-09-09 00:44 .. 2001-09-09 00:45",
        "searched:2001-09-09.. 2001-09-10 world",
        "since:2h 100",
        "recorded:1h",
        "recorded:61m..59m",
        "recorded:2001-09-09 00:46:40",
        "recorded:2001-09-09T00:46:40Z..",
        "search:0000000000000000000000001A",
        "-row:1",
        "-since:61m",
        "-before:62m",
        "-recorded:2h..61m",
        "-nowhere",
        "-phrase:~nowhere",
        "-ip:10.2.0.0/16",
        "-browser:\"\"",
        "hello -chrome since:2h browser:firefox",
    ] {
        assert!(filter(text).matches(&row(), NOW), "{text}");
    }
    for text in [
        "nowhere",
        "hello nowhere",
        "\"world hello\"",
        "_orld",
        "phrase:hello",
        "letters:aeio",
        "results:eo",
        "results:~a",
        "results:\"\"",
        "ip:11.0.0.0/8",
        "ip:10.1.2.30",
        "browser:fire",
        "agent:mozilla",
        "row:48210",
        "since:61m",
        "before:62m",
        "searched:2001-09-09 00:46",
        "searched:..<2001-09-09 00:45",
        "recorded:59m",
        "recorded:2001-09-09 00:46:39",
        "receipt:0123456789abcdef0123456789abcdef",
        "search:0000000000000000000000001B",
        "-hello",
        "-browser:firefox",
        "-\"hello world\"",
        "48211",
        "0000000000000000000000001A",
        "hello -world",
    ] {
        assert!(!filter(text).matches(&row(), NOW), "{text}");
    }
}

#[test]
fn an_error_points_at_the_characters() {
    for (text, at, says) in [
        ("foo:bar", 0..3, "no field “foo”"),
        ("ä -brower:firefox", 3..9, "no field “brower”"),
        ("hello phrase:", 13..13, "value is missing"),
        ("phrase:~ x", 8..8, "value is missing"),
        ("ä \"open", 2..3, "no end"),
        ("phrase:\"a\"b", 9..10, "comes a space"),
        ("ip:10.0.0", 3..9, "no address"),
        ("-ip:10.0.0.0/33", 4..15, "from 0 to 32"),
        ("row:x", 4..5, "row's number"),
        ("row:~1", 4..5, "takes no ~"),
        ("since:yesterday", 6..15, "how long ago"),
        ("recorded:..", 9..11, "with .. in between"),
        ("recorded:2d..x", 9..14, "with .. in between"),
        ("receipt:x", 8..9, "a receipt"),
        ("brower:firefox", 0..6, "Did you mean “browser:”?"),
        ("recoded:1h", 0..7, "Did you mean “recorded:”?"),
        ("state:dead", 0..5, "is a field of the jobs, not of the log"),
        ("foo:dead", 0..3, "There are phrase, letters"),
        ("took:>200ms", 0..4, "“took:” is a field of the jobs"),
        ("(a OR b)", 0..1, "Parentheses"),
        ("a OR b", 2..4, "no “or”"),
        ("a AND b", 2..5, "leave this out"),
        ("NOT a", 0..3, "minus"),
        ("a || b", 2..3, "no “or”"),
        ("phrase:a|b", 8..9, "no “or”"),
        ("a && b", 2..4, "leave this out"),
        ("a&&b", 1..2, "space in between"),
        ("hel*", 3..4, "wildcards"),
        ("browser:fire*", 12..13, "wildcards"),
        ("h?llo", 1..2, "wildcards"),
        ("/hel+o/", 0..7, "regular expressions"),
        ("'a b'", 0..1, "double quotes"),
        ("“a b”", 0..1, "straight quotes"),
        ("a\"b", 1..2, "A quote stands"),
        ("5\"", 1..2, "A quote stands"),
        ("\"\"", 0..2, "nothing to look for"),
        ("phrase:~\"\"", 8..10, "nothing to look for"),
        ("phrase=hello", 6..7, "a colon: phrase:"),
        ("phrase:>5", 7..8, "Nothing can be compared"),
        ("a - b", 2..3, "minus"),
        ("--a", 0..1, "minus"),
        ("before:2026-02-30", 7..17, "a time"),
        ("since:2026-11-30 8:05", 6..21, "2026-11-22 08:05"),
        ("ä since:2026-11-30  08:05 PM b", 8..28, "a time"),
        ("since:2026-11-30 8pm", 6..20, "a time"),
        ("since:2026-11-30T08:05 UTC", 6..26, "a time"),
        ("since:1h 30m", 6..12, "how long ago"),
        ("since:1h ago", 6..12, "how long ago"),
        ("since:2026-11-30 2026-12-01", 6..27, "a time"),
        ("since:\"2026-11-30\" 08:05", 19..24, "inside the quotes"),
        ("searched:2026-11-22..2026-11-21", 9..31, "ends before it begins"),
        ("x recorded:1d..2d", 11..17, "ends before it begins"),
        ("searched:2026-11-22..<2026-11-22", 9..32, "ends before it begins"),
        ("!a", 0..1, "minus"),
        ("phrase:!a", 7..8, "minus"),
        ("phrase:-a", 7..8, "in front of the field"),
        ("phrase!=a", 6..7, "a colon: phrase:"),
        ("phrase = a", 7..8, "A colon stands directly behind"),
        ("phrase :a", 7..8, "A colon stands directly behind"),
        ("phrase : a", 7..8, "A colon stands directly behind"),
        ("phrase::a", 7..8, "A colon stands directly behind"),
        ("[1 TO 5]", 0..1, "Brackets"),
        ("1 TO 5", 2..4, "ranges"),
        ("row:[1", 4..5, "Brackets"),
        ("{a}", 0..1, "Brackets"),
        ("+a", 0..1, "plus"),
        ("a + b", 2..3, "leave this out"),
        ("~a", 0..1, "~ behind that"),
        ("phrase:~~a", 8..9, "~ behind that"),
        ("a~2", 1..3, "as they are written"),
        ("phrase:a~0.8", 8..12, "as they are written"),
        ("a^2", 1..2, "no weights"),
        ("a\\ b", 1..2, "double quotes"),
        ("row:1,2", 4..7, "row's number"),
        ("row:1,", 4..6, "row's number"),
        ("row:1000,000", 4..12, "row's number"),
        ("results:a,e", 9..10, "side by side"),
        ("browser:firefox,chrome", 15..16, "no “or”"),
        ("search:x", 7..8, "search's id"),
    ] {
        let error = text.parse::<LogFilter>().expect_err(text);
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.message.contains(says), "{text}: {error}");
    }
    let many = "x ".repeat(40);
    assert_eq!(many.parse::<LogFilter>().expect_err("too many").at, 64..65);
    let error = "foo:bar".parse::<LogFilter>().expect_err("no field");
    assert!(error.to_string().ends_with("(at character 1)"), "{error}");
    let at_limit = "日".repeat(4_000);
    assert!(at_limit.parse::<LogFilter>().is_ok());
    assert_eq!(format!("{at_limit}日").parse::<LogFilter>().expect_err("too long").at, 4_000..4_001);
    let typed = format!("searched:2026-11-20..2026-11-21 {at_limit}");
    let stored = with_absolute_times(&typed, FilterList::Log, &Utc);
    assert!(stored.chars().count() > typed.chars().count());
    let filter = stored.parse::<LogFilter>().expect("what is typed counts");
    assert_eq!(filter.to_string().parse::<LogFilter>().expect("what is sent is read"), filter);
    let escaped = format!("\"{}\"", r"\\".repeat(4_000)).parse::<LogFilter>().expect("escapes do not count");
    assert!(escaped.to_string().parse::<LogFilter>().is_ok());
    let long = format!("{}:x", "a".repeat(3_000)).parse::<LogFilter>().expect_err("no field");
    assert!(long.message.chars().count() < 300, "{long}");
}

#[test]
fn a_word_without_a_key_is_free_text() {
    for word in [
        "50%",
        "it's",
        "a\\b",
        "\\",
        "5'",
        "::1",
        "fe::1",
        "12:30",
        "http://x",
        "http://x/~y",
        "how?",
        "naïve",
        "a-b",
        "or",
        "Not",
        "to",
        "AT&T",
        "C++",
        "a,b!",
        "a=b",
        "<b>",
        "a~b",
        "#1",
    ] {
        assert_eq!(filter(word), LogFilter::anywhere(word), "{word}");
    }
}

#[test]
fn bounds_come_from_indexed_fields() {
    let none = LogBounds::NONE;
    for text in ["hello", "phrase:~x ip:10.0.0.0/8", "-row:7", "-search:0000000000000000000000001A"] {
        assert_eq!(filter(text).bounds(NOW), none, "{text}");
    }
    let ago = |ms: i64| Some(TimeMs(NOW.0 - ms));
    assert_eq!(filter("row:7 x").bounds(NOW), LogBounds { first: LogSeq(7), last: LogSeq(7), ..none });
    assert!(filter("row:7 row:8").bounds(NOW).is_empty());
    assert_eq!(filter("since:1h since:1m").bounds(NOW), LogBounds { since: ago(60_000), ..none });
    assert_eq!(filter("recorded:..1h recorded:..1m").bounds(NOW), LogBounds { before: ago(3_600_000), ..none });
    assert_eq!(filter("-recorded:1m.. -recorded:..1h").bounds(NOW), filter("recorded:1h..1m").bounds(NOW));
    assert!(filter("since:1m recorded:..1h").bounds(NOW).is_empty());
    // A search from before may be recorded at any time later.
    assert_eq!(filter("before:1h").bounds(NOW), none);
    assert_eq!(filter("search:0000000000000000000000001A").bounds(NOW).search, Some(SearchId(42)));
}

/// An hour ahead of UTC.
struct Ahead;

impl TimeZone for Ahead {
    fn offset_ms(&self, _: TimeMs) -> i64 {
        3_600_000
    }
}

#[test]
fn a_time_as_the_list_shows_it_finds_its_row() {
    for text in ["searched:2001-09-09 01:45:00", "since:2001-09-09 01:45:00 before:\"2001-09-09 01:45:01\""] {
        let local = LogFilter::parse(text, &Ahead).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(local.matches(&row(), NOW) && !filter(text).matches(&row(), NOW), "{text}");
        // The address means the same to people in other zones.
        assert_eq!(filter(&with_absolute_times(text, FilterList::Log, &Ahead)), local, "{text}");
        assert_eq!(filter(&local.to_string()), local, "{text}");
    }
}

#[test]
fn only_local_times_are_rewritten() {
    for (text, absolute) in [
        ("ä  -since:2001-09-09  x", "ä  -since:2001-09-08T23:00:00Z  x"),
        ("recorded:\"2001-09-09 01:45\"", "recorded:2001-09-09T00:45:00Z..<2001-09-09T00:46:00Z"),
        ("since:1h before:2001-09-09T01:45Z row:7", "since:1h before:2001-09-09T01:45Z row:7"),
        ("since:2001-09-09 (", "since:2001-09-09 ("),
        ("since:soon", "since:soon"),
        ("", ""),
    ] {
        assert_eq!(with_absolute_times(text, FilterList::Log, &Ahead), absolute, "{text}");
    }
}

#[test]
fn a_receipt_matches_the_row_of_its_search() {
    let text = "receipt:0123456789ABCDEF0123456789abcdef";
    let search_of =
        |Receipt(receipt): &Receipt| (receipt == "0123456789abcdef0123456789abcdef").then_some(SearchId(42));
    assert!(filter(text).with_searches(search_of).matches(&row(), NOW));
    assert!(filter("receipt:0000000000000000000000001A").matches(&row(), NOW), "the search's own id will do");
    assert_eq!(filter(&format!("x {text} y")).asked_search().as_deref(), Some("0123456789abcdef0123456789abcdef"));
    assert_eq!(filter("x -search:0000000000000000000000001A").asked_search(), None);
}

#[test]
fn a_position_is_a_row_or_a_time() {
    let position = |text: &str| text.parse::<LogPosition>();
    for text in ["48211", " #48,211 "] {
        assert_eq!(position(text), Ok(LogPosition::Row(LogSeq(48_211))), "{text}");
    }
    assert_eq!(position("2026-11-22").map(|position| position.to_string()), Ok("2026-11-22T00:00:00Z".to_owned()));
    assert_eq!(position("1h").map(|position| position.to_string()), Ok("1h".to_owned()));
    for text in ["", "#", "x", "-1", "99999999999999999999"] {
        assert!(position(text).is_err(), "{text}");
    }
}

/// Texts that look like filters.
fn any_filter_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "-?(phrase|letters|results|ip|browser|agent|since|before|searched|recorded|row|search|receipt|foo):~?",
        "\"[a-z \"\\\\:~-]{0,6}\"?",
        "[ \u{3000}]",
        "( 8:05| \\+01:00| PM| \\.\\. ?|,|!|\\+|\\^2|~2|\\[|\\{|&&?| TO )",
        "(10\\.0\\.0\\.0/8|::1/64|2d|2001-09-09|2001-09-09 00:45|\\.\\.|<|48211|01ARZ3NDEKTSV4RRFFQ69G5FAV)",
        "[-~:\"\\\\a-z0-9é🦀]{0,4}",
    ];
    prop_oneof![4 => proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat()), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error_within_it(text in any_filter_text()) {
        match text.parse::<LogFilter>() {
            Ok(filter) => {
                prop_assert_eq!(filter.to_string().parse::<LogFilter>(), Ok(filter));
            }
            Err(error) => prop_assert!(error.at.start <= error.at.end && error.at.end <= text.chars().count(), "{error:?}"),
        }
    }

    #[test]
    fn any_free_text_is_displayed_and_read_back(text in prop_oneof![any::<String>(), "[()|*?&'/“”„=<>A-Z~.:,^!+{}\\[\\]\\\\-]{1,9}"]) {
        let filter = LogFilter::anywhere(text);
        prop_assert_eq!(filter.to_string().parse::<LogFilter>(), Ok(filter));
    }

    #[test]
    fn a_negated_term_matches_the_other_rows(text in any_filter_text()) {
        if let Ok(LogFilter(Terms(terms))) = text.parse::<LogFilter>() {
            for Term { sense, test } in terms {
                let other = if sense == Sense::Is { Sense::IsNot } else { Sense::Is };
                let one = LogFilter(Terms(vec![Term { sense, test: LogTest::clone(&test) }]));
                let other = LogFilter(Terms(vec![Term { sense: other, test }]));
                prop_assert_ne!(one.matches(&row(), NOW), other.matches(&row(), NOW));
            }
        }
    }

    #[test]
    fn no_row_outside_of_the_bounds_matches(text in any_filter_text()) {
        if let Ok(filter) = text.parse::<LogFilter>() {
            let (row, bounds) = (row(), filter.bounds(NOW));
            let is_inside = (bounds.first..=bounds.last).contains(&row.seq)
                && bounds.since.is_none_or(|since| row.recorded_at >= since)
                && bounds.before.is_none_or(|before| row.recorded_at < before)
                && bounds.search.is_none_or(|id| row.search_id == id);
            prop_assert!(is_inside || !filter.matches(&row, NOW));
        }
    }
}
