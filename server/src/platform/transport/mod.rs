//! Accepts connections, up to a limit, and keeps accepting whatever happens to any of them.

mod activity;
mod connection;
mod long_address;
mod open_files;
mod socket;

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use prometheus_client::metrics::gauge::Gauge;
use store::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::connection::Connection;
use super::limits::Counted;

pub use open_files::{connections_that_fit, raise_open_files};

/// A cause that prevents accepting, such as a lack of files, lasts longer than a moment: retrying at once would only
/// keep the processor busy.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Everything needed to serve connections.
#[derive(Clone)]
pub struct Transport {
    pub clock: Arc<dyn Clock>,
    /// Ends all connections when cancelled.
    pub stop: CancellationToken,
    /// Connections that are open now.
    pub open: Gauge,
    /// How many connections may be open at once.
    pub limit: u32,
}

/// What all connections share.
struct Shared {
    transport: Transport,
    router: Router,
    protocols: Builder<TokioExecutor>,
}

impl Transport {
    /// Serves `router` until the server stops. Returns when the last connection has ended.
    pub async fn serve(self, listener: TcpListener, router: Router) {
        let permits = Permits::new(self.limit);
        let shared = Arc::new(Shared { router, protocols: connection::protocols(), transport: self });
        let accepts = async {
            loop {
                let permit = permits.acquire().await;
                let (stream, peer) = accept(&listener, &*shared.transport.clock).await;
                tokio::spawn(shared.clone().serve(stream, peer, permit));
            }
        };
        tokio::select! {
            () = shared.transport.stop.cancelled() => {}
            () = accepts => {}
        }
        // From now on the kernel refuses clients, so they can try elsewhere at once.
        drop(listener);
        permits.all_returned().await;
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let _permit = permit;
        let _counted = Counted::on(&self.transport.open);
        let connection =
            Connection { transport: &self.transport, router: &self.router, protocols: &self.protocols, peer };
        connection.serve(stream).await;
    }
}

/// Limits open connections. Further ones wait in the kernel's accept queue.
struct Permits {
    semaphore: Arc<Semaphore>,
    limit: u32,
    /// Logged once: under attack it would be logged for each connection.
    logged_full: Once,
}

impl Permits {
    fn new(limit: u32) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(limit as usize)), limit, logged_full: Once::new() }
    }

    async fn acquire(&self) -> OwnedSemaphorePermit {
        if self.semaphore.available_permits() == 0 {
            self.logged_full.call_once(|| {
                tracing::warn!(limit = self.limit, "all connections are in use; new ones wait. See --connections");
            });
        }
        self.semaphore.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    async fn all_returned(&self) {
        drop(self.semaphore.acquire_many(self.limit).await.expect("the semaphore is never closed"));
    }
}

/// Accepts the next connection. Retries after failures.
async fn accept(listener: &TcpListener, clock: &dyn Clock) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_gone(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted; trying again in a second");
                clock.sleep_until(clock.steady().after(AFTER_FAILURE)).await;
            }
        }
    }
}

/// Whether the error concerns only one peer, which left while it was waiting.
fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}
