//! An HTTP client that blocks the thread that asks.

use std::net::SocketAddr;
use std::time::Duration;

use api::ItemError;
use bytes::Bytes;
use http::Uri;
use http::header::HOST;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::Target;

use super::answer::{self, BODY_LIMIT_BYTES};

/// Talks to one server; may be shared by threads, each of which blocks for itself.
pub(super) struct BlockingClient {
    agent: Agent,
    target: Target,
}

impl BlockingClient {
    /// `patience` is for each answer as a whole. As many connections are kept as threads use.
    pub fn new(target: &Target, patience: Duration, threads: usize) -> Self {
        let config = Config::builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            // A redirect could lead to a server that nobody has allowed, and so could a proxy.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(threads)
            .max_idle_connections_per_host(threads)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Resolved(target.address()));
        Self { agent, target: target.clone() }
    }

    /// The body that is answered with 200.
    pub fn get(&self, path: &str) -> Result<Bytes, ItemError> {
        let asked = self.agent.get(self.target.uri(path)).header(HOST, self.target.authority()).call();
        let mut answer = asked.map_err(failed)?;
        answer::check_status(answer.status())?;
        let limit = u64::try_from(BODY_LIMIT_BYTES).unwrap_or(u64::MAX);
        let body = answer.body_mut().with_config().limit(limit).read_to_vec();
        body.map(Bytes::from).map_err(failed)
    }
}

fn failed(error: ureq::Error) -> ItemError {
    match error {
        ureq::Error::Timeout(_) => answer::timed_out(),
        ureq::Error::BodyExceedsLimit(_) => answer::too_large(),
        ureq::Error::Io(error) => answer::broken(&error),
        error => answer::broken(&error),
    }
}

/// The address is known. The default starts a thread for each name, to be able to give up, and we promise how many
/// threads there are.
#[derive(Debug)]
struct Resolved(SocketAddr);

impl Resolver for Resolved {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}
