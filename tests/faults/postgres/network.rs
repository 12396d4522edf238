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

    /// Sets the network's state. After a silent phase, its connections and the data in transit are lost.
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
