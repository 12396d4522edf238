//! A store, a held clock and a worker, for tests of jobs.

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{Attempt, AttemptOutcome, JobId, JobState, TimeMs};
use async_trait::async_trait;
use futures::future::try_join_all;
use queue::{Backoff, JobError, JobOutcome, Payload, Settings, decode, encode, run_grouped};
use serde::{Deserialize, Serialize};
use store::{ClaimedJob, Clock, Enqueued, JobQueue, JobSelection, NewJob, Store, StoredJob};
use store_postgres::PostgresStore;
use store_sqlite::SqliteStore;
use tempfile::TempDir;
use tests::builders::START;
use tests::{HeldClock, PostgresCluster, PostgresDatabase, builders, eventually};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const LEASE: Duration = Duration::from_secs(15);
pub const TIMEOUT: Duration = Duration::from_secs(60);
pub const GRACE: Duration = Duration::from_secs(10);

/// What an attempt does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Succeed,
    /// Claims to have stored its result itself.
    SayStored,
    FailForNow,
    FailForGood,
    Panic,
    /// Never ends by itself.
    Hang,
    /// Ends when the test calls [`QueueHarness::open_gate`].
    WaitAtGate,
}

/// A job's payload: what each attempt does. The last act also applies to all later attempts.
#[derive(Debug, Serialize, Deserialize)]
struct Script {
    acts: Vec<Act>,
}

impl Payload for Script {
    const KIND: &'static str = "script";
    const VERSION: u32 = 1;
}

/// The kind of database that holds the jobs.
#[derive(Clone, Copy, Debug)]
pub enum DatabaseUnderTest {
    Sqlite,
    Postgres,
}

pub struct QueueHarness {
    pub store: Arc<dyn Store>,
    pub clock: Arc<HeldClock>,
    pub stop: CancellationToken,
    gate: Arc<Semaphore>,
    _storage: Storage,
}

/// The location of the database. It lives as long as the harness.
enum Storage {
    Folder { _folder: TempDir },
    Server { _database: PostgresDatabase },
}

impl QueueHarness {
    pub async fn new(database: DatabaseUnderTest) -> Self {
        let (store, storage) = match database {
            DatabaseUnderTest::Sqlite => in_a_folder().await,
            DatabaseUnderTest::Postgres => on_a_server().await,
        };
        Self {
            store,
            clock: Arc::new(HeldClock::at(START)),
            stop: CancellationToken::new(),
            gate: Arc::new(Semaphore::new(0)),
            _storage: storage,
        }
    }

    /// With a worker that has room for `slots` jobs.
    pub async fn working(database: DatabaseUnderTest, slots: usize) -> (Self, JoinHandle<()>) {
        let harness = Self::new(database).await;
        let worker = harness.start_worker(slots);
        (harness, worker)
    }

    pub fn start_worker(&self, slots: usize) -> JoinHandle<()> {
        self.start_worker_on(self.store.clone(), slots)
    }

    pub fn start_worker_on(&self, queue: Arc<dyn JobQueue>, slots: usize) -> JoinHandle<()> {
        self.start(queue, self.clock.clone(), self.settings(slots))
    }

    /// Starts a worker that collects new jobs before its next claim.
    pub fn start_debounced_worker(&self, clock: Arc<dyn Clock>, claim_debounce: Duration) -> JoinHandle<()> {
        self.start(self.store.clone(), clock, Settings { claim_debounce, ..self.settings(4) })
    }

    /// Starts a worker that shares the store with other processes.
    pub fn start_worker_beside_others(&self, clock: Arc<dyn Clock>, slots: usize) -> JoinHandle<()> {
        let settings = Settings { shares_store: true, ..self.settings(slots) };
        self.start(self.store.clone(), clock, settings)
    }

    /// Starts a worker whose jobs of one claim run together. Returns it, and how many jobs began each time.
    pub fn start_grouping_worker(&self, slots: usize) -> (JoinHandle<()>, Arc<Mutex<Vec<usize>>>) {
        let (gate, begun) = (self.gate.clone(), Arc::new(Mutex::new(Vec::new())));
        let perform = {
            let begun = begun.clone();
            move |jobs: Arc<[ClaimedJob]>| {
                begun.lock().expect("no test panics while it holds it").push(jobs.len());
                let gate = gate.clone();
                async move { try_join_all(jobs.iter().map(|job| perform(job.clone(), gate.clone()))).await.map(all) }
            }
        };
        let (clock, settings) = (self.clock.clone(), self.settings(slots));
        let run = run_grouped(self.store.clone(), clock, settings, Some(Script::KIND), perform, self.stop.clone());
        (tokio::spawn(run), begun)
    }

    fn settings(&self, slots: usize) -> Settings {
        Settings {
            worker: builders::worker("ours"),
            slots,
            claim_debounce: Duration::ZERO,
            lease: LEASE,
            timeout: TIMEOUT,
            backoff: Backoff { first: Duration::from_secs(1), limit: Duration::from_secs(60) },
            grace: GRACE,
            shares_store: false,
            jitter: Arc::new(|| 0.0),
        }
    }

    fn start(&self, queue: Arc<dyn JobQueue>, clock: Arc<dyn Clock>, settings: Settings) -> JoinHandle<()> {
        let gate = self.gate.clone();
        let perform = move |job| perform(job, gate.clone());
        tokio::spawn(queue::run(queue, clock, settings, perform, self.stop.clone()))
    }

    /// A waiting job that performs these acts, one per attempt.
    pub fn script(&self, acts: &[Act]) -> NewJob {
        let now = self.clock.steady();
        let payload = encode(&Script { acts: acts.to_vec() });
        NewJob { payload, run_at: now, now, ..builders::job(Script::KIND) }
    }

    pub async fn enqueue(&self, job: NewJob) -> JobId {
        match self.store.enqueue(job).await.expect("stored") {
            Enqueued::New(id) | Enqueued::Exists(id) => id,
        }
    }

    pub async fn add(&self, acts: &[Act]) -> JobId {
        self.enqueue(self.script(acts)).await
    }

    /// Lets one waiting attempt pass the gate.
    pub fn open_gate(&self) {
        self.gate.add_permits(1);
    }

    pub async fn job(&self, id: JobId) -> StoredJob {
        self.store.job(id).await.expect("read").expect("there")
    }

    pub async fn reaches(&self, id: JobId, state: JobState) -> StoredJob {
        let what = format!("job {} is {}", id.0, state.as_str());
        eventually(&what, async || Some(self.job(id).await).filter(|job| job.state == state)).await
    }

    pub async fn count(&self, state: JobState) -> usize {
        let page = self
            .store
            .jobs(JobSelection { state: Some(state), ..JobSelection::default() }, None, 1_000)
            .await
            .expect("read");
        page.jobs.len()
    }

    pub async fn outcomes(&self, id: JobId) -> Vec<AttemptOutcome> {
        self.attempts(id).await.iter().map(|attempt| attempt.outcome).collect()
    }

    pub async fn attempts(&self, id: JobId) -> Vec<Attempt> {
        self.store.attempts(id).await.expect("read")
    }

    /// Moves the clock from alarm to alarm while it is polled.
    pub async fn time_passes(&self) -> Infallible {
        loop {
            let next = self.clock.next_alarm().await;
            self.clock.advance(Duration::from_millis(next.since(self.clock.steady()).unsigned_abs()));
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass until the worker has ended.
    pub async fn ends(&self, worker: JoinHandle<()>) {
        tokio::select! {
            ended = worker => ended.expect("the worker does not panic"),
            never = self.time_passes() => match never {},
        }
    }

    /// Stops the worker, waits for its end, and closes the store.
    pub async fn stop_worker(self, worker: JoinHandle<()>) {
        self.stop.cancel();
        self.ends(worker).await;
        self.store.close().await;
    }
}

async fn in_a_folder() -> (Arc<dyn Store>, Storage) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("search4letters.db");
    let options = store_sqlite::Options { file, readers: 2, access: store_sqlite::Access::Owner };
    let store = SqliteStore::open(options).await.expect("opened");
    (Arc::new(store), Storage::Folder { _folder: folder })
}

async fn on_a_server() -> (Arc<dyn Store>, Storage) {
    let migrate = |url| async move { on_postgres(url).await.close().await };
    let database = PostgresCluster::shared().await.create_prepared_database(migrate).await;
    let store = on_postgres(database.url()).await;
    (Arc::new(store), Storage::Server { _database: database })
}

async fn on_postgres(url: String) -> PostgresStore {
    let options = store_postgres::Options { url, listen_url: None, connections: 3 };
    PostgresStore::open(options, store_postgres::Access::Owner).await.expect("opened")
}

/// The outcome of jobs that ran together.
fn all(outcomes: Vec<JobOutcome>) -> JobOutcome {
    outcomes.into_iter().find(|outcome| *outcome == JobOutcome::Stored).unwrap_or(JobOutcome::Done)
}

async fn perform(job: ClaimedJob, gate: Arc<Semaphore>) -> Result<JobOutcome, JobError> {
    let Script { acts } = decode(&job.payload)?;
    let last = acts.len().checked_sub(1).ok_or_else(|| JobError::Dead("an empty script".to_owned()))?;
    match acts[(job.attempt as usize - 1).min(last)] {
        Act::Succeed => Ok(JobOutcome::Done),
        Act::SayStored => Ok(JobOutcome::Stored),
        Act::FailForNow => Err(JobError::Retry("not this time".to_owned())),
        Act::FailForGood => Err(JobError::Dead("never".to_owned())),
        Act::Panic => panic!("the handler fell over"),
        Act::Hang => std::future::pending().await,
        Act::WaitAtGate => {
            gate.acquire().await.expect("the gate is never closed").forget();
            Ok(JobOutcome::Done)
        }
    }
}

pub struct AdjustableClock {
    seconds: Arc<HeldClock>,
    back_ms: AtomicI64,
}

impl AdjustableClock {
    pub fn of(seconds: Arc<HeldClock>) -> Self {
        Self { seconds, back_ms: AtomicI64::new(0) }
    }

    pub fn set_back(&self, by: Duration) {
        self.back_ms.fetch_add(TimeMs(0).after(by).0, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for AdjustableClock {
    fn wall(&self) -> TimeMs {
        self.seconds.wall()
    }

    fn steady(&self) -> TimeMs {
        TimeMs(self.seconds.steady().0 - self.back_ms.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, time: TimeMs) {
        let then = time.0.saturating_add(self.back_ms.load(Ordering::SeqCst));
        self.seconds.sleep_until(TimeMs(then)).await;
    }
}
