//! `jobs list`, `retry`, `cancel` and `delete` of the real program.

use std::collections::BTreeMap;

use serde_json::Value;
use tests::server_process::{Ended, Installation};

use crate::client_log::ClientLog;
use crate::tables::Tables;

/// A stopped server with this many waiting jobs.
async fn waiting(jobs: usize) -> Installation {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&["--no-worker"]).await;
    for _ in 0..jobs {
        client_log.search(&server.client()).await.expect("answered");
    }
    server.kill().await;
    installation
}

/// Runs `jobs` with these arguments, which must succeed and print `said`.
async fn says(installation: &Installation, arguments: &[&str], said: &str) {
    let Ended { code, output } = installation.run(&[&["jobs"], arguments].concat()).await;
    assert_eq!((code, output.contains(said)), (Some(0), true), "{arguments:?}: {output}");
}

async fn states(installation: &Installation) -> BTreeMap<String, i64> {
    Tables::open(&installation.database()).await.jobs().await
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_as_lines_of_json() {
    let installation = waiting(3).await;
    // Beside a running server too.
    let _server = installation.start(&["--no-worker"]).await;
    let listed = installation.run(&["jobs", "list", "--filter", "state:waiting", "--limit", "2"]).await;
    assert_eq!(listed.code, Some(0), "{}", listed.output);
    let jobs: Vec<Value> = listed.output.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let about = |job: &Value| (job["id"].as_i64(), job["state"].as_str().map(ToOwned::to_owned));
    let expected = [3, 2].map(|id| (Some(id), Some("waiting".to_owned())));
    assert_eq!(jobs.iter().map(about).collect::<Vec<_>>(), expected);
    says(&installation, &["list", "--filter", "state:dead"], "").await;
    says(&installation, &["list", "--filter", "#2"], "did you mean --filter 'job:#2'?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_changed_with_counts_and_reasons() {
    let installation = waiting(4).await;
    let job = ["--filter", "job:1", "--yes"];
    says(&installation, &["cancel", "--filter", "", "--dry-run"], "would be cancelled: 4 jobs; nothing was changed")
        .await;
    says(&installation, &[&["cancel"][..], &job[..]].concat(), "cancelled: 1 job").await;
    says(&installation, &[&["cancel"][..], &job[..]].concat(), "cancelled: 0 jobs, skipped 1 job (ended already)")
        .await;
    let all = ["--filter", "", "--yes"];
    says(&installation, &[&["retry"][..], &all[..]].concat(), "retried: 1 job, skipped 3 jobs (waiting already)").await;
    says(&installation, &[&["delete"][..], &all[..]].concat(), "deleted: 0 jobs, skipped 4 jobs (not ended").await;
    says(&installation, &[&["cancel"][..], &all[..]].concat(), "cancelled: 4 jobs").await;
    let kept = "deleted: 0 jobs, skipped 4 jobs (the last trace of a search that is not in the log)";
    says(&installation, &[&["delete"][..], &all[..]].concat(), kept).await;
    assert_eq!(states(&installation).await, [("cancelled".to_owned(), 4)].into());
    // What was retried runs once a server starts, and can be deleted then.
    says(&installation, &["retry", "--filter", "state:cancelled", "--yes"], "retried: 4 jobs").await;
    let server = installation.start(&[]).await;
    Tables::open(&installation.database()).await.all_jobs_done().await;
    let refused = installation.run(&["jobs", "delete", "--filter", "state:done", "--yes"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert!(refused.output.contains("/jobs") && refused.output.contains("in use"), "{}", refused.output);
    server.kill().await;
    says(&installation, &["retry", "--filter", "", "--dry-run"], "skipped 4 jobs (done: write state:done").await;
    says(&installation, &["delete", "--filter", "state:done", "--yes"], "deleted: 4 jobs").await;
    assert_eq!(states(&installation).await, BTreeMap::new());
    Tables::open(&installation.database()).await.assert_job_counts_match().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_without_consent() {
    let installation = waiting(1).await;
    for (arguments, code, said) in [
        (&["jobs", "cancel", "--filter", ""][..], 1, "there is no terminal to ask on; add --yes"),
        (&["jobs", "cancel", "--yes"], 2, "--filter <FILTER>"),
        (&["jobs", "cancel", "--yes", "--filter", "state:ded"], 2, "Did you mean “dead”?"),
    ] {
        let refused = installation.run(arguments).await;
        assert_eq!((refused.code, refused.output.contains(said)), (Some(code), true), "{}", refused.output);
    }
    assert_eq!(states(&installation).await, [("waiting".to_owned(), 1)].into());
    let nowhere = Installation::new();
    let refused = nowhere.run(&["jobs", "list"]).await;
    assert!(refused.code == Some(1) && refused.output.contains("there are no jobs"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_killed_is_run_again() {
    const JOBS: i64 = 300;
    let installation = waiting(0).await;
    let mut tables = Tables::open(&installation.database()).await;
    let jobs: Vec<(String, String)> = (0..JOBS).map(|number| (number.to_string(), "{}".to_owned())).collect();
    tables.add_jobs("lab_run", &jobs).await;
    tables.run("insert into job_kind (kind) values ('lab_run') on conflict do nothing").await;
    let arguments = ["jobs", "cancel", "--filter", "kind:lab_run", "--yes"];
    // Wherever it is killed, even before or after all of its work.
    let command = installation.launch(&arguments);
    tests::eventually("it has begun", async || tables.jobs().await.contains_key("cancelled").then_some(())).await;
    command.kill().await;
    let done = tables.jobs().await["cancelled"];
    let again = installation.run(&arguments).await;
    assert_eq!(again.code, Some(0), "{}", again.output);
    assert!(again.output.contains(&format!("cancelled: {} job", JOBS - done)), "{done}: {}", again.output);
    assert_eq!(tables.jobs().await, [("cancelled".to_owned(), JOBS)].into());
    tables.assert_job_counts_match().await;
}
