//! Matching, displaying and rejecting filters of jobs.

use proptest::prelude::*;

use super::terms::{Sense, Term, Terms};
use super::*;
use crate::{JobId, JobState, LogSeq, Receipt, SearchId, TimeMs};

const NOW: TimeMs = TimeMs(1_000_000_000_000);

fn filter(text: &str) -> JobFilter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A dead job of a search, whose last attempt took 2.5 seconds.
fn job() -> JobFacts<'static> {
    JobFacts {
        id: JobId(48_211),
        kind: "log_request",
        state: JobState::Dead,
        attempts: 4,
        error: Some("ConnectionError: timeout after 2 s"),
        worker: Some("web-1/7"),
        payload: "{\"unread\":1}",
        created_at: TimeMs(NOW.0 - 3_700_000),
        started_at: Some(TimeMs(NOW.0 - 10_000)),
        finished_at: Some(TimeMs(NOW.0 - 7_500)),
        search_id: Some(SearchId(42)),
        search: Some(SearchTexts {
            phrase: "Hello World",
            letters: "aeiou",
            results: "{'e', 'o'}",
            ip: "10.1.2.3",
            browser_family: "Firefox",
            user_agent: "Mozilla/5.0",
        }),
    }
}

#[test]
fn filters_match_jobs() {
    for text in [
        "",
        "hello",
        "TIMEOUT",
        "log_req",
        "web-1",
        "mozilla",
        "state:dead",
        "STATE:Dead",
        "-state:done",
        "kind:log_request",
        "kind:LOG_REQUEST",
        "kind:~log",
        "error:~timeout",
        "error:\"connectionerror: timeout after 2 s\"",
        "phrase:~hello",
        "letters:aeiou",
        "results:eo",
        "ip:10.0.0.0/8",
        "browser:firefox",
        "agent:~mozilla",
        "took:>2s",
        "took:>=2500ms",
        "took:<=2500ms",
        "took:2s..3s",
        "attempts:4",
        "attempts:>3",
        "attempts:..4",
        "worker:web-1/7",
        "worker:~web",
        "since:2h",
        "before:1h",
        "job:48211",
        "job:#48,211",
        "search:0000000000000000000000001A",
        "receipt:0000000000000000000000001A",
        "state:dead error:~timeout -phrase:~bye since:2h",
    ] {
        assert!(filter(text).matches(&job(), NOW), "{text}");
    }
    for text in [
        "nowhere",
        "unread",
        "state:done",
        "-state:dead",
        "kind:log",
        "error:timeout",
        "error:\"\"",
        "phrase:hello",
        "took:>3s",
        "took:<2s",
        "attempts:3",
        "attempts:>4",
        "worker:\"\"",
        "since:1h",
        "before:2h",
        "job:1",
        "row:1",
        "search:0000000000000000000000001B",
        "receipt:0123456789abcdef0123456789abcdef",
    ] {
        assert!(!filter(text).matches(&job(), NOW), "{text}");
    }
}

#[test]
fn a_job_without_a_search_is_found_by_its_payload() {
    let other = JobFacts { kind: "probe", search_id: None, search: None, ..job() };
    assert!(filter("unread").matches(&other, NOW));
    assert!(!filter("hello").matches(&other, NOW) && !filter("phrase:\"\"").matches(&other, NOW));
}

#[test]
fn only_an_attempt_takes_time() {
    let took = |state, text: &str| filter(text).matches(&JobFacts { state, ..job() }, NOW);
    assert!(took(JobState::Running, "took:10s..10s") && took(JobState::Done, "took:2500ms..2500ms"));
    for state in [JobState::Waiting, JobState::Scheduled, JobState::Retrying, JobState::Cancelled] {
        assert!(!took(state, "took:>=0s"), "{state:?}");
    }
    assert!(!filter("took:>=0s").matches(&JobFacts { started_at: None, ..job() }, NOW));
}

#[test]
fn an_error_points_at_the_characters_and_names_the_mend() {
    for (text, at, says) in [
        ("state:lost", 6..10, "Here belongs a state: scheduled, waiting"),
        ("state:ded", 6..9, "Did you mean “dead”?"),
        ("state:~dead", 6..7, "takes no ~"),
        ("state:dead,done", 10..11, "-state:done"),
        ("kind:a,b", 6..7, "no “or”"),
        ("state:dead OR state:done", 11..13, "Filter by one, then by the other"),
        ("(state:dead)", 0..1, "Leave them out"),
        ("stat:dead", 0..4, "Did you mean “state:”?"),
        ("recorded:1h", 0..8, "is a field of the log, not of the jobs"),
        ("took:5", 5..6, "a limit (>200ms"),
        ("took:>5", 5..7, "a limit (>200ms"),
        ("took>5s", 4..5, "a colon: took:"),
        ("attempts:x", 9..10, "a number (3)"),
        ("job:x", 4..5, "a job's number"),
        ("error:>5", 6..7, "Nothing can be compared"),
        ("since:soon", 6..10, "how long ago"),
        ("foo:bar", 0..3, "There are state, kind, error"),
    ] {
        let error = text.parse::<JobFilter>().expect_err(text);
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.message.contains(says), "{text}: {error}");
    }
    let error = "x state:ded".parse::<JobFilter>().expect_err("no state");
    assert_eq!(error.corrected("x state:ded").as_deref(), Some("x state:dead"));
}

#[test]
fn bounds_come_from_indexed_fields() {
    let bounds = |text: &str| filter(text).bounds(NOW);
    for text in ["hello", "kind:~log", "-state:dead", "-kind:probe", "error:~x", "before:1h", "-since:1h", "-row:1"] {
        assert_eq!(bounds(text), JobBounds::default(), "{text}");
    }
    let all = bounds("state:dead kind:probe job:7 search:0000000000000000000000001A since:1h");
    assert_eq!((all.state, all.kind.as_deref()), (Some(JobState::Dead), Some("probe")));
    assert_eq!((all.job, all.search), (Some(JobId(7)), Some(SearchId(42))));
    assert_eq!((all.since, all.is_empty), (Some(TimeMs(NOW.0 - 3_600_000)), false));
    assert_eq!(bounds("-before:1h"), bounds("since:1h"));
    assert!(bounds("row:7").is_empty && bounds("receipt:0123456789abcdef0123456789abcdef").is_empty);
}

#[test]
fn rows_and_receipts_are_those_of_their_searches() {
    let row = filter("row:7 -row:8");
    assert_eq!(row.rows(), [LogSeq(7), LogSeq(8)]);
    let found = row.with_rows(|row| (row == LogSeq(7)).then_some(SearchId(42)));
    assert!(found.matches(&job(), NOW) && !found.bounds(NOW).is_empty);
    let receipt = filter("receipt:0123456789ABCDEF0123456789abcdef");
    assert!(receipt.with_searches(|Receipt(_)| Some(SearchId(42))).matches(&job(), NOW));
}

#[test]
fn a_term_takes_the_place_of_others_for_its_field() {
    let with = |text: &str, key, value: &str| filter(text).with(&JobFilter::of(key, value)).to_string();
    assert_eq!(with("state:dead hello", FilterKey::State, "done"), "hello state:done");
    assert_eq!(with("-state:dead", FilterKey::State, "done"), "state:done");
    assert_eq!(with("a", FilterKey::Error, "No \"disk\""), "a error:\"No \\\"disk\\\"\"");
    assert_eq!(with("a", FilterKey::State, "lost"), "a");
    assert_eq!(filter("a state:dead").without(Some(FilterKey::State)).to_string(), "a");
    assert_eq!(filter("state:dead x").state(), Some(JobState::Dead));
    assert!(filter("state:dead").is_state_alone() && filter("").is_state_alone());
    assert!(!filter("-state:dead").is_state_alone() && !filter("state:dead x").is_state_alone());
    assert!(filter("x").reads_payload() && filter("-ip:::1").reads_payload() && !filter("error:x").reads_payload());
}

/// Texts that look like filters of jobs.
fn any_filter_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "-?(state|kind|error|phrase|ip|took|attempts|worker|since|before|job|row|search|receipt|recorded|foo):~?",
        "(dead|Waiting|done|log_request|probe|>2s|<=5m|1s..3s|2..4|>3|timeout|48211|1h|10.0.0.0/8)",
        "\"[a-z \"\\\\:~-]{0,6}\"?",
        "[ \u{3000}]",
        "(,|\\||\\(| OR |\\.\\.|>|<|01ARZ3NDEKTSV4RRFFQ69G5FAV|0123456789abcdef0123456789abcdef)",
        "[-~:\"\\\\a-z0-9é🦀]{0,4}",
    ];
    prop_oneof![6 => proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat()), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error_within_it(text in any_filter_text()) {
        match text.parse::<JobFilter>() {
            Ok(filter) => prop_assert_eq!(filter.to_string().parse::<JobFilter>(), Ok(filter)),
            Err(error) => prop_assert!(error.at.start <= error.at.end && error.at.end <= text.chars().count(), "{error:?}"),
        }
    }

    #[test]
    fn a_negated_term_matches_the_other_jobs(text in any_filter_text()) {
        if let Ok(JobFilter(Terms(terms))) = text.parse::<JobFilter>() {
            for Term { sense, test } in terms {
                let other = if sense == Sense::Is { Sense::IsNot } else { Sense::Is };
                let one = JobFilter(Terms(vec![Term { sense, test: test.clone() }]));
                let other = JobFilter(Terms(vec![Term { sense: other, test }]));
                prop_assert_ne!(one.matches(&job(), NOW), other.matches(&job(), NOW));
            }
        }
    }

    #[test]
    fn no_job_outside_of_the_bounds_matches(text in any_filter_text()) {
        if let Ok(filter) = text.parse::<JobFilter>() {
            let (job, bounds) = (job(), filter.bounds(NOW));
            let is_inside = bounds.state.is_none_or(|state| job.state == state)
                && bounds.kind.is_none_or(|kind| job.kind.eq_ignore_ascii_case(&kind))
                && bounds.job.is_none_or(|id| job.id == id)
                && bounds.search.is_none_or(|id| job.search_id == Some(id))
                && bounds.since.is_none_or(|since| job.created_at >= since)
                && !bounds.is_empty;
            prop_assert!(is_inside || !filter.matches(&job, NOW));
        }
    }
}
