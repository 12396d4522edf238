//! Readers of standard output and standard error that do not read, have gone, or have no room.

use std::fs::File;
use std::io::{PipeWriter, Read, Write, pipe};
use std::time::Duration;

use http::Uri;
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};

use crate::client_log::ClientLog;
use crate::verdict::{assert_complete, ready};

/// Far longer than a stop takes.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// A device whose every write fails for lack of space.
fn full_disk() -> File {
    File::options().write(true).open("/dev/full").expect("Linux has one")
}

/// A pipe whose reader has gone.
fn closed_pipe() -> PipeWriter {
    pipe().expect("a pipe").1
}

/// How many log lines were lost, by the server's own count.
async fn lost_lines(client: &HttpClient) -> u64 {
    let metrics = client.get("/metrics").await.expect("the server answers").body;
    let count = metrics.lines().find_map(|line| line.strip_prefix("search4letters_log_lines_lost_total "));
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count in:\n{metrics}"))
}

/// Sends requests until log lines were lost. At the level `trace`, HTTP/2 leaves many lines for each.
async fn lose_lines(server: &ServerProcess) {
    let http2 = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<&[u8]>>();
    let address: Uri = format!("{}/healthz", server.url()).parse().expect("an address");
    eventually("log lines are lost", async || {
        for _ in 0..100 {
            assert_eq!(http2.get(address.clone()).await.expect("an answer").status(), 200);
        }
        (lost_lines(&server.client()).await > 0).then_some(())
    })
    .await;
}

async fn stop(server: ServerProcess) {
    let ended = server.terminate(END_TIMEOUT).await;
    assert!(ended.success(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_delays_nothing() {
    let (reader, writer) = pipe().expect("a pipe");
    let installation = Installation::new().with_variable("RUST_LOG", "trace");
    let client_log = ClientLog::default();
    let server = installation.launch_with(&[], writer);
    ready(&server.client()).await;
    lose_lines(&server).await;
    assert!(client_log.search(&server.client()).await.is_some(), "a search was not answered");
    stop(server).await;

    drop(reader);
    let server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_read_again_says_how_many_lines_are_missing() {
    let (reader, writer) = pipe().expect("a pipe");
    let installation = Installation::new().with_variable("RUST_LOG", "trace");
    let server = installation.launch_with(&[], writer);
    ready(&server.client()).await;
    lose_lines(&server).await;
    let read = tokio::task::spawn_blocking(move || {
        let lines = std::io::BufRead::lines(std::io::BufReader::new(reader));
        let mut lines = lines.map(|line| line.expect("text"));
        lines.find(|line| line.contains("log lines are missing here"))
    });
    assert!(read.await.expect("it does not panic").is_some());
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_hinders_nothing() {
    let client_log = ClientLog::default();
    for stderr in [std::process::Stdio::from(full_disk()), closed_pipe().into()] {
        let installation = Installation::new();
        let server = installation.launch_with(&[], stderr);
        ready(&server.client()).await;
        assert!(client_log.search(&server.client()).await.is_some());
        assert!(lost_lines(&server.client()).await > 0);
        stop(server).await;
    }
}

/// Commands that print something and need nothing but an empty folder.
const COMMANDS: [&[&str]; 9] = [
    &["--help"],
    &["--version"],
    &["lab", "--help"],
    &["migrate"],
    &["check"],
    &["admin", "link"],
    &["export", "--format", "csv"],
    &["lab", "second", "--count", "1"],
    &["lab", "second", "--count", "1", "--json"],
];

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_reader_has_gone_ends_silently() {
    let installation = Installation::new();
    assert_eq!(installation.run(&["migrate"]).await.code, Some(0));
    for command in COMMANDS {
        let ended = installation.run_with(command, closed_pipe()).await;
        assert_eq!((ended.code, ended.output.as_str()), (Some(141), ""), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_room_for_its_result_fails_with_one_sentence() {
    let installation = Installation::new();
    assert_eq!(installation.run(&["migrate"]).await.code, Some(0));
    for command in COMMANDS {
        let ended = installation.run_with(command, full_disk()).await;
        assert_eq!(ended.code, Some(1), "{command:?}: {}", ended.output);
        let is_one_line = ended.output.lines().count() == 1;
        assert!(is_one_line && ended.output.contains("No space left on device"), "{command:?}: {}", ended.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_flag_has_its_exit_code_even_if_nothing_can_be_said() {
    let installation = Installation::new();
    for stderr in [std::process::Stdio::from(full_disk()), closed_pipe().into()] {
        let server = installation.launch_with(&["--nonsense"], stderr);
        assert_eq!(server.ended(END_TIMEOUT).await.code(), Some(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_another_process_has_made_non_blocking_is_whole() {
    let installation = Installation::new();
    let (mut reader, mut writer) = pipe().expect("a pipe");
    rustix::io::ioctl_fionbio(&writer, true).expect("a pipe can be non-blocking");
    // Full, so that the command must wait.
    while writer.write(&[b'.'; 512]).is_ok() {}
    let read = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    let ended = installation.run_with(&["--help"], writer).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let text = read.await.expect("it does not panic").expect("text");
    assert!(text.contains("--database-connections"), "{text}");
}
