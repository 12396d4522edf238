//! The log, exported by the real program.

mod command;
mod streaming;

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;

use api::LogRow;
use futures::TryStreamExt;
use futures::future::join_all;
use store::{LogEntry, LogSpan, SearchRecord, Store};
use store_postgres::PostgresStore;
use store_sqlite::{Access, Options, SqliteStore};
use tests::builders::{log_entry, log_entry_of, log_query, no_attempt, search, search_record};
use tests::corpus::corpus;
use tests::postgres_cluster::{PostgresCluster, PostgresDatabase};
use tests::server_process::{Installation, workspace_program};
use tokio::process::{Child, Command};

/// A database with rows, and the program's settings for it.
pub(crate) struct ExportSource {
    pub(crate) installation: Installation,
    pub(crate) store: Arc<dyn Store>,
    postgres: Option<PostgresDatabase>,
}

impl ExportSource {
    pub(crate) async fn sqlite() -> Self {
        Self::of(Installation::new(), Access::Owner).await
    }

    /// The database of a running server.
    pub(crate) async fn beside(installation: Installation) -> Self {
        Self::of(installation, Access::Guest).await
    }

    async fn of(installation: Installation, access: Access) -> Self {
        let options = Options { file: installation.database(), readers: 2, access };
        let store = Arc::new(SqliteStore::open(options).await.expect("the database opens"));
        Self { installation, store, postgres: None }
    }

    pub(crate) async fn postgres() -> Self {
        let database = PostgresCluster::shared().await.create_database().await;
        let installation = Installation::new().with_database(&database.url());
        let options = store_postgres::Options { url: database.url(), listen_url: None, connections: 3 };
        let opened = PostgresStore::open(options, store_postgres::Access::Owner).await;
        Self { installation, store: Arc::new(opened.expect("it opens")), postgres: Some(database) }
    }

    pub(crate) async fn record(&self, entries: Vec<LogEntry>) {
        for outcome in join_all(entries.into_iter().map(|entry| self.store.record(entry, no_attempt()))).await {
            outcome.expect("the store takes rows");
        }
    }

    /// Writes a row for each string of the corpus, which fills all its texts.
    pub(crate) async fn record_corpus(&self) {
        let entries = corpus().iter().zip(0..).map(|(hostile, number)| {
            let text = || hostile.text.clone();
            log_entry_of(SearchRecord {
                letters: text(),
                results: text(),
                ip: text(),
                browser_family: text(),
                user_agent: text(),
                ..search_record(search(number), &hostile.text)
            })
        });
        self.record(entries.collect()).await;
    }

    /// Writes this many ordinary rows.
    pub(crate) async fn record_many(&self, count: u128) {
        self.record((0..count).map(|number| log_entry(search(1_000 + number), "ordinary")).collect()).await;
    }

    pub(crate) async fn rows(&self) -> Vec<LogRow> {
        let rows = self.store.log_rows(log_query(LogSpan::After(api::LogSeq(0))));
        rows.try_collect().await.expect("the log can be read")
    }

    /// A path in the temporary folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.installation.folder().join(name)
    }

    /// The files of unfinished exports.
    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.installation.folder()).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "part")).collect()
    }

    /// Starts the program with its output piped.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(workspace_program("search4letters"));
        command.arg("--data").arg(self.installation.folder()).args(arguments);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(database) = &self.postgres {
            command.env("DATABASE_URL", database.url());
        }
        command.spawn().expect("built before the tests")
    }

    /// Runs the program in a shell that redirects its standard output.
    pub(crate) async fn run_in_shell(&self, arguments: &[&str], redirection: &str) -> Output {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!("exec \"$0\" \"$@\" {redirection}")).arg(workspace_program("search4letters"));
        shell.arg("--data").arg(self.installation.folder()).args(arguments).env_clear();
        shell.output().await.expect("every system has a shell")
    }

    /// Runs the program and returns its output. Panics if it fails.
    pub(crate) async fn prints(&self, arguments: &[&str]) -> String {
        let ended = self.spawn(arguments).wait_with_output().await.expect("our own child");
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), complaint.as_str()), (Some(0), ""), "{arguments:?}");
        String::from_utf8(ended.stdout).expect("UTF-8")
    }
}
