//! Accepts connections, as many as there is room for, whatever becomes of any of them.

mod activity;
mod connection;
mod open_files;

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use store::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app_state::Environment;
use crate::system::metrics::Counted;
use connection::Connection;
pub use open_files::{connections_that_fit, raise_open_files};

/// What keeps a connection from being accepted, no file left for it for instance, lasts longer
/// than a moment: to try again at once would only keep the processor busy.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Serves `routes` on up to `limit` connections at a time until the server stops. Returns when the last one has ended.
pub async fn serve(listener: TcpListener, routes: Router, env: Arc<Environment>, limit: u32) {
    let room = Room::of(limit);
    let front = Arc::new(Front { router: routes, protocols: connection::protocols(), env });
    let accepts = async {
        loop {
            let place = room.place().await;
            let (stream, peer) = accept(&listener, &*front.env.clock).await;
            tokio::spawn(front.clone().serve(stream, peer, place));
        }
    };
    tokio::select! {
        () = front.env.stop.cancelled() => {}
        () = accepts => {}
    }
    // Who comes now is refused by the system, and can go elsewhere at once.
    drop(listener);
    room.is_empty().await;
}

/// What all connections share.
struct Front {
    env: Arc<Environment>,
    router: Router,
    protocols: Builder<TokioExecutor>,
}

impl Front {
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        let _place = place;
        let _counted = Counted::on(&self.env.metrics.connections);
        let connection = Connection { env: &self.env, router: &self.router, protocols: &self.protocols, peer };
        connection.serve(stream).await;
    }
}

/// The places for connections. Who finds none stays in the kernel's queue until somebody leaves.
struct Room {
    places: Arc<Semaphore>,
    limit: u32,
    /// Said once: under siege it would be said for each connection.
    said_full: Once,
}

impl Room {
    fn of(limit: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(limit as usize)), limit, said_full: Once::new() }
    }

    async fn place(&self) -> OwnedSemaphorePermit {
        if self.places.available_permits() == 0 {
            self.said_full.call_once(|| {
                tracing::warn!(limit = self.limit, "all connections are in use; new ones wait. See --connections");
            });
        }
        self.places.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Returns once nobody has a place any more.
    async fn is_empty(&self) {
        drop(self.places.acquire_many(self.limit).await.expect("the semaphore is never closed"));
    }
}

/// The next connection, after however many failures.
async fn accept(listener: &TcpListener, clock: &dyn Clock) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if has_left(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted; trying again in a second");
                clock.sleep_until(clock.steady().after(AFTER_FAILURE)).await;
            }
        }
    }
}

/// Whether only the one peer is concerned, which left while it was waiting.
fn has_left(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}
