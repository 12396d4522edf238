//! Each database fault is reported as one of the three errors, and loses nothing.

use api::FaultKind::{ConnectionError, CredentialsError, SqlError};
use api::{FaultKind, Recorded, SystemState};
use tests::eventually;
use tests::http_client::EventStream;

use crate::postgres::RunningDeployment;
use crate::verdict::{refused, unready};

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_a_connection_error() {
    let running = RunningDeployment::start().await;
    let mut tables = running.deployment.tables().await;
    tables
        .run(
            "create function slow() returns trigger language plpgsql as
             $$ begin perform pg_sleep(60); return null; end $$",
        )
        .await;
    let page = running.page().await;
    tables.run("create trigger slow after insert on job for each statement execute function slow()").await;
    running.shows(ConnectionError, "57014", page).await;
    tables.run("drop trigger slow on job").await;
    running.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_locked_is_a_connection_error() {
    is_locked("job").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_locked_is_a_connection_error() {
    is_locked("log").await;
}

async fn is_locked(table: &str) {
    let running = RunningDeployment::start().await;
    let mut other = running.deployment.tables().await;
    let page = running.page().await;
    other.run(&format!("begin; lock table {table} in access exclusive mode")).await;
    running.shows(ConnectionError, "", page).await;
    other.run("rollback").await;
    running.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_a_credentials_error() {
    let running = RunningDeployment::start().await;
    let page = running.page().await;
    running.deployment.set_password(false).await;
    running.shows(CredentialsError, "28P01", page).await;
    for command in ["serve", "work", "migrate"] {
        let installation = running.deployment.installation();
        refused(&installation, &[command], "CredentialsError: ", "See the user and the password in DATABASE_URL").await;
    }
    running.deployment.set_password(true).await;
    running.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_database_is_a_connection_error() {
    let running = RunningDeployment::start().await;
    let name = running.deployment.database().name();
    let page = running.page().await;
    // New connections are terminated until the statement succeeds.
    running.deployment.while_nobody_is_connected(&format!("alter database {name} rename to {name}_away")).await;
    running.shows(ConnectionError, "3D000", page).await;
    // A process that starts meanwhile waits for the database, and prints why.
    let mut early = running.deployment.installation().launch(&["work"]);
    early.prints("createdb ").await;
    running.deployment.as_administrator(&format!("alter database {name}_away rename to {name}")).await;
    early.prints("running jobs as ").await;
    running.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recreated_database_gets_the_searches_spooled_meanwhile() {
    let running = RunningDeployment::start().await;
    let (deployment, web, installation) = (&running.deployment, running.web.client(), &running.at_web);
    running.load.stop().await;
    deployment.as_administrator(&format!("drop database {} with (force)", deployment.database().name())).await;
    // The dropped rows are lost, so a new client log replaces the old one.
    let client_log = crate::client_log::ClientLog::default();
    for _ in 0..20 {
        assert_eq!(client_log.search(&web).await, Some(Recorded::Spooled));
    }
    unready(&web, ConnectionError).await;
    let (name, owner) = (deployment.database().name(), deployment.owner());
    deployment.as_administrator(&format!("create database {name} template template0 owner {owner}")).await;
    unready(&web, SqlError).await;
    running.web.kill().await;
    let _web = installation.start(&[]).await;
    deployment.assert_complete(installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_its_table_is_an_sql_error() {
    is_without("job").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_table_is_an_sql_error() {
    is_without("log").await;
}

async fn is_without(table: &str) {
    let running = RunningDeployment::start().await;
    let mut tables = running.deployment.tables().await;
    let page = running.page().await;
    tables.run(&format!("alter table {table} rename to away")).await;
    running.shows(SqlError, "42P01", page).await;
    tables.run(&format!("alter table away rename to {table}")).await;
    running.recovers().await;
}

impl RunningDeployment {
    /// Opens the system page's stream. It continues for some seconds after the database can no longer check its
    /// session.
    async fn page(&self) -> EventStream {
        self.administrator.listen("/api/admin/system/events", None).await.expect("an administrator may")
    }

    /// Waits until the fault is visible everywhere: on the system page, at the readiness check, and in the process's
    /// output.
    async fn shows(&self, fault: FaultKind, detail: &str, mut page: EventStream) {
        let mut last = None;
        eventually_shown(&mut page, &mut last, fault, detail).await;
        unready(&self.web.client(), fault).await;
        eventually("the log names the error", async || {
            let lines = self.web.output();
            let line = |line: &str| line.contains(&format!("{}: ", fault.as_str())) && line.contains(detail);
            lines.lines().any(line).then_some(())
        })
        .await;
    }
}

async fn eventually_shown(page: &mut EventStream, last: &mut Option<SystemState>, fault: FaultKind, detail: &str) {
    loop {
        let event = tokio::time::timeout(std::time::Duration::from_secs(20), page.next()).await;
        let Ok(Some(event)) = event else {
            let shown = last.as_ref().map(|state| &state.fault);
            panic!("the page does not show {fault:?} {detail}, but {shown:?}");
        };
        let state: SystemState = event.json();
        if state.fault.as_ref().is_some_and(|shown| shown.kind == fault && shown.detail.contains(detail)) {
            return;
        }
        *last = Some(state);
    }
}
