//! The clients: their searches and answers, their load, and their waiting times.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::{Receipt, Recorded, SearchAnswer, SearchId};
use tests::http_client::HttpClient;
use tests::server_process::Installation;
use tests::{DEADLINE, within};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// An arbitrary time: the ids differ in their lower half.
const ID_TIME_MS: u64 = 1_700_000_000_000;
/// A stopped server refuses connections immediately, so clients without a pause would overload the machine.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// Longer than any outage or delay in these tests.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The searches and their answers. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct ClientLog(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    asked: u64,
    /// The best answer to each search.
    answered: BTreeMap<SearchId, Answer>,
    /// How often a search was repeated because there was no answer.
    repeated: u64,
    slowest: Duration,
}

#[derive(Clone, Debug)]
struct Answer {
    recorded: Recorded,
    receipt: Option<Receipt>,
}

impl ClientLog {
    /// Searches once with a new id. `None` means no answer: the search may or may not have been recorded.
    pub(crate) async fn search(&self, client: &HttpClient) -> Option<Recorded> {
        let number = self.new_searches(1).start;
        self.ask(client, number).await
    }

    /// Searches with a new id, and repeats the search with the same id until it is answered.
    pub(crate) async fn search_until_answered(&self, client: &HttpClient) -> Recorded {
        let number = self.new_searches(1).start;
        let answered = async {
            loop {
                if let Some(recorded) = self.ask(client, number).await {
                    return recorded;
                }
                self.entries().repeated += 1;
                sleep(RETRY_AFTER).await;
            }
        };
        timeout(ANSWER_TIMEOUT, answered)
            .await
            .unwrap_or_else(|_| panic!("not answered within {ANSWER_TIMEOUT:?}: search {number}"))
    }

    /// Starts clients that end if they get no answer.
    pub(crate) fn load(&self, client: &HttpClient, clients: usize) -> Load {
        Load::start(self, client, clients, OnNoAnswer::GiveUp)
    }

    /// Starts clients that repeat a search if they get no answer.
    pub(crate) fn retrying_load(&self, client: &HttpClient, clients: usize) -> Load {
        Load::start(self, client, clients, OnNoAnswer::Retry)
    }

    /// Registers searches whose jobs the caller adds to the database itself.
    pub(crate) fn promise(&self, count: u64) -> Vec<(SearchId, String)> {
        let numbers = self.new_searches(count);
        let promised = Answer { recorded: Recorded::Accepted, receipt: None };
        self.entries().answered.extend(numbers.clone().map(|number| (id(number), promised.clone())));
        numbers.map(|number| (id(number), phrase(number))).collect()
    }

    /// The receipts of the searches with this answer.
    pub(crate) fn receipts(&self, recorded: Recorded) -> Vec<Receipt> {
        let entries = self.entries();
        let those = entries.answered.values().filter(|answered| answered.recorded == recorded);
        those.filter_map(|answered| answered.receipt.clone()).collect()
    }

    /// The searches with this answer.
    pub(crate) fn searches(&self, recorded: Recorded) -> BTreeSet<SearchId> {
        let entries = self.entries();
        entries.answered.iter().filter(|(_, answered)| answered.recorded == recorded).map(|(id, _)| *id).collect()
    }

    pub(crate) fn count(&self, recorded: Recorded) -> usize {
        self.entries().answered.values().filter(|answered| answered.recorded == recorded).count()
    }

    /// Waits until this many more searches have this answer.
    pub(crate) async fn counts_more(&self, recorded: Recorded, more: usize) {
        let (before, asked) = (self.count(recorded), self.entries().asked);
        let counted = async || (self.count(recorded) >= before + more).then_some(());
        if within(DEADLINE, counted).await.is_none() {
            let (now, asked) = (self.count(recorded), self.entries().asked - asked);
            panic!("{} of {more} searches were answered with {recorded:?}; {asked} were asked", now - before);
        }
    }

    /// The searches whose rows were promised: all answered ones, except those answered as not recorded.
    pub(crate) fn promised(&self) -> BTreeSet<SearchId> {
        let entries = self.entries();
        let promised = entries.answered.iter().filter(|(_, answered)| answered.recorded != Recorded::NotRecorded);
        promised.map(|(id, _)| *id).collect()
    }

    /// The phrases of all searches, answered or not.
    pub(crate) fn phrases(&self) -> BTreeMap<SearchId, String> {
        (0..self.entries().asked).map(|number| (id(number), phrase(number))).collect()
    }

    pub(crate) fn repeated(&self) -> u64 {
        self.entries().repeated
    }

    /// The time of the slowest answer since the last call.
    pub(crate) fn take_slowest(&self) -> Duration {
        std::mem::take(&mut self.entries().slowest)
    }

    fn new_searches(&self, count: u64) -> Range<u64> {
        let mut entries = self.entries();
        entries.asked += count;
        entries.asked - count..entries.asked
    }

    async fn ask(&self, client: &HttpClient, number: u64) -> Option<Recorded> {
        let (id, phrase) = (id(number), phrase(number));
        let fields = [("phrase", phrase.as_str()), ("letters", "aeiou"), ("id", &id.to_string())];
        let began = Instant::now();
        let answer = client.post_form("/api/search", &fields).await.ok()?;
        let took = began.elapsed();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer: SearchAnswer = answer.json();
        assert_eq!((answer.id, answer.phrase), (id, phrase), "the answer belongs to the request");

        let mut entries = self.entries();
        entries.slowest = entries.slowest.max(took);
        let new = Answer { recorded: answer.recorded, receipt: Some(answer.receipt) };
        let best = entries.answered.entry(id).or_insert_with(|| new.clone());
        // A later answer does not revoke a promise.
        if best.recorded == Recorded::NotRecorded {
            *best = new;
        }
        Some(answer.recorded)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id(number: u64) -> SearchId {
    SearchId::from_parts(ID_TIME_MS, number.into())
}

fn phrase(number: u64) -> String {
    format!("life, the universe and search {number}")
}

pub(crate) struct Load {
    answers: watch::Receiver<u64>,
    stop: CancellationToken,
    clients: JoinSet<()>,
}

/// What a client does if it gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnNoAnswer {
    /// It ends.
    GiveUp,
    /// It repeats the search with the same id.
    Retry,
}

impl Load {
    pub(crate) fn start(client_log: &ClientLog, client: &HttpClient, clients: usize, on_no_answer: OnNoAnswer) -> Self {
        let (count, answers) = watch::channel(0);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let (client_log, client, count, stop) = (client_log.clone(), client.clone(), count.clone(), stop.clone());
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    let answer = match on_no_answer {
                        OnNoAnswer::GiveUp => client_log.search(&client).await,
                        OnNoAnswer::Retry => Some(client_log.search_until_answered(&client).await),
                    };
                    let Some(_) = answer else { return };
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        Self { answers, stop, clients: tasks }
    }

    /// Waits until this many searches of this load were answered.
    pub(crate) async fn answered(&mut self, count: u64) {
        self.answers.wait_for(|answers| *answers >= count).await.expect("clients continue while the server runs");
    }

    /// Waits until this many more were answered.
    pub(crate) async fn answered_more(&mut self, count: u64) {
        let before = *self.answers.borrow();
        self.answered(before + count).await;
    }

    /// Waits until every client has lost the server. Panics after a wrong answer.
    pub(crate) async fn ended(mut self) {
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("every answer was correct");
        }
    }

    /// Lets each client finish its search, and stops it.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.ended().await;
    }
}

/// The 250 ms after which the server uses its spool, and a margin. Shorter than SQLite's busy timeout of 5 s.
const ALLOWANCE: Duration = Duration::from_millis(250 + 1_500);
/// Often enough to meet the same delays as the searches, and too rare to add load.
const PAUSE: Duration = Duration::from_millis(50);

/// Measures until it is dropped how long the simplest response and a small durable write take on this machine.
pub(crate) struct LatencyBaseline {
    slowest: watch::Receiver<Duration>,
    measuring: JoinHandle<()>,
}

impl LatencyBaseline {
    pub(crate) fn measure(installation: &Installation) -> Self {
        let (measured, slowest) = watch::channel(Duration::ZERO);
        let file = File::create(installation.folder().join("baseline")).expect("our own folder");
        let measuring = tokio::spawn(keep_measuring(installation.client(), Arc::new(file), measured));
        Self { slowest, measuring }
    }

    /// Panics if a client waited longer than the server may take on this machine: even without a database an answer waits
    /// for one write, and perhaps for the one before it.
    pub(crate) fn assert_no_client_waited(&self, client_log: &ClientLog) {
        let (waited, measured) = (client_log.take_slowest(), *self.slowest.borrow());
        let limit = ALLOWANCE + 2 * measured;
        println!("the slowest answer took {waited:?}, the machine itself {measured:?}");
        assert!(waited < limit, "a client waited {waited:?}, although the machine itself takes only {measured:?}");
    }
}

impl Drop for LatencyBaseline {
    fn drop(&mut self) {
        self.measuring.abort();
    }
}

async fn keep_measuring(client: HttpClient, file: Arc<File>, slowest: watch::Sender<Duration>) {
    loop {
        let began = Instant::now();
        // While the server is down there is no response, and no client waits for one.
        let _ = client.get("/healthz").await;
        let file = file.clone();
        let written = spawn_blocking(move || (&*file).write_all(b".").and_then(|()| file.sync_data())).await;
        written.expect("it does not panic").expect("the baseline's disk works");
        let took = began.elapsed();
        slowest.send_modify(|slowest| *slowest = took.max(*slowest));
        sleep(PAUSE).await;
    }
}
