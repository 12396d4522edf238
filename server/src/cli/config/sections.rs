//! The sections of the configuration, each for one part of the program.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::database_url::{DatabaseUrl, PathParser, PostgresUrl, UrlParser, database_url, postgres_url};
use crate::lab::command_line::duration;
use crate::worker::WorkerOptions;

#[derive(Clone, Debug, Args)]
pub struct HttpSection {
    /// Address and port to listen on
    #[arg(
        long,
        global = true,
        env = "SEARCH4LETTERS_LISTEN",
        default_value = "127.0.0.1:3000",
        value_name = "ADDRESS",
        value_parser = listen
    )]
    pub listen: SocketAddr,
    /// Network of proxies whose X-Forwarded-* and Forwarded headers count (may be given more than once)
    #[arg(long = "trusted-proxy", global = true, env = "SEARCH4LETTERS_TRUSTED_PROXY", value_delimiter = ',')]
    #[arg(value_name = "CIDR", value_parser = network)]
    pub trusted_proxies: Vec<Network>,
    /// How many connections may be open at once; more wait until one ends
    #[arg(long, global = true, env = "SEARCH4LETTERS_CONNECTIONS", default_value = "16384", value_name = "N")]
    pub connections: NonZeroU32,
    /// How many event streams may be open at once; never more than three quarters of the connections
    #[arg(long, global = true, env = "SEARCH4LETTERS_EVENT_STREAMS", default_value = "12288", value_name = "N")]
    pub event_streams: NonZeroU32,
    /// Whether the waiting lab is open to everybody; auto: where only this machine can reach the server
    ///
    /// That is where it listens on a loopback address and trusts no proxy.
    #[arg(long, global = true, env = "SEARCH4LETTERS_LAB", default_value = "auto", value_name = "WHEN")]
    pub lab: LabSwitch,
}

/// When the waiting lab is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LabSwitch {
    On,
    Off,
    /// Open where only this machine can reach the server, judging by its flags.
    Auto,
}

impl HttpSection {
    /// Why the lab is closed, and how to open it. `None` if it is open.
    pub fn lab_closed(&self) -> Option<&'static str> {
        match self.lab {
            LabSwitch::On => None,
            // A proxy on this machine may forward requests from others.
            LabSwitch::Auto if self.listen.ip().is_loopback() && self.trusts_no_proxy() => None,
            LabSwitch::Auto => Some(
                "The lab is closed, because this server can be reached from other machines. Its operator may open \
                 it with --lab on (SEARCH4LETTERS_LAB=on).",
            ),
            LabSwitch::Off => Some(
                "The lab is closed. The operator of this server may open it with --lab on (SEARCH4LETTERS_LAB=on).",
            ),
        }
    }

    fn trusts_no_proxy(&self) -> bool {
        self.trusted_proxies.iter().all(|network| network.0.is_none())
    }
}

/// An entry of a list of networks. An empty variable yields one empty entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(pub Option<IpNet>);

#[derive(Clone, Debug, Args)]
pub struct StoreSection {
    /// Folder for the database and everything else that is kept
    #[arg(long, global = true, env = "SEARCH4LETTERS_DATA", default_value = "./data", value_name = "FOLDER")]
    #[arg(value_parser = PathParser)]
    pub data: PathBuf,
    /// Another database than the one in the data folder: postgres://USER:PASSWORD@HOST/DATABASE or sqlite:FILE
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = UrlParser(database_url))]
    pub database_url: Option<DatabaseUrl>,
    /// PostgreSQL only: a direct connection, where the other one leads through a pooler of transactions
    ///
    /// Migrations and LISTEN need a connection that stays the same: that of --database-url, unless this says another.
    #[arg(long, global = true, env = "DATABASE_LISTEN_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = UrlParser(postgres_url))]
    pub database_listen_url: Option<PostgresUrl>,
    /// PostgreSQL only: how many connections this process opens at most
    #[arg(long, global = true, env = "SEARCH4LETTERS_DATABASE_CONNECTIONS", default_value = "10", value_name = "N")]
    pub database_connections: NonZeroU32,
}

#[derive(Clone, Debug, Args)]
pub struct SpoolSection {
    /// How long a search waits for the database before its record goes to the spool
    #[arg(long, global = true, env = "SEARCH4LETTERS_ACCEPT_DEADLINE", default_value = "250ms", value_name = "TIME")]
    #[arg(value_parser = duration)]
    pub accept_deadline: Duration,
    /// Size of the spool in MiB; the disk space is taken at once
    #[arg(long, global = true, env = "SEARCH4LETTERS_SPOOL_MIB", default_value = "8", value_name = "N")]
    pub spool_mib: NonZeroU32,
}

#[derive(Clone, Debug, Args)]
pub struct JobsSection {
    /// How long each log write sleeps first, for instance 15s
    #[arg(long, global = true, env = "SEARCH4LETTERS_LOG_DELAY", default_value = "0s", value_name = "TIME")]
    #[arg(value_parser = duration)]
    pub log_delay: Duration,
    /// Accept searches without running their jobs
    #[arg(long, global = true, env = "SEARCH4LETTERS_NO_WORKER", value_parser = FalseyValueParser::new())]
    pub no_worker: bool,
    /// How many jobs run side by side at most
    #[arg(long, global = true, env = "SEARCH4LETTERS_WORKERS", default_value = "1024", value_name = "N")]
    pub workers: NonZeroUsize,
    /// How long running jobs may continue after the process was asked to stop
    #[arg(long, global = true, env = "SEARCH4LETTERS_GRACE", default_value = "10s", value_name = "TIME")]
    #[arg(value_parser = duration)]
    pub grace: Duration,
}

impl JobsSection {
    pub fn worker_options(&self) -> WorkerOptions {
        WorkerOptions { slots: self.workers.get(), log_delay: self.log_delay, grace: self.grace }
    }
}

/// Why an address cannot be listened on.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "write an address and a port: 127.0.0.1:3000 for this machine alone, 0.0.0.0:3000 or [::]:3000 for all addresses"
)]
struct NoAddress;

/// Reads an address and a port. A port alone, and `localhost`, stand for this machine alone.
fn listen(text: &str) -> Result<SocketAddr, NoAddress> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    let local = || port.parse().map(|port: u16| (Ipv4Addr::LOCALHOST, port).into());
    text.parse().or_else(|_| local()).map_err(|_| NoAddress)
}

fn network(text: &str) -> Result<Network, String> {
    if text.is_empty() {
        return Ok(Network(None));
    }
    let net = text.parse().map_err(|_| "write a network as ADDRESS/BITS, for instance 10.0.0.0/8".to_owned())?;
    Ok(Network(Some(net)))
}
