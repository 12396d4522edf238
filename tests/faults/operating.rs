//! Runs the commands of docs/operating.md exactly as they are printed there.

mod postgres;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use api::{Receipt, Recorded, SearchId};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, profile_folder};
use tokio::process::Command;
use tokio::time::timeout;

use crate::client_log::ClientLog;
use crate::tables::Lock;
use crate::verdict::{all_receipts_done, assert_ledger_adds_up};

const TEXT: &str = include_str!("../../docs/operating.md");
/// Files that may name environment variables.
const FILES: [&str; 6] = [
    include_str!("../../deploy/systemd/environment.example"),
    include_str!("../../deploy/systemd/search4letters.service"),
    include_str!("../../deploy/systemd/search4letters-web.service"),
    include_str!("../../deploy/systemd/search4letters-work@.service"),
    include_str!("../../deploy/container/compose.yaml"),
    include_str!("../../deploy/container/Dockerfile"),
];
/// The start of the first line of a tested block. The block's name follows.
const MARK: &str = "# tested: ";
const FENCE: &str = "\n```";
/// Far longer than any block takes with a test's few rows.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs a block in a shell with these variables set and `search4letters` installed, as in the guide. Returns its
/// output. Panics if it fails.
async fn run_block(name: &str, variables: &[(&str, &str)]) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(profile_folder()).chain(std::env::split_paths(&path)));
    let mut shell = Command::new("sh");
    // Stops after a failed command, as an administrator would.
    shell.args(["-e", "-u", "-c", block(name)]).stdin(Stdio::null()).kill_on_drop(true).env_clear();
    shell.env("PATH", path.expect("no folder of ours has a colon in it")).envs(variables.iter().copied());
    let ended = timeout(TIMEOUT, shell.output()).await;
    let ended = ended.unwrap_or_else(|_| panic!("{name} still runs after {TIMEOUT:?}"));
    let ended = ended.expect("every system has a shell");
    let printed = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(ended.status.success(), "{name}: {}\n{printed}", ended.status);
    printed
}

fn block(name: &str) -> &'static str {
    let begins = |(marked, _): &(&str, &str)| *marked == name;
    blocks().find(begins).unwrap_or_else(|| panic!("docs/operating.md has no block {name}")).1
}

/// The name and the commands of each block.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split(FENCE).filter_map(|part| part.strip_prefix("sh\n")?.strip_prefix(MARK)?.split_once('\n'))
}

#[test]
fn the_blocks_marked_as_tested_are_tested() {
    let named: BTreeSet<_> = blocks().map(|(name, _)| name).collect();
    let tested = [
        "grant",
        "backup-sqlite",
        "restore-sqlite",
        "backup-postgres",
        "restore-postgres",
        "replay",
        "long-transactions",
    ];
    assert_eq!(named, BTreeSet::from(tested));
    assert_eq!(blocks().count(), TEXT.matches(&format!("\n{MARK}")).count());
}

#[tokio::test]
async fn the_documented_settings_are_those_of_the_program() {
    let help = Installation::new().run(&["--help"]).await.output;
    let there = settings(&help);
    assert!(there.len() > 10, "{help}");
    assert_eq!(settings(TEXT), there, "in docs/operating.md, and in --help");
    for file in FILES {
        let unknown: Vec<_> = settings(file).difference(&there).copied().collect();
        assert!(unknown.is_empty(), "{unknown:?} in deploy/, and not in --help");
    }
}

/// The environment variables that a text names.
fn settings(text: &str) -> BTreeSet<&str> {
    let is_other = |c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let ours =
        |word: &&str| word.starts_with("SEARCH4LETTERS_") || ["DATABASE_URL", "DATABASE_LISTEN_URL"].contains(word);
    text.split(is_other).filter(ours).collect()
}

/// The searches that had been answered at some point.
pub(super) struct Promises {
    searches: BTreeSet<SearchId>,
    receipts: Vec<Receipt>,
}

impl Promises {
    pub(super) fn so_far(client_log: &ClientLog) -> Self {
        let mut promises = Self { searches: BTreeSet::new(), receipts: Vec::new() };
        promises.add(client_log, Recorded::Accepted);
        promises.add(client_log, Recorded::Spooled);
        promises
    }

    /// Adds the searches with this answer so far.
    pub(super) fn add(&mut self, client_log: &ClientLog, recorded: Recorded) {
        let (searches, receipts) = (client_log.searches(recorded), client_log.receipts(recorded));
        self.searches.extend(searches);
        self.receipts.extend(receipts);
    }

    /// Waits until the running server has done all jobs. Panics unless each of these searches is in the log once, their
    /// receipts are final, the ledger adds up, and further searches are counted correctly.
    pub(super) async fn check(
        self,
        restored: &Installation,
        client_log: &ClientLog,
        mut log: impl AsyncFnMut() -> Vec<SearchId>,
    ) {
        let client = restored.client();
        eventually("the restored server has written all rows", async || {
            let figures = ledger(&client).await;
            let (recorded, accepted) = (figures("{place=\"recorded\"}"), figures("_accepted"));
            (recorded == accepted).then_some(())
        })
        .await;
        let rows = log().await;
        let logged: BTreeSet<_> = rows.iter().copied().collect();
        assert_eq!(logged.len(), rows.len(), "a search is in the log twice");
        let lost: Vec<_> = self.searches.difference(&logged).collect();
        assert!(lost.is_empty(), "{} of {} are not in the log: {lost:?}", lost.len(), self.searches.len());
        assert!(logged.iter().all(|id| client_log.phrases().contains_key(id)), "a row is not from this test");
        all_receipts_done(&client, self.receipts).await;
        assert_ledger_adds_up(restored).await;
        for _ in 0..40 {
            assert_ne!(client_log.search(&client).await.expect("the server answers"), Recorded::NotRecorded);
        }
        all_counted(&client, &mut log).await;
        assert!(log().await.len() == rows.len() + 40, "each search since the restore has a row");
        assert_ledger_adds_up(restored).await;
    }
}

/// Waits until the ledger's accepted and recorded searches equal the number of rows.
pub(super) async fn all_counted(client: &HttpClient, mut log: impl AsyncFnMut() -> Vec<SearchId>) {
    eventually("each row is counted once", async || {
        let figures = ledger(client).await;
        let rows = u64::try_from(log().await.len()).ok();
        (figures("_accepted") == rows && figures("{place=\"recorded\"}") == rows).then_some(())
    })
    .await;
}

/// The ledger's figures, as a monitor reads them.
async fn ledger(client: &HttpClient) -> impl Fn(&str) -> Option<u64> + use<> {
    let answer = client.get("/metrics").await.expect("the server answers");
    move |figure| {
        let name = format!("search4letters_ledger{figure} ");
        answer.body.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    }
}

/// Slow enough that a backup meets unfinished jobs.
const SLOWLY: &[&str] = &["--log-delay", "300ms"];

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_all_searches_answered_before() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(SLOWLY).await;
    let mut load = client_log.load(&server.client(), 8);
    load.answered(400).await;
    let promises = Promises::so_far(&client_log);
    let backup = back_up(&installation).await;
    load.answered_more(100).await;
    load.stop().await;
    server.kill().await;
    restored(backup.path(), &client_log, promises).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_includes_the_spool() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(SLOWLY).await;
    let mut load = client_log.load(&server.client(), 8);
    load.answered(100).await;
    let lock = Lock::take(&installation.database()).await;
    client_log.counts_more(api::Recorded::Spooled, 50).await;
    let promises = Promises::so_far(&client_log);
    let backup = back_up(&installation).await;
    lock.release().await;
    load.answered_more(100).await;
    load.stop().await;
    server.kill().await;
    restored(backup.path(), &client_log, promises).await;
}

async fn back_up(installation: &Installation) -> tempfile::TempDir {
    let backup = tempfile::tempdir().expect("a temporary folder");
    let variables = [("DATA", text(installation.folder())), ("BACKUP", text(backup.path()))];
    let printed = run_block("backup-sqlite", &variables).await;
    assert_eq!(printed.lines().last(), Some("ok"), "{printed}");
    backup
}

async fn restored(backup: &Path, client_log: &ClientLog, promises: Promises) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("restored");
    run_block("restore-sqlite", &[("BACKUP", text(backup)), ("RESTORED", text(&data))]).await;
    let installation = Installation::new().with_data(&data);
    let database = data.join("search4letters.db");
    assert!(open_jobs(&database).await > 0, "the backup contains no unfinished job");
    let _server = installation.start(&[]).await;
    promises.check(&installation, client_log, async || log(&database).await).await;
}

async fn open_jobs(database: &PathBuf) -> i64 {
    let sql = "select count(*) from job where state <> 'done'";
    sqlx::query_scalar(sql).fetch_one(&mut connect(database).await).await.expect("table job is there")
}

async fn log(database: &PathBuf) -> Vec<SearchId> {
    let ids =
        sqlx::query_scalar::<_, String>("select search_id from log").fetch_all(&mut connect(database).await).await;
    let ids = ids.expect("table log is there");
    ids.into_iter().map(|id| id.parse().expect("search ids are ULIDs")).collect()
}

async fn connect(database: &PathBuf) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database);
    SqliteConnection::connect_with(&options).await.expect("it was restored")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("our own paths are UTF-8")
}
