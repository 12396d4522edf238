//! Requests that fail are counted, and stop nobody.

use tests::server_process::Installation;

use crate::command::Lab;

#[tokio::test]
async fn a_flag_that_there_is_not_is_counted() {
    for style in ["sequential", "threads", "futures", "async"] {
        let ended = Lab::new().run(&["flags", "XX", "BR", "QQ", "DE", "--style", style, "--latency", "10ms"]).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{style}: {ended:?}");
        let lines: Vec<_> = ended.out.lines().collect();
        assert!(lines[1].starts_with("2 flags downloaded in "), "{style}: {ended:?}");
        assert_eq!(lines[2..], ["2 not found"], "{style}: {ended:?}");
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_succeeds() {
    // Nothing is started there.
    let nobody = Installation::new().url();
    let ended = Lab::new().run(&["second", "--count", "3", "--style", "async", "--base-url", &nobody]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.starts_with("0 numbers received in 0.00s\n3 connection refused\n"), "{ended:?}");
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    for style in ["sequential", "threads", "async"] {
        let line = ["second", "--count", "2", "--style", style, "--latency", "10s", "--timeout", "100ms"];
        let ended = Lab::new().run(&line).await;
        assert_eq!(ended.code, Some(1), "{style}: {ended:?}");
        assert!(ended.out.ends_with("\n2 timed out\n"), "{style}: {ended:?}");
    }
}

#[tokio::test]
async fn a_comparison_says_what_failed() {
    let nobody = Installation::new().url();
    let ended = Lab::new().run(&["compare", "second", "--count", "2", "--base-url", &nobody]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let row = ended.out.lines().find(|line| line.starts_with("async")).expect("a row for each style");
    assert!(row.contains("0 of 2") && row.ends_with("  2 connection refused"), "{ended:?}");
}
