//! A database for one test, and the processes on it.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use tests::eventually;
use tests::postgres_cluster::{PostgresCluster, PostgresDatabase};
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;
use crate::verdict::assert_kept;

/// Of processes that serve and run no jobs.
pub(super) const WEB: &[&str] = &["--no-worker"];

const PASSWORD: &str = "of this test";

/// A database with an owner who is nobody on the server otherwise, as in production.
pub(super) struct Site {
    database: PostgresDatabase,
    owner: String,
}

impl Site {
    /// On the server that tests share which leave it alone.
    pub(super) async fn new() -> Self {
        Self::on(PostgresCluster::shared().await).await
    }

    /// On a server of its own, whose commits reach the disk.
    pub(super) async fn alone(settings: &[(&str, &str)]) -> Self {
        Self::on(&PostgresCluster::durable(settings).await).await
    }

    async fn on(cluster: &PostgresCluster) -> Self {
        let database = cluster.create_database().await;
        let site = Self { owner: format!("owner_of_{}", database.name()), database };
        let (name, owner) = (site.database.name(), &site.owner);
        site.by_administrator(&format!("create role {owner} login password '{PASSWORD}'")).await;
        site.by_administrator(&format!("alter database {name} owner to {owner}")).await;
        site
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

    /// The same through another port of this machine.
    pub(super) fn url_at(&self, port: u16) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://{}:{password}@127.0.0.1:{port}/{}", self.owner, self.database.name())
    }

    /// A data folder and a port for one more process.
    pub(super) fn place(&self) -> Installation {
        Installation::new().with_database(&self.url())
    }

    /// The owner's connection, past the product.
    pub(super) async fn tables(&self) -> Tables {
        Tables::at(&self.url()).await
    }

    /// Connected to this database, and above all rights in it.
    pub(super) async fn superuser(&self) -> PgConnection {
        self.database.connect().await
    }

    /// Does something to the whole server, or to this database from outside.
    pub(super) async fn by_administrator(&self, sql: &str) {
        let mut administrator = self.cluster().connect_as_administrator().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut administrator).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Does what may only be done to a database that nobody uses, and ends connections until it can be done.
    pub(super) async fn while_nobody_is_connected(&self, sql: &str) {
        let mut administrator = self.cluster().connect_as_administrator().await;
        eventually("nobody is connected for a moment", async || {
            self.database.terminate_backends().await;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut administrator).await.ok().map(drop)
        })
        .await;
    }

    /// Gives the owner another password, or the usual one again, and lets everybody connect anew.
    pub(super) async fn set_password(&self, is_usual: bool) {
        let password = if is_usual { PASSWORD } else { "another" };
        self.by_administrator(&format!("alter role {} password '{password}'", self.owner)).await;
        self.database.terminate_backends().await;
    }

    /// Waits until all is done, and panics unless each promised row stands in the log once and the books say so too.
    /// `web` is a process that serves.
    pub(super) async fn assert_whole(&self, web: &Installation, journal: &Journal) {
        assert_kept(&mut self.tables().await, web, journal).await;
    }
}
