//! The network between a process and its database, which can be cut.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// It arrives.
    Whole,
    /// It vanishes, and nobody is told: new connections are taken, and nothing comes of them.
    Silent,
    /// Each connection ends, new ones at once.
    Closed,
}

/// A port of this machine that leads to another. Gone when it is dropped.
pub(super) struct Proxy {
    port: u16,
    network: watch::Sender<Network>,
    forwarding: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("some port is free");
        let own_port = listener.local_addr().expect("it listens").port();
        let network = watch::Sender::new(Network::Whole);
        let forwarding = tokio::spawn(forward(listener, port, network.clone()));
        Self { port: own_port, network, forwarding }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What was on its way in a network that was silent is gone, and the connections it was on with it.
    pub(super) fn becomes(&self, network: Network) {
        self.network.send_replace(network);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

async fn forward(listener: TcpListener, port: u16, network: watch::Sender<Network>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(connection(near, port, network.subscribe()));
    }
}

async fn connection(mut near: TcpStream, port: u16, mut network: watch::Receiver<Network>) {
    if *network.borrow() == Network::Whole {
        let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = network.wait_for(|network| *network != Network::Whole) => {}
        }
        // The far end is closed here: a server of which nobody is heard for long gives a connection up.
    }
    // Held open while nothing arrives.
    let _ = network.wait_for(|network| *network != Network::Silent).await;
    drop(near);
}
