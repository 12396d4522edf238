//! Several versions on one database, and jobs and spools that move between processes.

use std::fs;

use api::{ItemState, JobState, Recorded};

use crate::client_log::ClientLog;
use crate::kill::{at_least, start, trace};
use crate::postgres::{Deployment, WEB};
use crate::verdict::refused;

/// Simulates a later version's migration.
const NEWER: &str = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
     values (9999, 'of the future', true, '\\x00', 0)";

#[tokio::test(flavor = "multi_thread")]
async fn a_process_runs_beside_a_compatible_newer_version() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let installations = [deployment.installation(), deployment.installation(), deployment.installation()];
    let web = installations[0].start(WEB).await;
    let mut worker = installations[1].start_worker(&[]).await;
    let mut load = client_log.load(&web.client(), 2);
    load.answered(50).await;
    let mut tables = deployment.tables().await;
    tables.run(NEWER).await;
    load.answered_more(50).await;
    let another = installations[2].start(&[]).await;
    assert!(client_log.search(&another.client()).await.is_some());
    another.kill().await;

    tables.run("update compatibility set oldest_schema = 9999").await;
    for command in ["serve", "work", "migrate"] {
        refused(&installations[2], &[command], "was written by a newer version (schema 9999", "Install that version")
            .await;
    }
    // Running processes are stopped by the deploy, not by the database.
    load.answered_more(50).await;
    worker.assert_running();
    load.stop().await;
    tables.run("update compatibility set oldest_schema = 1").await;
    deployment.assert_complete(&installations[0], &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_processes_on_an_empty_database_one_migrates_and_all_work() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let installations: Vec<_> = (0..5).map(|_| deployment.installation()).collect();
    let mut processes: Vec<_> = installations.iter().take(3).map(|installation| installation.launch(&[])).collect();
    let mut workers: Vec<_> = installations.iter().skip(3).map(|installation| installation.launch(&["work"])).collect();
    for process in &mut processes {
        process.ready().await;
    }
    for worker in &mut workers {
        worker.prints("running jobs as ").await;
    }
    for process in &processes {
        assert!(client_log.search(&process.client()).await.is_some());
    }
    deployment.assert_complete(&installations[0], &client_log).await;
    // Each process accepts all receipts, because they share one key.
    for receipt in client_log.receipts(api::Recorded::Accepted) {
        for process in &processes {
            let answer = process.client().get(&format!("/api/receipts/{}", receipt.0)).await.expect("it answers");
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_run_of_a_worker_is_followed_on_a_web_process() {
    let deployment = Deployment::new().await;
    let (at_web, at_worker) = (deployment.installation(), deployment.installation());
    let web = at_web.start(WEB).await;
    let _worker = at_worker.start_worker(&[]).await;
    let id = start(&web.client()).await;
    // Reads to the end of the stream, which sends the parts as the worker writes them.
    let trace = trace(&web.client(), id).await;
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (5, 5));
    assert_eq!(at_least(&web.client(), id, 100).await.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_run_of_a_killed_worker_is_taken_over() {
    let deployment = Deployment::new().await;
    let (at_web, at_worker, at_other) =
        (deployment.installation(), deployment.installation(), deployment.installation());
    let web = at_web.start(WEB).await;
    let worker = at_worker.start_worker(&[]).await;
    let id = start(&web.client()).await;
    at_least(&web.client(), id, 20).await;
    worker.kill().await;
    let _other = at_other.start_worker(&[]).await;
    let trace = trace(&web.client(), id).await;
    assert_eq!((trace.items.len(), trace.count(ItemState::Done)), (5, 5), "the lost attempt has left no events");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spool_of_a_lost_process_is_replayed_once_from_elsewhere() {
    const LEFT: usize = 20;
    let deployment = Deployment::alone(&[]).await;
    let client_log = ClientLog::default();
    let (lost, other, elsewhere) = (deployment.installation(), deployment.installation(), deployment.installation());
    let _others = [other.start(WEB).await, deployment.installation().start_worker(&[]).await];
    let web = lost.start(WEB).await;
    assert_eq!(client_log.search(&web.client()).await, Some(Recorded::Accepted));
    deployment.cluster().stop_immediately().await;
    for _ in 0..LEFT {
        assert_eq!(client_log.search(&web.client()).await, Some(Recorded::Spooled));
    }
    web.kill().await;
    deployment.cluster().start().await;

    // What an operator has saved from the lost machine.
    let saved = elsewhere.folder().join("saved");
    fs::create_dir(&saved).expect("our own folder");
    fs::copy(lost.folder().join("spool/records"), saved.join("records")).expect("copied");
    let of_lost = lost.folder().join("spool").display().to_string();
    for (spool, said) in [
        (saved.display().to_string(), "recorded: 20, already known: 0, set aside: 0, left: 0"),
        (saved.display().to_string(), "recorded: 0, already known: 0, set aside: 0, left: 0"),
        // The same records again, from their original folder.
        (of_lost, "recorded: 0, already known: 20, set aside: 0, left: 0"),
    ] {
        let replayed = elsewhere.run(&["spool", "replay", &spool]).await;
        assert_eq!(replayed.code, Some(0), "{}", replayed.output);
        assert!(replayed.output.contains(said), "{}", replayed.output);
    }
    // The running workers are notified; no process is restarted.
    deployment.assert_complete(&other, &client_log).await;
    assert_eq!(client_log.promised().len(), LEFT + 1);
}
