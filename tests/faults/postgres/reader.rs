//! Somebody who has the live log open in a browser.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::LogRow;
use tests::http_client::HttpClient;
use tests::{eventually, within};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::table::Tables;

/// As a browser waits before it connects again.
const COME_BACK_AFTER: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(20);

/// Follows the log from its first row on, and comes back where its stream ends. Goes when it is dropped.
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

    /// When the row with this phrase came.
    pub(super) async fn comes(&self, phrase: &str) -> Instant {
        eventually("the row comes", async || {
            self.read().iter().rev().find(|(row, _)| row.phrase == phrase).map(|(_, at)| *at)
        })
        .await
    }

    /// The rows' numbers in the order in which they came.
    pub(super) fn numbers(&self) -> Vec<i64> {
        self.read().iter().map(|(row, _)| row.seq.0).collect()
    }

    /// Waits until as many rows have come as there are. Panics unless they are those of the table: in its order, none
    /// missing, none twice.
    pub(super) async fn has_read_all(&self, tables: &mut Tables) {
        let there = tables.numbers("select id from log order by id").await;
        within(PATIENCE, async || (self.read().len() >= there.len()).then_some(())).await;
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
