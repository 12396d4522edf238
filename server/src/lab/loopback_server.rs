//! A server of the lab's own: real, on loopback, and apart from the one that serves the pages.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::endpoints::{Waits, routes};
use crate::platform::random::Random;

/// As many as may come at the same moment: a run's requests.
const BACKLOG: u32 = 2_048;

/// Serves the lab's endpoints on a port of 127.0.0.1, from a thread and a runtime of its own, so that nothing that
/// is measured shares them. Ends when it is dropped, and with it all its connections.
pub struct LoopbackServer {
    address: SocketAddr,
    _stop: DropGuard,
}

impl LoopbackServer {
    pub fn start(random: Random) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(BACKLOG)?
        };
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        thread::Builder::new().name("lab-server".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let serving = axum::serve(listener, routes(Waits::new(None, random))).into_future();
                tokio::select! {
                    () = stopped => {}
                    ended = serving => drop(ended),
                }
            });
        })?;
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    /// On 127.0.0.1.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
