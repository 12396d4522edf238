//! The same promises for several processes on one PostgreSQL server.

mod deploy;
mod errors;
mod exhaustion;
mod leases;
mod live_log;
mod network;
mod processes;
mod restarts;

use api::Recorded;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use tests::eventually;
use tests::http_client::HttpClient;
use tests::postgres_cluster::{PostgresCluster, PostgresDatabase};
use tests::server_process::{Installation, ServerProcess};

use crate::client_log::{ClientLog, LatencyBaseline, Load};
use crate::tables::Tables;
use crate::verdict::{administrator, assert_promises_kept, ready};

/// The arguments of processes that serve but run no jobs.
pub(super) const WEB: &[&str] = &["--no-worker"];

const PASSWORD: &str = "of this test";

/// A database whose owner has no other rights on the server, as in production.
pub(super) struct Deployment {
    database: PostgresDatabase,
    owner: String,
}

impl Deployment {
    /// On the shared database server, for tests that do not disturb it.
    pub(super) async fn new() -> Self {
        Self::on(PostgresCluster::shared().await).await
    }

    /// On its own database server, whose commits reach the disk.
    pub(super) async fn alone(settings: &[(&str, &str)]) -> Self {
        Self::on(&PostgresCluster::durable(settings).await).await
    }

    async fn on(cluster: &PostgresCluster) -> Self {
        let database = cluster.create_database().await;
        let deployment = Self { owner: format!("owner_of_{}", database.name()), database };
        let (name, owner) = (deployment.database.name(), &deployment.owner);
        deployment.as_administrator(&format!("create role {owner} login password '{PASSWORD}'")).await;
        deployment.as_administrator(&format!("alter database {name} owner to {owner}")).await;
        deployment
    }

    pub(super) fn cluster(&self) -> &PostgresCluster {
        self.database.cluster()
    }

    pub(super) fn database(&self) -> &PostgresDatabase {
        &self.database
    }

    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// The database as its owner connects to it.
    pub(super) fn url(&self) -> String {
        self.url_at(self.cluster().port())
    }

    /// The URL through another port of this machine.
    pub(super) fn url_at(&self, port: u16) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://{}:{password}@127.0.0.1:{port}/{}", self.owner, self.database.name())
    }

    /// A data folder and a port for one more process.
    pub(super) fn installation(&self) -> Installation {
        Installation::new().with_database(&self.url())
    }

    /// The owner's connection, without the product.
    pub(super) async fn tables(&self) -> Tables {
        Tables::connect(&self.url()).await
    }

    /// A superuser's connection to the database.
    pub(super) async fn superuser(&self) -> PgConnection {
        self.database.connect().await
    }

    /// Runs a statement as the database server's administrator.
    pub(super) async fn as_administrator(&self, sql: &str) {
        let mut administrator = self.cluster().connect_as_administrator().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut administrator).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Runs a statement that needs a database without connections, and terminates connections until it succeeds.
    pub(super) async fn while_nobody_is_connected(&self, sql: &str) {
        let mut administrator = self.cluster().connect_as_administrator().await;
        eventually("nobody is connected for a moment", async || {
            self.database.terminate_backends().await;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut administrator).await.ok().map(drop)
        })
        .await;
    }

    /// Sets the owner's password to the usual or to another one, and terminates all connections.
    pub(super) async fn set_password(&self, is_usual: bool) {
        let password = if is_usual { PASSWORD } else { "another" };
        self.as_administrator(&format!("alter role {} password '{password}'", self.owner)).await;
        self.database.terminate_backends().await;
    }

    /// Waits until all jobs are done. Panics unless each promised row is in the log once and the ledger agrees. `web`
    /// is a serving process.
    pub(super) async fn assert_complete(&self, web: &Installation, client_log: &ClientLog) {
        assert_promises_kept(&mut self.tables().await, web, client_log).await;
    }
}

pub(super) struct RunningDeployment {
    pub(super) web: ServerProcess,
    pub(super) at_web: Installation,
    pub(super) load: Load,
    pub(super) administrator: HttpClient,
    worker: ServerProcess,
    _at_worker: Installation,
    client_log: ClientLog,
    baseline: LatencyBaseline,
    pub(super) deployment: Deployment,
}

impl RunningDeployment {
    pub(super) async fn start() -> Self {
        let deployment = Deployment::new().await;
        let (at_web, at_worker) = (deployment.installation(), deployment.installation());
        let web = at_web.start(WEB).await;
        let worker = at_worker.start_worker(&[]).await;
        let administrator = administrator(&at_web).await;
        let client_log = ClientLog::default();
        let baseline = LatencyBaseline::measure(&at_web);
        let mut load = client_log.load(&web.client(), 1);
        load.answered(50).await;
        Self { web, at_web, load, administrator, worker, _at_worker: at_worker, client_log, baseline, deployment }
    }

    /// Waits until the system has recovered. Panics if a client waited too long, or a search is lost or doubled.
    pub(super) async fn recovers(mut self) {
        ready(&self.web.client()).await;
        self.client_log.counts_more(Recorded::Accepted, 20).await;
        self.load.stop().await;
        self.baseline.assert_no_client_waited(&self.client_log);
        assert_eq!(self.client_log.count(Recorded::NotRecorded), 0);
        self.worker.assert_running();
        self.deployment.assert_complete(&self.at_web, &self.client_log).await;
    }
}
