//! Commands and second servers beside a running one.

use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;

use api::Recorded;
use tests::eventually;
use tests::server_process::Installation;

use crate::client_log::ClientLog;
use crate::tables::{Lock, Tables};
use crate::verdict::{assert_complete, only_reason};

/// A server that was killed with this many searches in its spool, and its promises.
async fn lost(searches: usize) -> (Installation, ClientLog) {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let lock = Lock::take(&installation.database()).await;
    for _ in 0..searches {
        assert_eq!(client_log.search(&server.client()).await, Some(Recorded::Spooled));
    }
    server.kill().await;
    lock.release().await;
    (installation, client_log)
}

fn spool_of(installation: &Installation) -> String {
    installation.folder().join("spool").display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spool_of_a_lost_process_is_replayed_once() {
    let (lost, client_log) = lost(20).await;
    let copy = tempfile::tempdir().expect("a temporary folder");
    fs::copy(lost.folder().join("spool/records"), copy.path().join("records")).expect("copied");
    let there = Installation::new();
    for (spool, said) in [
        (spool_of(&lost), "recorded: 20, already known: 0, set aside: 0, left: 0"),
        (spool_of(&lost), "recorded: 0, already known: 0, set aside: 0, left: 0"),
        // Like a process that was killed before it could empty its spool.
        (copy.path().display().to_string(), "recorded: 0, already known: 20, set aside: 0, left: 0"),
    ] {
        let replayed = there.run(&["spool", "replay", &spool]).await;
        assert_eq!(replayed.code, Some(0), "{}", replayed.output);
        assert!(replayed.output.contains(said), "{}", replayed.output);
    }
    let _server = there.start(&[]).await;
    assert_complete(&there, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spool_of_a_running_process_is_not_replayed() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let there = Installation::new();
    let refused = there.run(&["spool", "replay", &spool_of(&installation)]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert!(refused.output.contains("still lives"), "{}", refused.output);
    assert!(!there.database().exists(), "no database is created");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_a_spool_is_not_changed() {
    let installation = Installation::new();
    drop(installation.start(&[]).await);
    let there = Installation::new();
    let data = installation.folder().display().to_string();
    let refused = there.run(&["spool", "replay", &data]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert!(refused.output.contains(&format!("there is one in {}", spool_of(&installation))), "{}", refused.output);
    let nowhere = there.folder().join("nowhere");
    let refused = there.run(&["spool", "replay", &nowhere.display().to_string()]).await;
    assert!(refused.output.contains("has no spool in it; name the folder"), "{}", refused.output);
    assert!(!nowhere.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn corrupt_records_are_quarantined_and_reported_until_they_are_moved() {
    let (lost, client_log) = lost(20).await;
    let records = lost.folder().join("spool/records");
    let text = fs::read(&records).expect("read");
    let at = text.windows(9).position(|window| window == b"search 7\"").expect("the record of search 7");
    let file = File::options().write(true).open(&records).expect("opened");
    file.write_all_at(b"#", at as u64).expect("damaged");
    let there = Installation::new();
    for said in ["recorded: 19, already known: 0, set aside: 1", "recorded: 0, already known: 0, set aside: 1"] {
        let replayed = there.run(&["spool", "replay", &spool_of(&lost)]).await;
        assert_eq!(replayed.code, Some(1), "{}", replayed.output);
        assert!(replayed.output.contains(said) && replayed.output.contains("move it away"), "{}", replayed.output);
    }
    let set_aside = fs::read_to_string(lost.folder().join("spool/set-aside")).expect("it is named");
    assert!(set_aside.contains("#earch 7"), "{set_aside}");
    assert_eq!(client_log.promised().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_is_not_replayed_into_the_file_of_a_running_server() {
    let (lost, client_log) = lost(3).await;
    let there = Installation::new();
    let server = there.start(&[]).await;
    let refused = there.run(&["spool", "replay", &spool_of(&lost)]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    let process = format!("is in use by process {}", server.pid());
    assert!(refused.output.contains(&process), "{}", refused.output);
    server.kill().await;
    let _server = lost.start(&[]).await;
    assert_complete(&lost, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_refuses_to_start_and_does_not_disturb_the_first() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let mut load = client_log.load(&server.client(), 4);
    load.answered(50).await;
    // On another port, so that only the folder causes a conflict.
    let second = Installation::new().with_data(installation.folder());
    for _ in 0..3 {
        let refused = second.run(&[]).await;
        assert_eq!(refused.code, Some(1), "{}", refused.output);
        let process = format!("is in use by process {}. Stop that process, or choose another folder", server.pid());
        assert!(only_reason(&refused.output).contains(&process), "{}", refused.output);
        load.answered_more(50).await;
    }
    load.stop().await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_beside_a_server_under_load() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let mut load = client_log.load(&server.client(), 4);
    for _ in 0..3 {
        load.answered_more(50).await;
        let link = installation.run(&["admin", "link"]).await;
        assert_eq!(link.code, Some(0), "{}", link.output);
        assert!(link.output.contains("/setup#token="), "{}", link.output);
        assert!(!link.output.contains("server"), "the server there knows the link: {}", link.output);
        let check = installation.run(&["check"]).await;
        assert!(check.output.contains("is a sound database of this version"), "{}", check.output);
        assert!(check.output.contains("ok     the database answers"), "{}", check.output);
    }
    load.stop().await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_nothing_wrong_beside_a_healthy_server() {
    let installation = Installation::new();
    let mut server = installation.start(&[]).await;
    server.prints(&format!("data folder: {}", installation.folder().display())).await;
    let wrong = async || {
        let check = installation.run(&["check"]).await;
        assert!(check.output.contains("a server of ours runs at 127.0.0.1:"), "{}", check.output);
        // A test's binary may be built without the client.
        let wrong = check.output.lines().filter(|line| line.starts_with("WRONG") && !line.contains("no client"));
        wrong.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(wrong().await, Vec::<String>::new());
    server.kill().await;
    let _server = installation.start(&["--no-worker"]).await;
    let wrong = wrong().await;
    assert!(wrong.len() == 1 && wrong[0].contains("--no-worker"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_link_that_no_server_at_its_address_knows_is_said_so() {
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let other = Installation::new();
    let address = server.url().trim_start_matches("http://").to_owned();
    let link = other.run(&["admin", "link", "--listen", &address]).await;
    assert!(link.output.contains(&format!("the server at {address} uses another database")), "{}", link.output);
    server.kill().await;
    let link = other.run(&["admin", "link"]).await;
    assert_eq!(link.code, Some(0), "{}", link.output);
    assert!(link.output.contains("no server of ours answers at"), "{}", link.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_without_a_server_looks_at_what_is_left_and_says_what_it_could_not_see() {
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let client_log = ClientLog::default();
    for _ in 0..3 {
        client_log.search(&server.client()).await;
    }
    server.kill().await;
    let check = installation.run(&["check"]).await;
    for said in ["ok     no job is dead", "jobs to do: 3, the oldest waits for", "MiB left", "was not looked at"] {
        assert!(check.output.contains(said), "{said}: {}", check.output);
    }
    let mut database = Tables::open(&installation.database()).await;
    database.add_job("nonsense", None, "{}").await;
    let server = installation.start(&[]).await;
    let mut is_dead = async || database.number("select count(*) from job where state = 'dead'").await;
    eventually("no worker knows this kind", async || (is_dead().await == 1).then_some(())).await;
    server.kill().await;
    let check = installation.run(&["check"]).await;
    assert!(check.code == Some(1) && check.output.contains("WRONG  dead jobs: 1"), "{}", check.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_target_that_does_not_exist_is_said() {
    let installation = Installation::new().with_variable("RUST_LOG", "info,sever=debug");
    let mut server = installation.start(&[]).await;
    server.prints("RUST_LOG names a target that does not exist here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_mean_nothing_are_named_and_a_bad_log_level_is_said() {
    let installation =
        Installation::new().with_variable("SEARCH4LETTERS_LISEN", "127.0.0.1:1").with_variable("RUST_LOG", "verbose");
    let mut server = installation.start(&[]).await;
    server.prints("the variable SEARCH4LETTERS_LISEN is not heeded; did you mean SEARCH4LETTERS_LISTEN?").await;
    server.prints("RUST_LOG is not heeded: write a level").await;
}
