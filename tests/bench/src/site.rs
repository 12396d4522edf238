//! Those that answer searches: ours on each database, and its peers.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;
use tests::server_process::{Installation, ServerProcess, workspace_program};
use tests::{PostgresCluster, PostgresDatabase};
use tokio::process::Command;

use crate::log_table::LogTable;
use crate::peer::{Peer, free_port};
use crate::processes::Family;
use crate::workshop::Workshop;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    OursSqlite,
    OursPostgres,
    NoStore,
    Empty,
    ApalisDefault,
    ApalisBest,
    FlaskDevelopment,
    FlaskGunicorn,
}

/// A site that answers. Stopped by [`Running::stop`], or else killed when dropped.
pub(crate) struct Running {
    process: Process,
    pub address: SocketAddr,
    pub path: &'static str,
    pub log: LogTable,
    /// All whose processor time is the site's.
    pub family: Family,
    _place: Place,
}

enum Process {
    Ours(ServerProcess),
    Peer(Peer),
}

/// What must outlive the process.
enum Place {
    Ours { _installation: Installation, _database: Option<PostgresDatabase> },
    Peer { _folder: TempDir },
}

impl Site {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OursSqlite => "ours, SQLite",
            Self::OursPostgres => "ours, PostgreSQL",
            Self::NoStore => "no store",
            Self::Empty => "empty axum",
            Self::ApalisDefault => "apalis-sqlite, default",
            Self::ApalisBest => "apalis-sqlite, best",
            Self::FlaskDevelopment => "Flask, development",
            Self::FlaskGunicorn => "Flask, gunicorn",
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::OursSqlite | Self::OursPostgres)
    }

    /// Starts it on a new database. `arguments` are for ours.
    pub(crate) async fn start(self, workshop: &Workshop, arguments: &[&str]) -> anyhow::Result<Running> {
        match self {
            Self::OursSqlite => {
                let installation = Installation::new();
                let log = LogTable::Sqlite { file: installation.database(), after: 0 };
                Running::ours(installation, None, log, arguments).await
            }
            Self::OursPostgres => {
                let database = PostgresCluster::durable(&[]).await.create_database().await;
                let installation = Installation::new().with_database(&database.url());
                let log = LogTable::Postgres(database.url());
                Running::ours(installation, Some(database), log, arguments).await
            }
            Self::NoStore => Running::peer(self, "/api/search", LogTable::None, TempDir::new()?, workshop).await,
            Self::Empty => Running::peer(self, "/api/search", LogTable::None, TempDir::new()?, workshop).await,
            Self::ApalisDefault | Self::ApalisBest => {
                let folder = TempDir::new()?;
                let log = LogTable::Sqlite { file: database_in(folder.path()), after: 0 };
                Running::peer(self, "/api/search", log, folder, workshop).await
            }
            Self::FlaskDevelopment | Self::FlaskGunicorn => {
                let folder = TempDir::new()?;
                let log = LogTable::Baseline(database_in(folder.path()));
                Running::peer(self, "/search4", log, folder, workshop).await
            }
        }
    }

    fn command(self, workshop: &Workshop, folder: &Path, port: u16) -> Command {
        let of = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(workspace_program(program));
            command.args(arguments).arg(port.to_string());
            command
        };
        match self {
            Self::OursSqlite | Self::OursPostgres | Self::Empty => of("bench-peer", &["empty"]),
            Self::NoStore => of("bench-peer", &["no-store"]),
            Self::ApalisDefault | Self::ApalisBest => {
                let settings = if self == Self::ApalisBest { "best" } else { "default" };
                let mut command = of("bench-apalis", &["serve", settings]);
                command.arg(database_in(folder));
                command
            }
            Self::FlaskDevelopment => {
                let port = port.to_string();
                baseline(workshop, folder, "flask", &["--app", "app", "run", "--with-threads", "--port", &port])
            }
            Self::FlaskGunicorn => {
                let address = format!("127.0.0.1:{port}");
                // Two processes for two processors, and a thread for each connection.
                let line = ["--bind", &address, "--workers", "2", "--threads", "32", "app:app"];
                baseline(workshop, folder, "gunicorn", &line)
            }
        }
    }
}

fn baseline(workshop: &Workshop, folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(workshop.folder.join("python/bin").join(program));
    command.args(arguments).current_dir(workshop.root.join("tests/bench/baseline"));
    command.env("LOG_DATABASE", database_in(folder)).env("LOG_DELAY", "0").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn database_in(folder: &Path) -> std::path::PathBuf {
    folder.join("log.db")
}

impl Running {
    /// Ours, on an installation that may have data already.
    pub(crate) async fn ours(
        installation: Installation,
        database: Option<PostgresDatabase>,
        log: LogTable,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let process = installation.start(arguments).await;
        let mut roots = vec![process.pid()];
        if let Some(database) = &database {
            roots.push(postmaster(database.cluster())?);
        }
        let address = process.url().trim_start_matches("http://").parse()?;
        let family = Family::of(roots);
        let place = Place::Ours { _installation: installation, _database: database };
        Ok(Self { process: Process::Ours(process), address, path: "/api/search", log, family, _place: place })
    }

    async fn peer(
        site: Site,
        path: &'static str,
        log: LogTable,
        folder: TempDir,
        workshop: &Workshop,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let command = site.command(workshop, folder.path(), port);
        let peer = Peer::start(command, port, &folder.path().join("printed")).await?;
        let (address, family) = (peer.address(), Family::of([peer.pid()]));
        Ok(Self { process: Process::Peer(peer), address, path, log, family, _place: Place::Peer { _folder: folder } })
    }

    /// The same; only rows behind this one are looked at from now on.
    pub(crate) fn behind(mut self, row: i64) -> Self {
        if let LogTable::Sqlite { after, .. } = &mut self.log {
            *after = row;
        }
        self
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.server().is_some()
    }

    /// The server, where it is ours.
    pub(crate) fn server(&self) -> Option<&ServerProcess> {
        match &self.process {
            Process::Ours(server) => Some(server),
            Process::Peer(_) => None,
        }
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        match self.process {
            Process::Ours(server) => {
                server.kill().await;
                Ok(())
            }
            Process::Peer(peer) => peer.stop().await,
        }
    }
}

/// The first line of this file is the number of the process that starts all others.
pub(crate) fn postmaster(cluster: &PostgresCluster) -> anyhow::Result<u32> {
    let file = cluster.folder().join("data/postmaster.pid");
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    text.lines().next().and_then(|line| line.trim().parse().ok()).context("postmaster.pid begins with a number")
}
