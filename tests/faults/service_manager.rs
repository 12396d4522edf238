//! What systemd is told, by a socket that stands in for it.

use std::time::Duration;

use tempfile::TempDir;
use tests::server_process::Installation;
use tokio::net::UnixDatagram;
use tokio::time::timeout;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a service manager listens.
pub(crate) struct ServiceManager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl ServiceManager {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket can be made there");
        Self { socket, folder }
    }

    /// An installation whose processes tell it how they are, and a sign of life twice in each `watchdog`.
    pub(crate) fn watches(&self, installation: Installation, watchdog: Duration) -> Installation {
        installation
            .with_variable("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .with_variable("WATCHDOG_USEC", watchdog.as_micros().to_string())
    }

    /// Waits until it is told something with `line` in it, and returns all of that.
    pub(crate) async fn is_told(&self, line: &str) -> String {
        let told = timeout(PATIENCE, async {
            loop {
                let news = self.next().await;
                if news.lines().any(|told| told == line) {
                    return news;
                }
            }
        });
        told.await.unwrap_or_else(|_| panic!("not told within {PATIENCE:?}: {line}"))
    }

    async fn next(&self) -> String {
        let mut news = [0; 4096];
        let length = self.socket.recv(&mut news).await.expect("it is bound");
        String::from_utf8_lossy(&news[..length]).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_its_manager_when_it_is_ready_that_it_lives_and_that_it_stops() {
    let manager = ServiceManager::new();
    let installation = manager.watches(Installation::new(), Duration::from_millis(200));
    let server = installation.launch(&[]);
    let ready = manager.is_told("READY=1").await;
    assert!(ready.contains(&format!("STATUS=serving {}", installation.url())), "{ready}");
    assert_eq!(installation.client().get("/readyz").await.expect("it listens by then").status, 200);
    for _ in 0..3 {
        manager.is_told("WATCHDOG=1").await;
    }
    assert!(server.terminate(PATIENCE).await.success());
    let stopping = manager.is_told("STOPPING=1").await;
    assert!(stopping.contains("STATUS=stopping"), "{stopping}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_nothing_gives_no_sign_of_life() {
    let manager = ServiceManager::new();
    let watchdog = Duration::from_millis(200);
    let installation = manager.watches(Installation::new(), watchdog);
    let server = installation.launch(&[]);
    manager.is_told("WATCHDOG=1").await;
    server.freeze();
    // What was sent before is still in the socket; after that there is nothing for longer than systemd would wait.
    while let Ok(news) = timeout(watchdog * 3, manager.next()).await {
        assert!(news.contains("WATCHDOG=1"), "{news}");
    }
    server.thaw();
    manager.is_told("WATCHDOG=1").await;
}
