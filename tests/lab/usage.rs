//! What may be asked for, and how it is refused.

use crate::command::Lab;

#[tokio::test]
async fn other_machines_are_asked_only_if_one_insists() {
    // Reserved for documentation: nobody has this address.
    let line = ["second", "--count", "1", "--timeout", "200ms", "--base-url", "http://192.0.2.1:9"];
    let ended = Lab::new().run(&line).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.err.contains("not on this machine") && ended.err.contains("--allow-remote"), "{ended:?}");
    let ended = Lab::new().run(&[&line[..], &["--allow-remote"]].concat()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.starts_with("0 numbers received"), "it was asked, and did not answer: {ended:?}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_a_sentence_that_names_the_fix() {
    for (line, expected) in [
        ("second --count 1001", "--count: Choose from 1 to 1000"),
        ("second --count 0", "--count: Choose from 1 to 1000"),
        ("second --workers 101", "--workers: Choose from 1 to 100"),
        ("second --latency 11s", "--latency, in milliseconds: Choose from 0 to 10000"),
        ("flags --latency 50ms --jitter 60ms", "--jitter, in milliseconds: Choose from 0 to 50"),
        ("flags --timeout 0s", "--timeout, in milliseconds: Choose from 1 to 10000"),
        ("flags --base-url https://127.0.0.1", "plain http only"),
        ("flags --base-url 127.0.0.1:3000", "--base-url: "),
        ("flags --style forked", "possible values: sequential, threads, futures, async"),
        ("flags BRA", "two letters"),
        ("flags --allow-remote", "--base-url"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let ended = Lab::new().run(&words).await;
        assert!(matches!(ended.code, Some(1 | 2)) && ended.out.is_empty(), "{line}: {ended:?}");
        assert!(ended.err.contains(expected) && ended.err.lines().count() == 1, "{line}: {ended:?}");
    }
}

#[tokio::test]
async fn a_servers_settings_are_not_the_labs() {
    let lab = Lab::new().with_variable("SEARCH4LETTERS_WORKERS", "1024");
    let line = ["second", "--count", "1", "--latency", "10ms"];
    assert_eq!(lab.document(&line).await["workers"], 20);
    assert_eq!(lab.document(&[&line[..], &["--workers", "7"]].concat()).await["workers"], 7);
}
