//! The servers under test: ours on each database, and its peers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ::tests::server_process::{Installation, ServerProcess, workspace_program};
use ::tests::{PostgresCluster, PostgresDatabase};
use anyhow::{Context, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::context::BenchContext;
use crate::log_table::LogTable;
use crate::processes::ProcessTree;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contestant {
    OursSqlite,
    OursPostgres,
    NoStore,
    Empty,
    ApalisDefault,
    ApalisBest,
    FlaskDevelopment,
    FlaskGunicorn,
}

/// A running contestant. [`RunningContestant::stop`] stops it; dropping it kills it.
pub(crate) struct RunningContestant {
    process: Process,
    pub address: SocketAddr,
    pub path: &'static str,
    pub log: LogTable,
    /// The processes whose processor time is the contestant's.
    pub processes: ProcessTree,
    _resources: Resources,
}

enum Process {
    Ours(ServerProcess),
    Peer(Peer),
}

/// What must outlive the process.
enum Resources {
    Ours { _installation: Installation, _database: Option<PostgresDatabase> },
    Peer { _folder: TempDir },
}

impl Contestant {
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

    /// Starts it on a new database. Only our server gets `arguments`.
    pub(crate) async fn start(self, context: &BenchContext, arguments: &[&str]) -> anyhow::Result<RunningContestant> {
        match self {
            Self::OursSqlite => {
                let installation = Installation::new();
                let log = LogTable::Sqlite { file: installation.database(), after: 0 };
                RunningContestant::ours(installation, None, log, arguments).await
            }
            Self::OursPostgres => {
                let database = PostgresCluster::durable(&[]).await.create_database().await;
                let installation = Installation::new().with_database(&database.url());
                let log = LogTable::Postgres(database.url());
                RunningContestant::ours(installation, Some(database), log, arguments).await
            }
            Self::NoStore => {
                RunningContestant::peer(self, "/api/search", LogTable::None, TempDir::new()?, context).await
            }
            Self::Empty => RunningContestant::peer(self, "/api/search", LogTable::None, TempDir::new()?, context).await,
            Self::ApalisDefault | Self::ApalisBest => {
                let folder = TempDir::new()?;
                let log = LogTable::Sqlite { file: database_in(folder.path()), after: 0 };
                RunningContestant::peer(self, "/api/search", log, folder, context).await
            }
            Self::FlaskDevelopment | Self::FlaskGunicorn => {
                let folder = TempDir::new()?;
                let log = LogTable::Baseline(database_in(folder.path()));
                RunningContestant::peer(self, "/search4", log, folder, context).await
            }
        }
    }

    fn command(self, context: &BenchContext, folder: &Path, port: u16) -> Command {
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
                baseline(context, folder, "flask", &["--app", "app", "run", "--with-threads", "--port", &port])
            }
            Self::FlaskGunicorn => {
                let address = format!("127.0.0.1:{port}");
                // Two processes for two processors, and one thread per connection.
                let line = ["--bind", &address, "--workers", "2", "--threads", "32", "app:app"];
                baseline(context, folder, "gunicorn", &line)
            }
        }
    }
}

fn baseline(context: &BenchContext, folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(context.folder.join("python/bin").join(program));
    command.args(arguments).current_dir(context.root.join("tests/bench/baseline"));
    command.env("LOG_DATABASE", database_in(folder)).env("LOG_DELAY", "0").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn database_in(folder: &Path) -> std::path::PathBuf {
    folder.join("log.db")
}

impl RunningContestant {
    /// Starts our server on an installation that may already have data.
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
        let processes = ProcessTree::of(roots);
        let resources = Resources::Ours { _installation: installation, _database: database };
        Ok(Self {
            process: Process::Ours(process),
            address,
            path: "/api/search",
            log,
            processes,
            _resources: resources,
        })
    }

    async fn peer(
        contestant: Contestant,
        path: &'static str,
        log: LogTable,
        folder: TempDir,
        context: &BenchContext,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let command = contestant.command(context, folder.path(), port);
        let peer = Peer::start(command, port, &folder.path().join("printed")).await?;
        let (address, processes) = (peer.address(), ProcessTree::of([peer.pid()]));
        Ok(Self {
            process: Process::Peer(peer),
            address,
            path,
            log,
            processes,
            _resources: Resources::Peer { _folder: folder },
        })
    }

    /// Ignores the log's rows up to `row` from now on.
    pub(crate) fn behind(mut self, row: i64) -> Self {
        if let LogTable::Sqlite { after, .. } = &mut self.log {
            *after = row;
        }
        self
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.server().is_some()
    }

    /// Our server; `None` for a peer.
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

/// The process id of PostgreSQL's main process, from the first line of its pid file.
pub(crate) fn postmaster(cluster: &PostgresCluster) -> anyhow::Result<u32> {
    let file = cluster.folder().join("data/postmaster.pid");
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    text.lines().next().and_then(|line| line.trim().parse().ok()).context("postmaster.pid begins with a number")
}

/// Long, because interpreters start slowly.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const PEER_POLL_INTERVAL: Duration = Duration::from_millis(20);

pub(crate) struct Peer {
    child: Child,
    pub port: u16,
}

impl Peer {
    /// Starts a program, with its output in `printed`. It is ready once it listens on the port.
    pub(crate) async fn start(mut command: Command, port: u16, printed: &Path) -> anyhow::Result<Self> {
        let file = std::fs::File::create(printed)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        let mut peer = Self { child, port };
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(peer.address()).await.is_err() {
            if let Some(ended) = peer.child.try_wait()? {
                let said = std::fs::read_to_string(printed).unwrap_or_default();
                return Err(anyhow!("it has ended ({ended})").context(format!("{command:?} said:\n{said}")));
            }
            if Instant::now() > deadline {
                return Err(anyhow!("it does not listen after {START_TIMEOUT:?}").context(format!("{command:?}")));
            }
            sleep(PEER_POLL_INTERVAL).await;
        }
        Ok(peer)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// SIGTERM, so that it can end its children; SIGKILL if that fails.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process(pid, Signal::TERM)?;
        }
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            self.end();
            self.child.wait().await?;
        }
        Ok(())
    }

    /// Ends it and all its children: a remaining one would distort the next measurement.
    fn end(&self) {
        if let Some(id) = self.child.id() {
            ProcessTree::of([id]).end();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
    }
}

/// A free port.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
