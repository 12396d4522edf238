//! The network between the processes and their database is cut, with and without a sign of it.

use std::net::Ipv4Addr;
use std::time::Duration;

use api::{FaultKind, Recorded};
use tests::server_process::Installation;
use tests::workload::usual_or_long;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::client_log::{ClientLog, LatencyBaseline};
use crate::postgres::live_log::Reader;
use crate::postgres::{Deployment, WEB};
use crate::verdict::{administrator, ready, unready};

/// What the network does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// It delivers them.
    Whole,
    /// It drops them silently: new connections are accepted but carry no data.
    Silent,
    /// It closes all connections, new ones immediately.
    Closed,
}

/// Forwards one local port to another until it is dropped.
pub(super) struct Proxy {
    port: u16,
    network: watch::Sender<Network>,
    /// How often all connections were frozen.
    freezes: watch::Sender<u32>,
    forwarding: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("some port is free");
        let own_port = listener.local_addr().expect("it listens").port();
        let network = watch::Sender::new(Network::Whole);
        let freezes = watch::Sender::new(0);
        let forwarding = tokio::spawn(forward(listener, port, network.clone(), freezes.clone()));
        Self { port: own_port, network, freezes, forwarding }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Sets the network's state. After a silent phase, its connections and the data in transit are lost.
    pub(super) fn becomes(&self, network: Network) {
        self.network.send_replace(network);
    }

    /// Silences all present connections for ever, like a firewall that has forgotten them. New ones work.
    pub(super) fn forgets_connections(&self) {
        self.freezes.send_modify(|freezes| *freezes += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

async fn forward(listener: TcpListener, port: u16, network: watch::Sender<Network>, freezes: watch::Sender<u32>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(connection(near, port, network.subscribe(), freezes.subscribe()));
    }
}

async fn connection(
    mut near: TcpStream,
    port: u16,
    mut network: watch::Receiver<Network>,
    mut freezes: watch::Receiver<u32>,
) {
    if *network.borrow() == Network::Whole {
        let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
        let is_forgotten = tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = freezes.changed() => true,
            _ = network.wait_for(|network| *network != Network::Whole) => false,
        };
        if is_forgotten {
            // Both ends stay open until the proxy ends.
            let _ = freezes.wait_for(|_| false).await;
            return;
        }
        // The far end is closed here, as a server drops a connection that has long been silent.
    }
    // The near end stays open while nothing arrives.
    let _ = network.wait_for(|network| *network != Network::Silent).await;
    drop(near);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_network_delays_no_search_and_loses_nothing() {
    // Longer than the statement timeout.
    is_cut(Network::Silent, Duration::from_secs(usual_or_long(12, 60))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_ends_every_connection_loses_nothing() {
    is_cut(Network::Closed, Duration::from_secs(usual_or_long(3, 60))).await;
}

async fn is_cut(how: Network, length: Duration) {
    let deployment = Deployment::new().await;
    let proxy = Proxy::to(deployment.cluster().port()).await;
    let installation = || Installation::new().with_database(&deployment.url_at(proxy.port()));
    let (at_web, at_worker) = (installation(), installation());
    let client_log = ClientLog::default();
    let web = at_web.start(WEB).await;
    let client = web.client();
    let mut worker = at_worker.start_worker(&["--log-delay", "50ms"]).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let baseline = LatencyBaseline::measure(&at_web);
    let mut load = client_log.load(&client, 2);
    load.answered(100).await;
    proxy.becomes(how);
    client_log.counts_more(Recorded::Spooled, 20).await;
    // Without this the spool might overflow during a long outage.
    load.stop().await;
    unready(&client, FaultKind::ConnectionError).await;
    sleep(length).await;
    assert_eq!(client_log.search(&client).await, Some(Recorded::Spooled));
    baseline.assert_no_client_waited(&client_log);

    proxy.becomes(Network::Whole);
    ready(&client).await;
    assert_eq!(client_log.search(&client).await, Some(Recorded::Accepted));
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    worker.assert_running();
    deployment.assert_complete(&at_web, &client_log).await;
    reader.has_read_all(&mut deployment.tables().await).await;
}

/// With the least connections, so that each one that is not given back is missed.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_forgotten_are_replaced_and_hold_up_no_stop() {
    let deployment = Deployment::new().await;
    let proxy = Proxy::to(deployment.cluster().port()).await;
    let installation = Installation::new().with_database(&deployment.url_at(proxy.port()));
    let client_log = ClientLog::default();
    // Answers that are spooled are so quick that a slow machine would fill the usual spool before a connection is replaced.
    let server = installation.start(&["--database-connections", "2", "--spool-mib", "512"]).await;
    let client = server.client();
    let mut load = client_log.load(&client, 4);
    for _ in 0..usual_or_long(3, 20) {
        load.answered_more(50).await;
        proxy.forgets_connections();
        // How many of these are spooled depends on which statement meets a forgotten connection first.
        load.answered_more(20).await;
        client_log.counts_more(Recorded::Accepted, 20).await;
        ready(&client).await;
    }
    proxy.forgets_connections();
    load.answered_more(20).await;
    load.stop().await;
    // A drain may wait for a statement, and for another connection after it.
    assert!(server.terminate(Duration::from_secs(120)).await.success());

    let _server = installation.start(&[]).await;
    // A disk that is busy for seconds may keep some out of the spool as well. What was promised is there.
    deployment.assert_complete(&installation, &client_log).await;
}
