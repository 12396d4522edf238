//! PgBouncer between clients and a cluster, lending server connections for one transaction at a time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sqlx::ConnectOptions;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::{PASSWORD, POLL_INTERVAL, PostgresCluster, START_TIMEOUT, SUPERUSER};
use crate::postgres_cluster::server_programs::{self, Supervisor};
use crate::server_process::free_port;

/// Where Debian installs it.
const PROGRAM: &str = "/usr/sbin/pgbouncer";
/// Ends PgBouncer immediately.
const IMMEDIATELY: &str = "TERM";

/// A pooler in transaction mode. Ends when it is dropped.
pub struct PostgresPooler {
    cluster: PostgresCluster,
    port: u16,
    _supervisor: Supervisor,
    folder: TempDir,
}

impl PostgresCluster {
    /// Starts a pooler with this many connections to each database of this cluster, for any number of clients.
    ///
    /// # Panics
    ///
    /// If PgBouncer is missing or does not start. The message gives the reason.
    pub async fn start_pooler(&self, connections: u32) -> PostgresPooler {
        let installed = Path::new(PROGRAM).is_file();
        assert!(installed, "there is no {PROGRAM}: `cargo xtask test` installs Debian's package pgbouncer");
        let folder = TempDir::new().expect("a temporary folder can be made");
        // If tests run as root, the pooler runs as another user. The files hold only the tests' password.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
        let (port, server_port) = (free_port(), self.port());
        let (config, users) = (folder.path().join("config"), folder.path().join("users"));
        fs::write(&users, format!("\"{SUPERUSER}\" \"{PASSWORD}\"\n")).expect("our own folder");
        let lines = format!(
            "[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {users}\npool_mode = transaction\n\
             default_pool_size = {connections}\nmax_client_conn = 500\nignore_startup_parameters = extra_float_digits\n",
            users = users.display()
        );
        fs::write(&config, lines).expect("our own folder");
        let mut program = self.0.programs.as_server_user(PROGRAM, IMMEDIATELY);
        program.arg(&config);
        let pooler = PostgresPooler {
            cluster: self.clone(),
            port,
            _supervisor: Supervisor::start(&program, IMMEDIATELY, folder.path()),
            folder,
        };
        let deadline = Instant::now() + START_TIMEOUT;
        while let Err(error) = self.options(SUPERUSER).port(port).connect().await {
            let printed = server_programs::printed(pooler.folder.path());
            assert!(Instant::now() < deadline, "PgBouncer is not ready: {error}\n{printed}");
            sleep(POLL_INTERVAL).await;
        }
        pooler
    }
}

impl PostgresPooler {
    /// The URL of a database of the cluster, through the pooler.
    pub fn url(&self, database: &str) -> String {
        self.cluster.options(database).port(self.port).to_url_lossy().into()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_pooler_ends_when_it_is_dropped() {
        let pooler = PostgresCluster::shared().await.start_pooler(2).await;
        let (port, folder) = (pooler.port, pooler.folder.path().to_owned());
        drop(pooler);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!folder.exists());
    }
}
