//! A peer as a process of its own. It ends with us.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::processes::Family;

/// Interpreters begin slowly.
const START_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct Peer {
    child: Child,
    pub port: u16,
}

impl Peer {
    /// Starts a program, which prints into `printed` and is ready when it listens on the port.
    pub(crate) async fn start(mut command: Command, port: u16, printed: &Path) -> anyhow::Result<Self> {
        let file = std::fs::File::create(printed)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        let mut peer = Self { child, port };
        let deadline = Instant::now() + START_WITHIN;
        while TcpStream::connect(peer.address()).await.is_err() {
            if let Some(ended) = peer.child.try_wait()? {
                let said = std::fs::read_to_string(printed).unwrap_or_default();
                return Err(anyhow!("it has ended ({ended})").context(format!("{command:?} said:\n{said}")));
            }
            if Instant::now() > deadline {
                return Err(anyhow!("it does not listen after {START_WITHIN:?}").context(format!("{command:?}")));
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(peer)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// SIGTERM, so that it can end what it has started; SIGKILL, if that does not help.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process(pid, Signal::TERM)?;
        }
        if timeout(STOP_WITHIN, self.child.wait()).await.is_err() {
            self.end();
            self.child.wait().await?;
        }
        Ok(())
    }

    /// Ends it and all that it has started: a worker that is left would be measured with whoever comes next.
    fn end(&self) {
        if let Some(id) = self.child.id() {
            Family::of([id]).end();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
