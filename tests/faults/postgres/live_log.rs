//! The live log of one process shows rows that other processes write.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::LogRow;
use tests::http_client::HttpClient;
use tests::workload::usual_or_long;
use tests::{eventually, within};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::client_log::ClientLog;
use crate::postgres::{Deployment, WEB};
use crate::tables::Tables;
use crate::verdict::administrator;

/// The pause before a reconnection, as in a browser.
const COME_BACK_AFTER: Duration = Duration::from_millis(200);
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Follows the log from its first row, and reconnects where its stream ended. Stops when dropped.
pub(super) struct Reader {
    read: Arc<Mutex<Vec<(LogRow, Instant)>>>,
    reading: JoinHandle<()>,
}

impl Reader {
    /// `client` is logged in.
    pub(super) fn begin(client: &HttpClient) -> Self {
        let read = Arc::default();
        Self { reading: tokio::spawn(read_on(client.clone(), Arc::clone(&read))), read }
    }

    /// Waits for the row with this phrase, and returns its arrival time.
    pub(super) async fn comes(&self, phrase: &str) -> Instant {
        eventually("the row comes", async || {
            self.read().iter().rev().find(|(row, _)| row.phrase == phrase).map(|(_, at)| *at)
        })
        .await
    }

    /// The rows' numbers in the order of arrival.
    pub(super) fn numbers(&self) -> Vec<i64> {
        self.read().iter().map(|(row, _)| row.seq.0).collect()
    }

    /// Waits until as many rows have arrived as the table has. Panics unless they are the table's rows, in its order,
    /// without gaps or duplicates.
    pub(super) async fn has_read_all(&self, tables: &mut Tables) {
        let there = tables.numbers("select id from log order by id").await;
        within(READ_TIMEOUT, async || (self.read().len() >= there.len()).then_some(())).await;
        let read = self.numbers();
        let missing: Vec<_> = there.iter().filter(|number| !read.contains(number)).take(9).collect();
        assert!(read == there, "{} rows of {} were read; missing, for instance: {missing:?}", read.len(), there.len());
    }

    fn read(&self) -> MutexGuard<'_, Vec<(LogRow, Instant)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read_on(client: HttpClient, read: Arc<Mutex<Vec<(LogRow, Instant)>>>) {
    let mut last_event = None::<String>;
    loop {
        if let Ok(mut stream) = client.listen("/api/admin/log/events", last_event.as_deref()).await {
            while let Some(event) = stream.next().await {
                last_event = event.id.clone().or(last_event);
                if event.name == "row" {
                    read.lock().unwrap_or_else(PoisonError::into_inner).push((event.json(), Instant::now()));
                }
            }
        }
        sleep(COME_BACK_AFTER).await;
    }
}

/// Delays commits after rows have got their numbers, so that later rows may be committed first.
const LATE: &str = "create function late() returns trigger language plpgsql as
     $$ begin perform pg_sleep(random() * 0.05); return null; end $$;
     create trigger late after insert on log for each statement execute function late()";
/// The time within which a row must arrive everywhere.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_process_arrive_within_a_second() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let (at_web, at_other_web, at_worker) =
        (deployment.installation(), deployment.installation(), deployment.installation());
    let _web = at_web.start(WEB).await;
    let other_web = at_other_web.start(WEB).await;
    let _worker = at_worker.start_worker(&[]).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let mut took = Vec::new();
    for _ in 0..21 {
        assert!(client_log.search(&other_web.client()).await.is_some());
        let answered = tokio::time::Instant::now();
        let phrases = client_log.phrases();
        let (_, phrase) = phrases.last_key_value().expect("a search was sent");
        took.push(reader.comes(phrase).await.saturating_duration_since(answered));
    }
    took.sort();
    println!("from the answer to the row on another process: {:?}, at most {:?}", took[10], took[20]);
    // The median, because a busy machine may delay single rows.
    assert!(took[10] < SOON, "{took:?}");
    deployment.assert_complete(&at_web, &client_log).await;
    reader.has_read_all(&mut deployment.tables().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_misses_or_doubles_a_row_that_is_committed_late() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let installations =
        [deployment.installation(), deployment.installation(), deployment.installation(), deployment.installation()];
    let webs = [installations[0].start(WEB).await, installations[1].start(WEB).await];
    let _workers = [installations[2].start_worker(&[]).await, installations[3].start_worker(&[]).await];
    let mut tables = deployment.tables().await;
    tables.run(LATE).await;
    let administrator = administrator(&installations[0]).await;
    let readers: Vec<_> = (0..4).map(|_| Reader::begin(&administrator)).collect();
    let mut loads = webs.each_ref().map(|web| client_log.load(&web.client(), 8));
    for load in &mut loads {
        load.answered(usual_or_long(500, 20_000)).await;
    }
    for load in loads {
        load.stop().await;
    }
    deployment.assert_complete(&installations[0], &client_log).await;
    let workers = "select count(distinct done_by) from job";
    assert_eq!(tables.number(workers).await, 2, "only one worker has written");
    for reader in &readers {
        reader.has_read_all(&mut tables).await;
    }
}
