//! What the machine itself takes meanwhile: no server on it can answer sooner.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tests::http_client::HttpClient;
use tests::server_process::Installation;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep};

use crate::journal::Journal;

/// The quarter of a second after which the server turns to its spool, and something for all else. Less than SQLite's
/// patience with a lock, which is 5 s.
const ALLOWANCE: Duration = Duration::from_millis(250 + 1_500);
/// Often enough to meet whatever the searches meet, too seldom to be load.
const PAUSE: Duration = Duration::from_millis(50);

/// Measures, until it is dropped, how long the simplest answer and a small durable write take.
pub(crate) struct Yardstick {
    slowest: watch::Receiver<Duration>,
    measuring: JoinHandle<()>,
}

impl Yardstick {
    pub(crate) fn hold_to(installation: &Installation) -> Self {
        let (measured, slowest) = watch::channel(Duration::ZERO);
        let file = File::create(installation.folder().join("yardstick")).expect("the folder is ours");
        let measuring = tokio::spawn(measure(installation.client(), Arc::new(file), measured));
        Self { slowest, measuring }
    }

    /// Panics if one who searched waited longer than the server may take on this machine: whatever becomes of its
    /// database, an answer waits for one write, and perhaps for the one before it.
    pub(crate) fn assert_nobody_waited(&self, journal: &Journal) {
        let (waited, measured) = (journal.take_slowest(), *self.slowest.borrow());
        let limit = ALLOWANCE + 2 * measured;
        println!("the slowest answer took {waited:?}, the machine itself {measured:?}");
        assert!(waited < limit, "somebody waited {waited:?}, where the machine itself takes {measured:?}");
    }
}

impl Drop for Yardstick {
    fn drop(&mut self) {
        self.measuring.abort();
    }
}

async fn measure(client: HttpClient, file: Arc<File>, slowest: watch::Sender<Duration>) {
    loop {
        let began = Instant::now();
        // A server that is not there answers nothing, and nobody waits for it.
        let _ = client.get("/healthz").await;
        let file = file.clone();
        let written = spawn_blocking(move || (&*file).write_all(b".").and_then(|()| file.sync_data())).await;
        written.expect("it does not panic").expect("the disk of the yardstick is well");
        let took = began.elapsed();
        slowest.send_modify(|slowest| *slowest = took.max(*slowest));
        sleep(PAUSE).await;
    }
}
