//! PostgreSQL clusters of our own: made in a temporary folder, reachable on 127.0.0.1 only, removed with the test.

mod pooler;
mod server_programs;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

pub use crate::postgres_cluster::pooler::PostgresPooler;
use crate::postgres_cluster::server_programs::{Programs, Supervisor};
use crate::server_process::free_port;

/// The superuser, and the database that a cluster is made with.
const SUPERUSER: &str = "postgres";
const PASSWORD: &str = "of the tests";

/// SIGQUIT ends PostgreSQL without a shutdown, like a crash.
const IMMEDIATELY: &str = "QUIT";
/// Far longer than a recovery on an idle machine, so that a busy one does not fail a test.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// For clusters whose databases need not survive a crash. The write to the disk is half the time of a small commit.
const NOT_DURABLE: &[(&str, &str)] = &[("fsync", "off"), ("full_page_writes", "off")];

/// A running PostgreSQL. It ends, and its folder is removed, with the last clone or with the test's process.
#[derive(Clone)]
pub struct PostgresCluster(Arc<Cluster>);

struct Cluster {
    programs: Programs,
    folder: TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    supervisor: Mutex<Option<Supervisor>>,
    databases_made: AtomicU32,
    /// Databases that no test uses any more. The next `create_database` drops them, because a destructor cannot wait.
    unused: Mutex<Vec<String>>,
    prepared: OnceCell<String>,
}

impl PostgresCluster {
    /// The cluster that the tests of a program share. Only a crash of the machine would damage it.
    ///
    /// # Panics
    ///
    /// Like [`Self::durable`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<PostgresCluster> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::make(NOT_DURABLE)).await
    }

    /// A cluster for a single test, whose commits reach the disk as in production. `settings` are those of
    /// postgresql.conf, for instance `("max_connections", "20")`.
    ///
    /// # Panics
    ///
    /// If PostgreSQL's programs are missing, or it does not start. The message gives the reason.
    pub async fn durable(settings: &[(&str, &str)]) -> Self {
        Self::make(settings).await
    }

    async fn make(settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let made = spawn_blocking(move || {
            let programs = Programs::find();
            let folder = TempDir::new().expect("a temporary folder can be made");
            programs.init(folder.path(), SUPERUSER, PASSWORD);
            Cluster {
                programs,
                folder,
                port: free_port(),
                settings,
                supervisor: Mutex::default(),
                databases_made: AtomicU32::new(0),
                unused: Mutex::default(),
                prepared: OnceCell::new(),
            }
        });
        let cluster = Self(Arc::new(made.await.expect("PostgreSQL can be set up")));
        cluster.start().await;
        cluster
    }

    /// Starts it again after [`Self::stop_immediately`], on the same port and folder, and waits until it takes connections.
    ///
    /// # Panics
    ///
    /// If it already runs, or does not start. The message contains its output.
    pub async fn start(&self) {
        let cluster = &self.0;
        let mut server = cluster.programs.as_server_user("postgres", IMMEDIATELY);
        server.arg("-D").arg(server_programs::data_folder(cluster.folder.path()));
        for (name, value) in cluster.run_settings().chain(cluster.settings.iter().cloned()) {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        let supervisor = Supervisor::start(&server, IMMEDIATELY, cluster.folder.path());
        let before = cluster.supervisor.lock().unwrap_or_else(PoisonError::into_inner).replace(supervisor);
        assert!(before.is_none(), "the cluster already runs");
        self.takes_connections().await;
    }

    /// Does not use `eventually`, whose futures are not `Send`.
    async fn takes_connections(&self) {
        let deadline = Instant::now() + START_TIMEOUT;
        while let Err(error) = self.options(SUPERUSER).connect().await {
            let printed = server_programs::printed(self.folder());
            assert!(!printed.contains("database system is shut down"), "PostgreSQL ended immediately:\n{printed}");
            assert!(Instant::now() < deadline, "not ready within {START_TIMEOUT:?}: {error}\n{printed}");
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Ends it like a crash: connections break, and the next start has to recover.
    pub async fn stop_immediately(&self) {
        let supervisor = self.0.supervisor.lock().unwrap_or_else(PoisonError::into_inner).take();
        let supervisor = supervisor.expect("it runs");
        spawn_blocking(|| supervisor.stop()).await.expect("a stop does not panic");
    }

    /// `postgres://USER:PASSWORD@127.0.0.1:PORT/DATABASE`, whether the cluster runs or not.
    pub fn url(&self, database: &str) -> String {
        self.options(database).to_url_lossy().into()
    }

    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The cluster's folder with its data, which is removed with the cluster.
    pub fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    /// The superuser's connection to a database.
    pub async fn connect(&self, database: &str) -> PgConnection {
        self.options(database).connect().await.expect("our own cluster takes connections")
    }

    /// The superuser's connection to a database that no test uses.
    pub async fn connect_as_administrator(&self) -> PgConnection {
        self.connect(SUPERUSER).await
    }

    /// A new database without tables.
    pub async fn create_database(&self) -> PostgresDatabase {
        self.create_like("template0").await
    }

    /// A new database, set up by `prepare`, which gets its URL. `prepare` runs once for each cluster; the other
    /// databases are copies, which cost less than a migration. It must close its connections before it returns.
    pub async fn create_prepared_database<F: Future<Output = ()> + Send>(
        &self,
        prepare: impl FnOnce(String) -> F + Send,
    ) -> PostgresDatabase {
        let template = self.0.prepared.get_or_init(async || {
            let mut database = self.create_database().await;
            prepare(database.url()).await;
            database.is_kept = true;
            database.name.clone()
        });
        self.create_like(template.await).await
    }

    async fn create_like(&self, template: &str) -> PostgresDatabase {
        let mut administrator = self.connect_as_administrator().await;
        let unused = std::mem::take(&mut *self.0.unused.lock().unwrap_or_else(PoisonError::into_inner));
        for name in unused {
            execute(&mut administrator, format!("drop database if exists {name} with (force)")).await;
        }
        let name = format!("test_{}", self.0.databases_made.fetch_add(1, Ordering::Relaxed));
        execute(&mut administrator, format!("create database {name} template {template}")).await;
        administrator.close().await.expect("our own cluster");
        PostgresDatabase { cluster: self.clone(), name, is_kept: false }
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.0.port);
        options.username(SUPERUSER).password(PASSWORD).database(database)
    }
}

impl Cluster {
    /// The settings that separate this cluster from others. Later settings override them.
    fn run_settings(&self) -> impl Iterator<Item = (String, String)> {
        let folder = self.folder.path().display().to_string();
        let port = self.port.to_string();
        let settings = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", &folder),
            // Each test has connections of its own, and several tests run at the same time.
            ("max_connections", "200"),
            ("log_checkpoints", "off"),
            ("log_min_messages", "warning"),
        ];
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter()
    }
}

/// A database of one test. Its cluster lives at least as long, and drops the database some time after the test.
pub struct PostgresDatabase {
    cluster: PostgresCluster,
    name: String,
    is_kept: bool,
}

impl PostgresDatabase {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    pub fn cluster(&self) -> &PostgresCluster {
        &self.cluster
    }

    /// The superuser's connection to it.
    pub async fn connect(&self) -> PgConnection {
        self.cluster.connect(&self.name).await
    }

    /// Ends every other connection to it, and returns their number.
    pub async fn terminate_backends(&self) -> i64 {
        let mut administrator = self.cluster.connect_as_administrator().await;
        let ended = sqlx::query_scalar(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
        );
        ended.bind(&self.name).fetch_one(&mut administrator).await.expect("the superuser may")
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        if !self.is_kept {
            let name = std::mem::take(&mut self.name);
            self.cluster.0.unused.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
    }
}

async fn execute(connection: &mut PgConnection, statement: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn commits_survive_a_crash_and_nothing_survives_the_cluster() {
        let cluster = PostgresCluster::durable(&[("max_connections", "20")]).await;
        let database = cluster.create_database().await;
        let mut connection = database.connect().await;
        let limit: String = sqlx::query_scalar("show max_connections").fetch_one(&mut connection).await.unwrap();
        assert_eq!(limit, "20");
        sqlx::raw_sql("create table t (x bigint); insert into t values (1)").execute(&mut connection).await.unwrap();
        cluster.stop_immediately().await;
        assert!(sqlx::query("select x from t").execute(&mut connection).await.is_err());
        assert!(TcpStream::connect(("127.0.0.1", cluster.port())).is_err());

        cluster.start().await;
        let mut connection = database.connect().await;
        let rows: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut connection).await.unwrap();
        assert_eq!(rows, 1);
        let (folder, port) = (cluster.folder().to_owned(), cluster.port());
        drop((database, cluster));
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn prepared_databases_are_independent_copies_of_the_first() {
        let cluster = PostgresCluster::shared().await;
        let prepare = |url: String| async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql("create table t (x bigint)").execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        };
        let (first, second) =
            (cluster.create_prepared_database(prepare).await, cluster.create_prepared_database(prepare).await);
        let mut connection = first.connect().await;
        sqlx::raw_sql("insert into t values (1)").execute(&mut connection).await.unwrap();
        let mut other = second.connect().await;
        let rows: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut other).await.unwrap();
        assert_eq!(rows, 0);
        assert_eq!(second.terminate_backends().await, 1);
        assert!(other.ping().await.is_err());
        connection.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_wrong_password_is_refused() {
        let cluster = PostgresCluster::shared().await;
        let options = cluster.options(SUPERUSER).password("another");
        let refused = options.connect().await.expect_err("refused");
        assert!(refused.as_database_error().is_some_and(|error| error.code().as_deref() == Some("28P01")), "{refused}");
    }
}
