//! The real router on a throwaway database, with a worker that runs jobs.

use std::sync::Arc;
use std::time::Duration;

use api::{JobId, LogRow, LogSeq, Role, SearchAnswer, SearchId, TimeMs};
use axum::Router;
use ipnet::IpNet;
use server::accounts::new_setup_link;
use server::app_state::{AppSettings, AppState};
use server::lab::LabResources;
use server::platform::job::LocalWorker;
use server::platform::random::{Random, Token};
use server::search::ingest::IngestSettings;
use server::worker::{JobContext, WorkerOptions, run_worker, worker_settings};
use spool::Spool;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use store::{Clock, LogEntry, LogQuery, LogSpan, NewAccount, SearchRecord, Store, SystemClock};
use store_sqlite::{Access, Options, SqliteStore};
use tempfile::TempDir;
use tests::builders::signed;
use tests::builders::{no_attempt, search_record};
use tests::eventually;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

/// The spool's size: small, so that a test can fill it.
pub const SPOOL_BYTES: u64 = 64 * 1024;

/// The settings of a test server.
pub struct TestServerBuilder {
    clock: Arc<dyn Clock>,
    random: Random,
    log_delay: Duration,
    /// The worker's slots; `None` for a server without a worker.
    slots: Option<usize>,
    trusted_proxies: Vec<IpNet>,
    accept_deadline: Duration,
    has_lab: bool,
}

pub struct TestServer {
    pub state: AppState,
    pub folder: TempDir,
    pub(crate) router: Router,
    _worker: Option<DropGuard>,
    _background: [AbortOnDropHandle<()>; 2],
}

impl TestServer {
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> TestServerBuilder {
        TestServerBuilder {
            clock: Arc::new(SystemClock::start()),
            random: Random::system(),
            log_delay: Duration::ZERO,
            slots: Some(8),
            trusted_proxies: Vec::new(),
            // Long enough that a slow disk does not divert ordinary searches to the spool.
            accept_deadline: Duration::from_secs(10),
            has_lab: true,
        }
    }

    pub fn store(&self) -> &dyn Store {
        &*self.state.store
    }

    /// All rows of the log, oldest first.
    pub async fn log(&self) -> Vec<LogRow> {
        use futures::TryStreamExt;
        let query = LogQuery { span: LogSpan::After(api::LogSeq(0)), limit: u32::MAX };
        self.store().log_rows(query).try_collect().await.expect("the log can be read")
    }

    /// The log once it has this many rows.
    pub async fn log_with_rows(&self, count: usize) -> Vec<LogRow> {
        eventually(&format!("{count} rows are in the log"), async || {
            Some(self.log().await).filter(|rows| rows.len() >= count)
        })
        .await
    }

    /// A setup link's token.
    pub async fn setup_token(&self) -> String {
        let token = new_setup_link(self.store(), &*self.state.clock, &self.state.random, None).await;
        token.expect("the store takes a link").reveal().to_owned()
    }

    /// The session cookie of a new account with this role. The account has no password.
    pub async fn session_of(&self, role: Role) -> String {
        let name = role.as_str().to_owned();
        let password_hash = "of nothing".to_owned();
        let account = NewAccount { name: name.clone(), role, password_hash, created_at: self.state.clock.wall() };
        self.store().create_account(account, &signed()).await.expect("the store takes an account");
        let token: Token = self.state.accounts.open_session(&name).await.expect("the store takes a session");
        format!("{}={}", self.cookie_name(), token.reveal())
    }

    /// Runs a statement without the product.
    pub async fn tamper(&self, statement: &str) {
        let file = format!("sqlite:{}/search4letters.db", self.folder.path().display());
        let mut database = SqliteConnection::connect(&file).await.expect("the file opens");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut database).await.expect("done");
    }

    /// The session cookie's name over plain http.
    pub fn cookie_name(&self) -> &str {
        self.state.caller_settings.session_cookie.name(false)
    }

    pub async fn admin(&self) -> String {
        self.session_of(Role::Admin).await
    }
}

impl TestServerBuilder {
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    pub fn random(self, random: Random) -> Self {
        Self { random, ..self }
    }

    pub fn log_delay(self, log_delay: Duration) -> Self {
        Self { log_delay, ..self }
    }

    pub fn slots(self, slots: usize) -> Self {
        Self { slots: Some(slots), ..self }
    }

    pub fn without_worker(self) -> Self {
        Self { slots: None, ..self }
    }

    pub fn trusting(self, proxies: &str) -> Self {
        Self { trusted_proxies: vec![proxies.parse().expect("a network")], ..self }
    }

    pub fn accept_deadline(self, accept_deadline: Duration) -> Self {
        Self { accept_deadline, ..self }
    }

    pub fn without_lab(self) -> Self {
        Self { has_lab: false, ..self }
    }

    pub async fn start(self) -> TestServer {
        let Self { clock, random, log_delay, slots, trusted_proxies, accept_deadline, has_lab } = self;
        let folder = TempDir::new().expect("a temporary folder can be made");
        let options = Options { file: folder.path().join("search4letters.db"), readers: 4, access: Access::Owner };
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options).await.expect("a new database opens"));
        let settings = slots.map(|slots| {
            let options = WorkerOptions { slots, log_delay, grace: Duration::ZERO };
            worker_settings(options, &*store, &Random::system())
        });
        let options = spool::Options { folder: folder.path().join("spool"), capacity_bytes: SPOOL_BYTES };
        let spool = Spool::open(options).expect("a new spool opens");
        let state = AppState::new(AppSettings {
            store: store.clone(),
            ingest: IngestSettings { spool, deadline: accept_deadline },
            clock: clock.clone(),
            random,
            worker: settings.as_ref().map(|settings| LocalWorker { name: settings.worker.clone(), slots: 8 }),
            trusted_proxies,
            event_streams: u32::MAX,
            lab_closed: (!has_lab).then_some("The lab is closed. Open it with --lab on."),
        });
        let state = state.await.expect("the store has a secret");
        let worker = settings.map(|settings| {
            let stop = CancellationToken::new();
            let lab = LabResources {
                open_pool: Arc::new(|| Box::pin(async { Err(anyhow::anyhow!("a server has one store")) })),
                sandbox: None,
            };
            let context = JobContext { store, clock, log_delay, lab };
            tokio::spawn(run_worker(context, settings, stop.clone()));
            stop.drop_guard()
        });
        TestServer {
            router: server::router::router(state.clone()),
            _background: state.start_background(),
            state,
            folder,
            _worker: worker,
        }
    }
}

/// The answer without the time that it took, which differs between two requests for one search.
pub fn untimed(answer: SearchAnswer) -> SearchAnswer {
    SearchAnswer { accepted_in_ms: None, ..answer }
}

pub struct BrokenTable {
    database: SqliteConnection,
    name: &'static str,
}

impl TestServer {
    /// Makes every statement on this table fail from now on.
    pub async fn break_table(&self, name: &'static str) -> BrokenTable {
        let file = format!("sqlite:{}/search4letters.db", self.folder.path().display());
        let database = SqliteConnection::connect(&file).await.expect("the file opens");
        let mut broken = BrokenTable { database, name };
        broken.run(format!("alter table {name} rename to broken_{name}")).await;
        broken
    }
}

impl BrokenTable {
    pub async fn mend(mut self) {
        self.run(format!("alter table broken_{0} rename to {0}", self.name)).await;
    }

    async fn run(&mut self, statement: String) {
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut self.database).await;
        done.expect("the table is renamed");
    }
}

pub struct Lock(SqliteConnection);

impl TestServer {
    /// Locks the database against writes.
    pub async fn lock(&self) -> Lock {
        let file = format!("sqlite:{}/search4letters.db", self.folder.path().display());
        let mut database = SqliteConnection::connect(&file).await.expect("the file opens");
        sqlx::query("begin immediate").execute(&mut database).await.expect("locked");
        Lock(database)
    }
}

impl Lock {
    pub async fn release(mut self) {
        sqlx::query("rollback").execute(&mut self.0).await.expect("released");
    }
}

/// Few enough rows that they keep their order, and enough that they share commits.
const GROUP: usize = 25;

/// Writes a row for each phrase directly into the log. Returns their consecutive numbers.
pub(crate) async fn write_log(server: &TestServer, phrases: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<LogSeq> {
    let already = server.store().last_log_seq().await.expect("the store answers").0;
    let entries: Vec<LogEntry> =
        phrases.into_iter().zip(already + 1..).map(|(phrase, number)| entry(phrase.as_ref(), number)).collect();
    let mut seqs = Vec::new();
    for some in entries.chunks(GROUP) {
        let written = some.iter().cloned().map(|entry| server.state.store.record(entry, no_attempt()));
        seqs.extend(futures::future::try_join_all(written).await.expect("the store takes rows"));
    }
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "numbered in order: {seqs:?}");
    seqs
}

fn entry(phrase: &str, number: i64) -> LogEntry {
    let (id, time) = (SearchId(number.unsigned_abs().into()), TimeMs(number));
    let (results, user_agent) = ("set()".to_owned(), "Mozilla/5.0".to_owned());
    let search = SearchRecord { results, user_agent, searched_at: time, ..search_record(id, phrase) };
    LogEntry { search, job_id: JobId(number), recorded_at: time }
}

pub(crate) fn phrases(rows: &[LogRow]) -> Vec<&str> {
    rows.iter().map(|row| row.phrase.as_str()).collect()
}
