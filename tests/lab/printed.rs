//! What it prints where a program reads: plain text, or one document.

use std::collections::BTreeSet;

use api::COUNTRIES;
use tests::server_process::Installation;

use crate::command::Lab;

#[tokio::test]
async fn codes_come_on_one_line_and_then_the_time() {
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
    assert!(ended.out.starts_with("BR\n1 flag downloaded in 0."), "{ended:?}");
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
    assert!(sequential[1].starts_with("1 |#") && sequential[4].starts_with("4 |."), "{}", ended.out);
    assert!(ended.out.lines().skip(1).all(|line| line.len() <= 60), "{}", ended.out);
}

#[tokio::test]
async fn a_server_on_this_machine_can_be_asked() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let ended = Lab::new().run(&["flags", "BR", "DE", "--latency", "10ms", "--base-url", server.url()]).await;
    assert!(ended.out.contains("2 flags downloaded in "), "{ended:?}");
}
