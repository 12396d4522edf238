//! What `search4letters lab` prints and saves, and how it fails.

use std::collections::BTreeSet;
use std::ops::Range;
use std::os::unix::fs::symlink;

use api::COUNTRIES;
use rustix::process::{Pid, Signal, kill_process};
use tests::server_process::Installation;

use crate::Lab;

#[tokio::test]
async fn codes_are_printed_on_one_line_and_then_the_time() {
    for style in ["sequential", "threads", "futures", "async"] {
        let lab = Lab::new();
        let ended = lab.run(&["flags", "--style", style, "--latency", "10ms"]).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
        let [codes, last] = ended.out.lines().collect::<Vec<_>>()[..] else { panic!("{ended:?}") };
        assert_eq!(codes.split(' ').collect::<BTreeSet<_>>(), COUNTRIES.into(), "{style}");
        let seconds = last.strip_prefix("20 flags downloaded in ").and_then(|rest| rest.strip_suffix('s'));
        let (whole, hundredths) = seconds.and_then(|seconds| seconds.split_once('.')).expect(last);
        assert!(whole.parse::<u32>().is_ok() && hundredths.len() == 2, "{last}");
        assert!(!ended.out.contains(['\r', '\x1b']), "{ended:?}");
        assert!(lab.files().is_empty(), "it needs no data folder: {:?}", lab.files());
    }
}

#[tokio::test]
async fn numbers_are_from_one_to_a_hundred() {
    let ended = Lab::new().run(&["second", "--style", "async", "--count", "30", "--latency", "10ms"]).await;
    let [numbers, last] = ended.out.lines().collect::<Vec<_>>()[..] else { panic!("{ended:?}") };
    let numbers: Vec<u32> = numbers.split(' ').map(|number| number.parse().expect(number)).collect();
    assert!(numbers.len() == 30 && numbers.iter().all(|number| (1..=100).contains(number)), "{numbers:?}");
    assert!(numbers.iter().collect::<BTreeSet<_>>().len() > 1, "they are random: {numbers:?}");
    assert!(last.starts_with("30 numbers received in "), "{last}");
}

#[tokio::test]
async fn one_flag_is_one_flag() {
    let ended = Lab::new().run(&["flags", "br", "--latency", "10ms"]).await;
    assert!(ended.out.starts_with("BR\n1 flag downloaded in "), "{ended:?}");
}

#[tokio::test]
async fn a_document_has_every_item() {
    let line = ["flags", "BR", "XX", "--style", "futures", "--order", "input", "--latency", "20ms", "--jitter", "0s"];
    let document = Lab::new().document(&line).await;
    assert_eq!(
        (&document["work"], &document["style"], &document["order"]),
        (&"flags".into(), &"futures".into(), &"input".into())
    );
    assert_eq!((&document["done"], &document["failed"], &document["cancelled"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(document["errors"], serde_json::json!({"not_found": 1}));
    let [br, xx] = &document["items"].as_array().unwrap()[..] else { panic!("{document}") };
    assert_eq!((&br["label"], &br["outcome"]), (&"BR".into(), &"done".into()));
    assert_eq!(
        (&xx["label"], &xx["outcome"], &xx["error"]["kind"]),
        (&"XX".into(), &"failed".into(), &"not_found".into())
    );
    let span = br["ended_us"].as_u64().unwrap() - br["started_us"].as_u64().unwrap();
    assert!(span >= 20_000, "the server waits for 20 ms: {document}");
    assert!(document["elapsed_us"].as_u64().unwrap() >= span, "{document}");
}

/// The columns of a request's bar: before it the request waits, and after it nothing is drawn.
fn bar(number: u32, line: &str) -> Range<usize> {
    let drawn = line.strip_prefix(&format!("{number} |")).and_then(|rest| rest.strip_suffix('|')).expect(line);
    let waits = drawn.find('#').expect("each request runs");
    let runs = drawn.matches('#').count();
    assert_eq!(drawn.trim_end(), ".".repeat(waits) + &"#".repeat(runs), "{line}");
    waits..waits + runs
}

#[tokio::test]
async fn a_comparison_is_a_table_and_pictures() {
    let lab = Lab::new().with_variable("COLUMNS", "60");
    let ended = lab.run(&["compare", "second", "--count", "4", "--latency", "50ms"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    let mut paragraphs = ended.out.split("\n\n");
    assert_eq!(paragraphs.next(), Some("4 numbers, each after 50 ms; 20 threads at most"));
    let table: Vec<_> =
        paragraphs.next().unwrap().lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(table[0], ["style", "requests", "elapsed", "speed-up"]);
    assert_eq!(table[1][..2], ["sequential", "4"]);
    assert_eq!(table[1][3], "1.0x");
    assert_eq!((table[2][0], table[3][0], table.len()), ("threads", "async", 4));
    let pictures: Vec<_> = paragraphs.collect();
    assert_eq!(pictures.len(), 3, "{}", ended.out);
    let sequential: Vec<_> = pictures[0].lines().collect();
    assert_eq!((sequential[0], sequential.len()), ("sequential", 6), "{}", ended.out);
    // The first request's wait depends on the machine. Each request begins in the column in which the previous one
    // ends, or later.
    let bars: Vec<_> = (1..).zip(&sequential[1..5]).map(|(number, line)| bar(number, line)).collect();
    for pair in bars.windows(2) {
        assert!(pair[0].start < pair[1].start && pair[0].end <= pair[1].start + 1, "{}", ended.out);
    }
    assert!(ended.out.lines().skip(1).all(|line| line.len() <= 60), "{}", ended.out);
}

#[tokio::test]
async fn a_server_on_this_machine_can_be_used() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let ended = Lab::new().run(&["flags", "BR", "DE", "--latency", "10ms", "--base-url", server.url()]).await;
    assert!(ended.out.contains("2 flags downloaded in "), "{ended:?}");
}

#[tokio::test]
async fn an_unknown_flag_is_counted() {
    for style in ["sequential", "threads", "futures", "async"] {
        let ended = Lab::new().run(&["flags", "XX", "BR", "QQ", "DE", "--style", style, "--latency", "10ms"]).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{style}: {ended:?}");
        let lines: Vec<_> = ended.out.lines().collect();
        assert!(lines[1].starts_with("2 flags downloaded in "), "{style}: {ended:?}");
        assert_eq!(lines[2..], ["2 not found"], "{style}: {ended:?}");
    }
}

#[tokio::test]
async fn without_a_server_every_request_is_refused() {
    let nobody = Installation::new().url();
    for style in ["sequential", "threads", "futures", "async"] {
        let ended = Lab::new().run(&["second", "--count", "3", "--style", style, "--base-url", &nobody]).await;
        assert_eq!(ended.code, Some(1), "{style}: {ended:?}");
        let lines: Vec<_> = ended.out.lines().collect();
        assert!(lines[0].starts_with("0 numbers received in "), "{style}: {ended:?}");
        assert_eq!(lines[1], "3 connection refused", "{style}: {ended:?}");
    }
}

#[tokio::test]
async fn flags_begin_again_after_the_last() {
    let document = Lab::new().document(&["flags", "--style", "async", "--count", "21", "--latency", "10ms"]).await;
    let labels = [0, 19, 20].map(|index| document["items"][index]["label"].clone());
    assert_eq!(labels, ["BD", "VN", "BD"]);
}

#[tokio::test]
async fn slow_requests_time_out() {
    for style in ["sequential", "threads", "async"] {
        let line = ["second", "--count", "2", "--style", style, "--latency", "10s", "--timeout", "100ms"];
        let ended = Lab::new().run(&line).await;
        assert_eq!(ended.code, Some(1), "{style}: {ended:?}");
        assert!(ended.out.ends_with("\n2 timed out\n"), "{style}: {ended:?}");
    }
}

#[tokio::test]
async fn a_comparison_shows_what_failed() {
    let nobody = Installation::new().url();
    let ended = Lab::new().run(&["compare", "second", "--count", "2", "--base-url", &nobody]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let row = ended.out.lines().find(|line| line.starts_with("async")).expect("a row for each style");
    assert!(row.contains("0 of 2") && row.ends_with("  2 connection refused"), "{ended:?}");
}

#[tokio::test]
async fn ctrl_c_cancels_the_rest_and_prints_the_results_so_far() {
    let line = ["flags", "--style", "sequential", "--count", "100", "--latency", "100ms", "--jitter", "0s"];
    let mut running = Lab::new().start(&line);
    running.first_output().await;
    let pid = Pid::from_raw(running.pid().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ended = running.end().await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(130), ""), "{ended:?}");
    let lines: Vec<_> = ended.out.lines().collect();
    let figure = |line: &str, rest: &str| line.split_once(rest).expect(rest).0.parse::<u32>().unwrap();
    let (done, cancelled) = (figure(lines[1], " flag"), figure(lines[2], " cancelled"));
    assert_eq!(done + cancelled, 100, "{ended:?}");
    assert!(done > 0 && cancelled > 0, "{ended:?}");
}

#[tokio::test]
async fn the_saved_flags_are_those_of_the_lab() {
    let lab = Lab::new();
    let ended = lab.run(&["flags", "--style", "async", "--latency", "10ms", "--save", "new/flags"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    let folder = lab.folder().join("new/flags");
    for code in COUNTRIES.map(str::to_lowercase) {
        let saved = std::fs::read_to_string(folder.join(format!("{code}.svg"))).expect(&code);
        assert_eq!(Some(&*saved), lab::flag(&code));
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), COUNTRIES.len(), "and nothing else");
}

#[tokio::test]
async fn a_link_is_replaced_and_not_followed() {
    let lab = Lab::new();
    let precious = lab.folder().join("precious");
    std::fs::write(&precious, "mine").unwrap();
    symlink(&precious, lab.folder().join("br.svg")).unwrap();
    lab.run(&["flags", "BR", "--latency", "10ms", "--save", "."]).await;
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(lab.folder().join("br.svg")).ok().as_deref(), lab::flag("br"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_created_is_an_error() {
    let lab = Lab::new();
    std::fs::write(lab.folder().join("file"), "").unwrap();
    let ended = lab.run(&["flags", "BR", "--latency", "10ms", "--save", "file"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("file") && ended.err.contains("--save"), "{ended:?}");
}

#[tokio::test]
async fn other_machines_need_a_flag() {
    // An address reserved for documentation.
    let line = ["second", "--count", "1", "--timeout", "200ms", "--base-url", "http://192.0.2.1:9"];
    let ended = Lab::new().run(&line).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.err.contains("not on this machine") && ended.err.contains("--allow-remote"), "{ended:?}");
    let ended = Lab::new().run(&[&line[..], &["--allow-remote"]].concat()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.starts_with("0 numbers received"), "the request was sent and got no answer: {ended:?}");
}

#[tokio::test]
async fn invalid_arguments_are_refused_in_a_sentence_that_names_the_fix() {
    for (line, expected) in [
        ("second --count 1001", "--count: Enter a number from 1 to 1,000"),
        ("second --count 0", "--count: Enter a number from 1 to 1,000"),
        ("second --workers 101", "--workers: Enter a number from 1 to 100"),
        ("second --latency 11s", "--latency, in milliseconds: Enter a number from 0 to 10,000"),
        ("flags --latency 50ms --jitter 60ms", "--jitter, in milliseconds: Enter a number from 0 to 50"),
        ("flags --timeout 0s", "--timeout, in milliseconds: Enter a number from 1 to 10,000"),
        ("flags --base-url https://127.0.0.1", "plain http only"),
        ("flags --base-url 127.0.0.1:3000", "write http://"),
        ("flags --base-url ftp://127.0.0.1", "not ftp"),
        ("flags --base-url http://ada:hunter2@127.0.0.1", "no user"),
        ("flags --base-url http://127.0.0.1/?x", "no ?"),
        ("flags --base-url http://nowhere.invalid", "--base-url: nowhere.invalid is not known"),
        ("database --hold 2s", "--hold, in milliseconds: Enter a number from 0 to 1,000"),
        ("database --tasks 10001", "--tasks: Enter a number from 1 to 10,000"),
        ("database --failing 101", "--failing: Enter a number from 0 to 100"),
        ("flags --style forked", "possible values: sequential, threads, futures, async"),
        ("flags b", "two letters"),
        ("flags BRA", "two letters"),
        ("flags b1", "two letters"),
        ("flags ..", "two letters"),
        ("flags é", "two letters"),
        ("flags b/", "two letters"),
        ("flags --allow-remote", "--base-url"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let ended = Lab::new().run(&words).await;
        assert!(matches!(ended.code, Some(1 | 2)) && ended.out.is_empty(), "{line}: {ended:?}");
        assert!(ended.err.contains(expected) && ended.err.lines().count() == 1, "{line}: {ended:?}");
    }
}

#[tokio::test]
async fn a_servers_variables_do_not_affect_the_lab() {
    let lab = Lab::new().with_variable("SEARCH4LETTERS_WORKERS", "1024");
    let line = ["second", "--count", "1", "--latency", "10ms"];
    assert_eq!(lab.document(&line).await["workers"], 20);
    assert_eq!(lab.document(&[&line[..], &["--workers", "7"]].concat()).await["workers"], 7);
}
